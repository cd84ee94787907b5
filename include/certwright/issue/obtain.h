// Obtain: the use case behind issue, set-certificate and, later, renewal.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certwright/acme/http01.h"
#include "certwright/base/clock.h"
#include "certwright/events/feed.h"
#include "certwright/issue/authorities.h"
#include "certwright/issue/ledger.h"
#include "certwright/model/certificate.h"
#include "certwright/model/order.h"
#include "certwright/model/progress.h"
#include "certwright/model/renewal.h"
#include "certwright/store/certificates.h"
#include "certwright/store/database.h"

namespace certwright::issue {

struct ObtainRequest {
  std::vector<model::Identifier> identifiers;  // sorted, from model::ParseIdentifiers
  model::PolicyWish wish;  // over what is held, else over the defaults
  std::string owner;
  bool renew = false;        // though it is valid; the fuse counts it
  bool force = false;        // past the fuse and a valid certificate
  UnixSeconds asked_at = 0;  // when the owner asked; 0: nobody asks now (a renewal)
  // Of a renewal that was planned: the version that was current then, 0 where there was none. Where it
  // is another by now, somebody was quicker.
  std::optional<std::int64_t> planned_for;
};

// Who asked, and when (UTC seconds).
struct Asker {
  std::string owner;
  UnixSeconds asked_at = 0;
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

// What follows on a failure.
struct AfterFailure {
  UnixSeconds try_at = 0;   // the next try
  UnixSeconds look_at = 0;  // when the certificate is looked at: not later
  std::string told;         // reason of an event certificate-failed; "": none
};
// After failure number `failures` in a row (1: the first).
using NextTry = std::function<AfterFailure(const Failure& failure, int failures)>;

class Obtainer {
 public:
  // `caa` may be empty: nobody knows. `ledger`: what the CAs' limits leave.
  Obtainer(store::Database& database, const Authorities& authorities,
           acme::Http01Presenter& presenter, events::Feed& feed, Clock& clock, Fuse fuse,
           model::CertificatePolicy defaults, NextTry next_try, CaaCheck caa = nullptr,
           const Ledger& ledger = Ledger::WithoutLimits());

  const Ledger& ledger() const { return ledger_; }
  const Fuse& fuse() const { return fuse_; }
  const model::CertificatePolicy& defaults() const { return defaults_; }

  // Looks whether work is needed (no valid certificate, or another policy than it has), carries an
  // open order on or opens one, and stores what comes: version, current pointer and event in ONE
  // transaction (I2, I3); when to renew is planned by who looks at it next, so next_action_at is
  // now. Turns to a fall-back where the first CA is down or its limits are spent and CAA does not
  // forbid it; a renewal of a certificate that is good for a while yet, also when the first CA may be
  // asked again, waits for it until its third try. Throws Error; the failure is written down with the certificate first, with the
  // time of its next try. Not for two threads with one name set: see Jobs.
  ObtainResult Obtain(const ObtainRequest& request, const model::ProgressSink& progress,
                      std::stop_token stop);

  // The modules among them have what they asked for, the certificate of this name alone.
  void Remember(const std::vector<Asker>& askers, const std::string& name);

  // Asks the CA of this certificate when it wants it renewed (RFC 9773). nullopt: it is none of ours,
  // or does not say. Throws Error.
  std::optional<model::RenewalWindow> AskWindow(const model::CertificateVersion& version,
                                                std::stop_token stop);

  // The CA in whose lane a certificate of this CA is looked at: its own, else the first.
  const std::string& LaneOf(const std::string& directory) const {
    const Authority* authority = authorities_.Find(directory);
    return (authority != nullptr ? *authority : authorities_.Primary()).directory();
  }
  // Whether this directory is one of the CAs that are configured.
  bool Knows(const std::string& directory) const {
    return authorities_.Find(directory) != nullptr;
  }

  // Whether Obtain would order anything: no valid certificate, or another policy than it has.
  bool HasWork(const ObtainRequest& request);

  // Everything but the order: what would happen, in sentences. Throws what Obtain would.
  std::vector<std::string> DryRun(const ObtainRequest& request, std::stop_token stop);

 private:
  struct Work {
    model::OrderRecord order;
    bool carried_on = false;
  };
  ObtainResult ObtainSomewhere(const ObtainRequest& request,
                               const std::optional<store::HeldCertificate>& held,
                               const model::ProgressSink& progress, std::stop_token stop);
  std::vector<model::OrderRecord> OpenOrders(const ObtainRequest& request);
  // Where an order that was made less than a day ago was finalized; null: nowhere.
  const Authority* FinalizedLately(const std::vector<model::OrderRecord>& open) const;
  // In the order in which they are tried; at least one.
  std::vector<const Authority*> Candidates(const ObtainRequest& request);
  // Whether there is time to wait for the CA that ended with `failure`, rather than to order at the
  // next one.
  bool WaitsRather(const Authority& next, const ObtainRequest& request,
                   const std::optional<store::HeldCertificate>& held, const Failure& failure);
  // Whether the next CA may be turned to after `failure`; what forbids it is added to that.
  bool MayTurnTo(const Authority& authority, const ObtainRequest& request,
                 const std::optional<store::HeldCertificate>& held, Failure& failure,
                 const model::ProgressSink& progress, std::stop_token stop);
  const Authority& FirstThatAnswers(const ObtainRequest& request,
                                    const std::optional<store::HeldCertificate>& held,
                                    std::vector<std::string>& report, std::stop_token stop);
  // Whether the ledger would let a new order at this CA pass; throws as TakeUp.
  void CheckLedger(const Authority& authority, const ObtainRequest& request,
                   const std::optional<store::HeldCertificate>& held);
  ObtainResult ObtainFrom(const Authority& authority, const ObtainRequest& request,
                          const std::optional<store::HeldCertificate>& held,
                          const model::ProgressSink& progress, std::stop_token stop);
  // The wish, and the order at this CA that fulfils it: an open one of the same policy, or a new one
  // where the fuse and the ledger allow it. One transaction.
  Work TakeUp(const Authority& authority, const ObtainRequest& request,
              const std::optional<store::HeldCertificate>& held);
  // Until the certificate is there. Throws where this run cannot go on; the order is saved.
  model::CertificateVersion RunOrder(const Authority& authority, model::OrderRecord& order,
                                     const model::ProgressSink& progress, std::stop_token stop);
  // How a run of the order ended goes with it into one transaction. `reached`: the last state that
  // was no failure.
  void SaveFailed(model::OrderRecord& order, const Failure& failure, model::OrderState reached);
  void GiveUp(store::Session& session, model::OrderRecord& order, std::string why);
  void RefuseRevoked(const model::OrderRecord& order, const model::CertificateVersion& version);
  ObtainResult Activate(const model::OrderRecord& order, const ObtainRequest& request,
                        model::CertificateVersion version, bool had_version);
  // Gives the failure as it was written down: retry_at says when the next try is.
  Failure RecordFailure(const ObtainRequest& request, Failure failure);

  store::Database& database_;
  const Authorities& authorities_;
  acme::Http01Presenter& presenter_;
  events::Feed& feed_;
  Clock& clock_;
  const Fuse fuse_;
  const model::CertificatePolicy defaults_;
  const NextTry next_try_;
  const CaaCheck caa_;
  const Ledger& ledger_;
};

}  // namespace certwright::issue
