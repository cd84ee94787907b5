// The ledger: how much of each CA's rate limits is used, counted as the CA counts, so that an order
// that would certainly be refused is refused here first, with the time when it will pass.
//
// Everything happens inside the caller's transaction: what is checked and spent is in the store
// together with the order that it is for, or not at all. A CA without limits in the data has none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/error.h"
#include "certwright/issue/budget.h"
#include "certwright/model/ca_limits.h"
#include "certwright/model/certificate.h"
#include "certwright/model/identifier.h"
#include "certwright/model/order.h"
#include "certwright/store/database.h"

namespace certwright::issue {

// What a CA looks at when it counts an order.
struct Asked {
  std::string ca;  // directory URL
  std::vector<model::Identifier> identifiers;
  bool replaces = false;  // the order says which certificate it replaces
  bool same_set = false;  // exactly the names of a certificate that this CA issued
  bool renewal = false;   // of what is held: may take what is kept for renewals
};
Asked AskedBy(const model::OrderRecord& order,
              const std::optional<model::CertificateVersion>& held);

// One limit as it concerns one order: certificates-per-domain of example.org.
struct Need {
  model::Limit limit;
  std::string subject;  // "" : the account
  bool exempt = false;  // the order passes whatever is left, and takes nothing
  bool spends = false;  // an order takes one; else it is only looked at (failures)
};

// A need that could not be met, and when it can.
struct Shortage {
  Need need;
  Room room;
};

// An order that is planned, and what the ledger says of it.
struct Planned {
  Asked asked;
  UnixSeconds at = 0;
};
struct Forecast {
  std::vector<Need> needs;
  std::optional<Shortage> shortage;  // it would be refused then
};

struct LedgerEntry {
  std::string ca;
  model::Limit limit;
  std::string subject;
  Room room;
};

class Ledger {
 public:
  explicit Ledger(std::vector<model::CaLimits> limits);
  static const Ledger& WithoutLimits();

  // nullptr: nothing is known of it.
  const model::CaLimits* LimitsOf(const std::string& ca) const;

  // An order is about to be made: takes what it needs. Throws Error(kRateLimited) that says which
  // limit is used up for what, and retry_at; then nothing was taken. `forced`: only a warning in
  // the log, and it is counted all the same.
  void Admit(store::Session& session, const Asked& asked, bool forced, UnixSeconds now) const;
  // Whether Admit would throw: throws the same, takes nothing.
  void Check(store::Session& session, const Asked& asked, UnixSeconds now) const;
  // It was admitted as one that replaces a certificate, and the CA did not want to hear of that: it
  // counts after all.
  void SpendWithoutReplaces(store::Session& session, const Asked& asked, UnixSeconds now) const;
  // It ended without a certificate: only the order counted (RFC 8555 section 7.1.6 "invalid").
  // `made` false: the CA did not even make that.
  void Refund(store::Session& session, const Asked& asked, bool made, UnixSeconds now) const;
  // The validation of these names failed, or of these succeeded.
  void CountFailures(store::Session& session, const std::string& ca,
                     const std::vector<std::string>& names, UnixSeconds now) const;
  void EndFailures(store::Session& session, const Asked& asked) const;
  // An account is about to be registered: as Admit.
  void AdmitAccount(store::Session& session, const std::string& ca, UnixSeconds now) const;
  // The CA said rateLimited: from now on what it said is what is left. Words that nobody knows are
  // taken to be of its orders. Where it could be one of several names, nothing is changed.
  void Learn(store::Session& session, const Asked& asked, const Failure& failure,
             UnixSeconds now) const;

  // What is used of every limit that the store knows something of, ordered by CA, limit, subject.
  std::vector<LedgerEntry> Entries(store::Session& session, UnixSeconds now) const;
  // Plays the orders in the given order, which is that of time, on top of what is used now.
  std::vector<Forecast> Foresee(store::Session& session, const std::vector<Planned>& planned,
                                UnixSeconds now) const;

 private:
  std::vector<Need> NeedsOf(const Asked& asked) const;

  const std::vector<model::CaLimits> limits_;
};

// "50 of 50 certificates for example.org within 168 hours are used".
std::string ShortageText(const Shortage& shortage);

}  // namespace certwright::issue
