// Stores what was found: in one transaction, without a request to any CA.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/json/value.h"
#include "certwright/migrate/found.h"
#include "certwright/model/certificate.h"
#include "certwright/model/route.h"
#include "certwright/store/database.h"

namespace certwright::migrate {

struct ImportOptions {
  UnixSeconds now = 0;
  bool dry_run = false;               // all but the storing
  model::CertificatePolicy defaults;  // of what a certificate that is new here does not say
  // The route of a set-route input. Throws Error(kInput) where it is none that can be served.
  std::function<model::Route(const json::Value& request)> read_route;
};

// What became of one.
enum class Fate {
  kImported,
  kPresent,  // the very same is here already
  kKept,     // what is here already stays: valid for longer, or an account that is in use
  kExpired,
  kRevoked,
  kLeftOut,  // `why` says what is wrong with it
};
std::string_view FateName(Fate fate);  // "imported", "left-out"

struct AccountOutcome {
  std::string from;
  std::string directory;
  Fate fate = Fate::kImported;
  std::string why;
};

struct CertificateOutcome {
  std::string from;
  std::vector<std::string> names;  // empty where it cannot be read
  std::string directory;
  UnixSeconds not_after = 0;
  Fate fate = Fate::kImported;
  std::string why;
};

struct RouteOutcome {
  std::string from;
  std::string instance;
  Fate fate = Fate::kImported;
  std::string why;
};

struct SettingOutcome {
  std::string name;  // trusted-proxies, default-names
  Fate fate = Fate::kImported;
};

struct ImportReport {
  std::vector<AccountOutcome> accounts;
  std::vector<CertificateOutcome> certificates;
  std::vector<CertificateOutcome> uploads;
  std::vector<RouteOutcome> routes;
  std::vector<SettingOutcome> settings;
  std::vector<LeftOut> left_out;  // of the readers, and each of the above with that fate
  std::int64_t last_event = 0;    // 0: nothing changed
};

// An account is stored where its CA has none yet. A certificate becomes the current version of its
// names, told as an event (issued), unless what is there is valid for as long, or it is expired or
// known to be revoked; policy and owner of what is there stay. It is due at once, so the scheduler
// plans its renewal. A route, an upload and a setting are stored where there is none of that name
// yet; the CA is for the caller to set, who may be at work with another one. Throws Error(kDisk | kDamaged): then nothing was changed.
ImportReport Import(store::Database& database, const Found& found, const ImportOptions& options);

}  // namespace certwright::migrate
