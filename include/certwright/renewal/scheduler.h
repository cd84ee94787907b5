// Does what is due: asks the CAs for their windows, renews, tries again what failed, and warns of what
// is about to expire.
//
// Reads only the rows that are due (an index), so a tick costs what is due and not what is stored.
// What a certificate waits for is in the store alone: a process that died forgets nothing, and a
// clock that jumps is met at the next tick.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/random.h"
#include "certwright/events/feed.h"
#include "certwright/issue/jobs.h"
#include "certwright/issue/obtain.h"
#include "certwright/renewal/claims.h"
#include "certwright/renewal/expiry.h"
#include "certwright/renewal/plan.h"
#include "certwright/renewal/watch.h"
#include "certwright/store/certificates.h"
#include "certwright/store/database.h"

namespace certwright::renewal {

class LaneThreads;
class Slots;

// What came of a look at one certificate.
struct Looked {
  enum class Result { kNotDue, kWouldRenew, kRenewed, kFailed };
  std::int64_t certificate_id = 0;
  std::string name_set;
  Result result = Result::kNotDue;
  Due due;                         // as planned now
  std::optional<Failure> failure;  // of kFailed; retry_at is the next try
};
std::string_view ResultName(Looked::Result result);  // "not-due", "would-renew", "renewed", "failed"

struct Wanted {
  // These, due or not, and what failed though its next try is not due: a person asks. Empty: all that
  // are due.
  std::vector<std::int64_t> certificates;
  bool force = false;                      // order though nothing is due, and past the fuse
  bool dry_run = false;                    // order nothing, write nothing down
};

// What an administrator may set of it. None of it lets a program flood a CA.
struct Limits {
  std::size_t side_by_side = 8;  // certificates that are looked at at one CA
  Millis check{60'000};          // so long at most nobody looks at the clock
  UnixSeconds interval = 60;     // so long at least between two looks at one certificate
};

class Scheduler {
 public:
  // All references must outlive it. `preflight` may be empty: then nobody looks from outside.
  Scheduler(store::Database& database, issue::Obtainer& obtainer, issue::Jobs& jobs,
            events::Feed& feed, Clock& clock, Random& random, const Limits& limits = {},
            PreflightCheck preflight = nullptr);
  ~Scheduler();  // stops the threads; orders under way are kept

  // Looks once at all that is wanted: the CAs side by side, so that one that hangs holds up nothing
  // of another, and several certificates at each. `told` (may be null) is called for each
  // certificate, one at a time. Throws Error where the store cannot be read or written.
  std::vector<Looked> RunOnce(const Wanted& wanted, const std::function<void(const Looked&)>& told,
                              std::stop_token stop);

  // The same in threads of its own, for ever, whenever something is due.
  void Start();

 private:
  using Lanes = std::map<std::string, std::vector<std::int64_t>>;  // certificates by CA

  Lanes CollectDue(const std::set<std::string>& busy, std::size_t most);
  Looked LookAt(std::int64_t certificate_id, const Wanted& wanted, std::stop_token stop);
  bool ForgetForsaken(const store::HeldCertificate& held);
  model::RenewalInfo KnownWindow(const store::HeldCertificate& held, const Wanted& wanted,
                                 std::stop_token stop);
  bool IsTurn(store::HeldCertificate& held, const Wanted& wanted, Looked& looked,
              std::stop_token stop);
  std::string FirstAsked(const store::HeldCertificate& held) const;
  void Renew(const store::HeldCertificate& held, const Wanted& wanted, Looked& looked,
             std::stop_token stop);
  bool IsLeftOpen(const store::HeldCertificate& held);
  // Of CAs that are configured.
  std::vector<model::OrderRecord> OpenOrders(const store::HeldCertificate& held) const;
  void KeepPreflight(const model::ManagedCertificate& certificate);
  void PlanNext(Looked& looked, const Wanted& wanted, std::stop_token stop);
  UnixSeconds NextLook(const store::HeldCertificate& held, const Due& due) const;
  void WarnOfExpiry(const store::HeldCertificate& held);
  // Gives how long nothing is due.
  Millis Tick(LaneThreads& threads);
  bool LookAtAll(const std::vector<std::int64_t>& ids, std::stop_token stop);
  void Run(std::stop_token stop);

  store::Database& database_;
  issue::Obtainer& obtainer_;
  issue::Jobs& jobs_;
  events::Feed& feed_;
  Clock& clock_;
  Random& random_;
  const Limits limits_;
  const PreflightCheck preflight_;
  Claims claims_;  // of the certificates that somebody looks at just now
  const std::unique_ptr<Slots> slots_;
  std::jthread thread_;  // last: joined first
};

// What issue::Obtainer is given for its failures: when the next try is made. Told are the first
// failure in a row and the one that parks it.
issue::NextTry MakeNextTry(Clock& clock, Random& random);

}  // namespace certwright::renewal
