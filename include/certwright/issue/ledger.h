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
// Of an order for these names at this CA, `held` being what they have now. It says what it replaces
// (RFC 9773 section 5) where the same CA issued that: another knows nothing of it.
Asked AskedFor(const std::string& ca, const std::vector<model::Identifier>& identifiers,
               const std::optional<model::CertificateVersion>& held);
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
  UnixSeconds new_at = 0;  // when one passes that renews nothing
};

class Ledger {
 public:
  explicit Ledger(std::vector<model::CaLimits> limits);
  static const Ledger& WithoutLimits();

  // nullptr: nothing is known of it.
  const model::CaLimits* LimitsOf(const std::string& ca) const;

  // --- of one order, from its record; order.counted says what was taken for it ---

  // It is about to be made: takes what it needs. `held`: the version that it renews. Throws
  // Error(kRateLimited) that says which limit is used up for what, and retry_at; then nothing was
  // taken. With order.forced that is only a warning in the log, and it is counted all the same.
  void Admit(store::Session& session, model::OrderRecord& order,
             const std::optional<model::CertificateVersion>& held, UnixSeconds now) const;
  // The CA did not want to hear what it replaces: it counts after all.
  void DropReplaces(store::Session& session, model::OrderRecord& order,
                    const std::optional<model::CertificateVersion>& held, UnixSeconds now) const;
  // A run of it failed; `reached`: the state before that. Without a certificate only the order
  // counted, and names whose validation failed; what the CA said of its limits is the truth from now
  // on (words that nobody knows are taken to be of its orders; where it could be one of several
  // names, nothing is changed).
  void Failed(store::Session& session, model::OrderRecord& order, const Failure& failure,
              model::OrderState reached, UnixSeconds now) const;
  // Nobody wants it any more.
  void GiveUp(store::Session& session, model::OrderRecord& order, UnixSeconds now) const;
  // It led to a certificate.
  void Succeeded(store::Session& session, const model::OrderRecord& order) const;

  // --- the same without a record ---

  // Whether an order would be refused: throws as Admit, takes nothing.
  void Check(store::Session& session, const Asked& asked, UnixSeconds now) const;
  // An account is about to be registered: as Admit.
  void AdmitAccount(store::Session& session, const std::string& ca, UnixSeconds now) const;

  // What is used of every limit that the store knows something of, ordered by CA, limit, subject.
  std::vector<LedgerEntry> Entries(store::Session& session, UnixSeconds now) const;
  // Plays the orders in the given order, which is that of time, on top of what is used now.
  std::vector<Forecast> Foresee(store::Session& session, const std::vector<Planned>& planned,
                                UnixSeconds now) const;

 private:
  std::vector<Need> NeedsOf(const Asked& asked) const;
  void Refund(store::Session& session, model::OrderRecord& order, bool order_too,
              UnixSeconds now) const;
  void CountFailures(store::Session& session, const model::OrderRecord& order,
                     const std::vector<std::string>& failed, UnixSeconds now) const;
  void Learn(store::Session& session, const Asked& asked, const Failure& failure,
             UnixSeconds now) const;

  const std::vector<model::CaLimits> limits_;
};

// "50 of 50 certificates for example.org within 168 hours are used".
std::string ShortageText(const Shortage& shortage);

}  // namespace certwright::issue
