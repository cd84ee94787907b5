// Does what is due: asks the CAs for their windows, renews, tries again what failed, and warns of what
// is about to expire.
//
// Reads only the rows that are due (an index), so a tick costs what is due and not what is stored.
// What a certificate waits for is in the store alone: a process that died forgets nothing, and a
// clock that jumps is met at the next tick.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/random.h"
#include "certwright/events/feed.h"
#include "certwright/issue/jobs.h"
#include "certwright/issue/obtain.h"
#include "certwright/renewal/expiry.h"
#include "certwright/renewal/plan.h"
#include "certwright/renewal/watch.h"
#include "certwright/store/certificates.h"
#include "certwright/store/database.h"

namespace certwright::renewal {

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

class Scheduler {
 public:
  // All references must outlive it. `preflight` may be empty: then nobody looks from outside.
  Scheduler(store::Database& database, issue::Obtainer& obtainer, issue::Jobs& jobs,
            events::Feed& feed, Clock& clock, Random& random, PreflightCheck preflight = nullptr);
  ~Scheduler();  // stops the thread; orders under way are kept

  // One tick: certificates side by side, `told` (may be null) called for each, one at a time.
  // Throws Error where the store cannot be read or written.
  std::vector<Looked> RunOnce(const Wanted& wanted, const std::function<void(const Looked&)>& told,
                              std::stop_token stop);

  // Ticks in a thread of its own whenever something is due.
  void Start();

 private:
  Looked LookAt(std::int64_t certificate_id, const Wanted& wanted, std::stop_token stop);
  model::RenewalInfo KnownWindow(const store::HeldCertificate& held, const Wanted& wanted,
                                 std::stop_token stop);
  bool IsTurn(store::HeldCertificate& held, const Wanted& wanted, Looked& looked,
              std::stop_token stop);
  void Renew(const store::HeldCertificate& held, const Wanted& wanted, Looked& looked,
             std::stop_token stop);
  void KeepPreflight(const model::ManagedCertificate& certificate);
  void PlanNext(Looked& looked, const Wanted& wanted, std::stop_token stop);
  UnixSeconds NextLook(const store::HeldCertificate& held, const Due& due) const;
  void WarnOfExpiry(const store::HeldCertificate& held);
  Millis Tick(std::stop_token stop);  // gives how long nothing is due

  store::Database& database_;
  issue::Obtainer& obtainer_;
  issue::Jobs& jobs_;
  events::Feed& feed_;
  Clock& clock_;
  Random& random_;
  const PreflightCheck preflight_;
  std::jthread thread_;  // last: joined first
};

// What issue::Obtainer is given for its failures: when the next try is made.
issue::NextTry MakeNextTry(Clock& clock, Random& random);

}  // namespace certwright::renewal
