// The numbered change feed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/error.h"

namespace certwright::model {

struct Event {
  std::int64_t seq = 0;            // grows by at least one; given by the store
  // "certificate-changed": issued | renewed | uploaded | deleted | revoked | restored
  // "certificate-failed": failed (the first of a row of failures) | parked (it keeps failing)
  // "certificate-expiring": third | tenth (so much of the lifetime is left) | days (three)
  // "routes-changed": set | deleted (names: the instance) | proxies (those that are trusted)
  // "default-certificate-changed": set | deleted (names: the default names, the leading one first)
  // "hosts-changed": set | deleted | restored (names: the host that routes have now, or have no more)
  std::string name;
  std::string reason;
  std::vector<std::string> names;  // of hosts: lower case, sorted
  std::int64_t certificate_id = 0;
  UnixSeconds not_after = 0;       // of the current version; 0: there is none, or it does not matter
  std::optional<Failure> failure;  // of certificate-failed, and what stands behind an expiring one
  UnixSeconds created_at = 0;
};

}  // namespace certwright::model
