// Obtain: the use case behind issue, set-certificate and, later, renewal.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certwright/acme/client.h"
#include "certwright/acme/http01.h"
#include "certwright/base/clock.h"
#include "certwright/events/feed.h"
#include "certwright/issue/account_keeper.h"
#include "certwright/model/certificate.h"
#include "certwright/model/order.h"
#include "certwright/model/progress.h"
#include "certwright/model/renewal.h"
#include "certwright/store/certificates.h"
#include "certwright/store/database.h"
#include "certwright/store/settings.h"

namespace certwright::issue {

struct ObtainRequest {
  std::vector<model::Identifier> identifiers;  // sorted, from model::ParseIdentifiers
  model::PolicyWish wish;  // over what is held, else over the defaults
  std::string owner;
  bool renew = false;        // though it is valid; the fuse counts it
  bool force = false;        // past the fuse and a valid certificate
  UnixSeconds asked_at = 0;  // when the owner asked; 0: nobody asks now (a renewal)
};

struct ObtainResult {
  store::HeldCertificate held;
  bool issued = false;         // false: it was there and valid
  std::int64_t event_seq = 0;  // of the change; 0 where nothing changed
};

// I4, in numbers.
struct Fuse {
  int orders_per_name_set = 4;
  UnixSeconds window = 7 * 24 * 3600;
};

// When the next try is made after failure number `failures` in a row (1: the first).
using NextTry = std::function<UnixSeconds(const Failure& failure, int failures)>;

class Obtainer {
 public:
  Obtainer(store::Database& database, acme::Client& client, AccountKeeper& accounts,
           acme::Http01Presenter& presenter, events::Feed& feed, Clock& clock, Fuse fuse,
           model::CertificatePolicy defaults, NextTry next_try);

  // Looks whether work is needed (no valid certificate, or another policy than it has), carries an open order on or opens one, and stores what comes:
  // version, current pointer and event in ONE transaction (I2, I3); when to renew is planned by who
  // looks at it next, so next_action_at is now. Throws Error; the failure is written down with the
  // certificate first, with the time of its next try. Not for two threads with one name set:
  // see Jobs.
  ObtainResult Obtain(const ObtainRequest& request, const model::ProgressSink& progress,
                      std::stop_token stop);

  // Asks the CA when it wants this certificate renewed (RFC 9773). nullopt: another CA issued it, or
  // this one does not say. Throws Error.
  std::optional<model::RenewalWindow> AskWindow(const model::CertificateVersion& version,
                                                std::stop_token stop);

  // Whether Obtain would order anything: no valid certificate, or another policy than it has.
  bool HasWork(const ObtainRequest& request);

  // Everything but the order: what would happen, in sentences. Throws what Obtain would.
  std::vector<std::string> DryRun(const ObtainRequest& request, std::stop_token stop);

 private:
  struct Work {
    model::OrderRecord order;
    bool carried_on = false;
  };
  // The wish, and the order that fulfils it: an open one of the same policy, or a new one where the
  // fuse allows it. One transaction.
  Work TakeUp(const ObtainRequest& request, const std::optional<store::HeldCertificate>& held);
  // Until the certificate is there. Throws where this run cannot go on: that is recorded.
  model::CertificateVersion RunOrder(model::OrderRecord& order,
                                     const model::ProgressSink& progress, std::stop_token stop);
  ObtainResult Activate(const model::OrderRecord& order, const ObtainRequest& request,
                        model::CertificateVersion version, bool had_version);
  // Gives the failure as it was written down: retry_at says when the next try is.
  Failure RecordFailure(std::int64_t certificate_id, const model::OrderRecord* order,
                        Failure failure);

  store::Database& database_;
  acme::Client& client_;
  AccountKeeper& accounts_;
  acme::Http01Presenter& presenter_;
  events::Feed& feed_;
  Clock& clock_;
  const Fuse fuse_;
  const model::CertificatePolicy defaults_;
  const NextTry next_try_;
};

// Remembers the name that a module asked for and has. One that it asked for later stays in its
// place.
void RememberName(store::Session& session, const store::NameRequest& asked, UnixSeconds now);

// Removes a certificate with its versions and tells it (reason "deleted"); gives the event's
// number, 0 where it was not there.
std::int64_t Remove(store::Database& database, events::Feed& feed, Clock& clock,
                    std::int64_t certificate_id);

// The node's own self-signed pair: made where it is missing or about to expire (within 30 days).
void EnsureSelfSigned(store::Database& database, Clock& clock, const std::string& host_name);

}  // namespace certwright::issue
