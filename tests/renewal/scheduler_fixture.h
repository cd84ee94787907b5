// The scheduler over a real store and real keys, with a CA in memory and a clock moved by hand.
#pragma once

#include "../issue/fixture.h"
#include "certwright/base/random.h"
#include "certwright/renewal/scheduler.h"
#include "certwright/store/renewals.h"

namespace certwright::issue {

using renewal::Looked;
using renewal::Reason;
using renewal::Scheduler;
using renewal::Wanted;
using Result = Looked::Result;

class SchedulerTest : public IssueTest {
 protected:
  void SetUp() override { Begin(); }
  void TearDown() override { End(); }
  void Begin(const renewal::Limits& limits = {}) {
    jobs_.emplace(process_->obtainer, clock_, 8);
    scheduler_.emplace(*process_->database, process_->obtainer, *jobs_, process_->feed, clock_,
                       SystemRandom(), limits, preflight_);
  }
  void End() {
    scheduler_.reset();
    jobs_.reset();
  }
  void StartAgain() {
    End();
    Restart();
    Begin();
  }

  std::vector<Looked> Tick(const Wanted& wanted = {}, std::stop_token stop = {}) {
    return scheduler_->RunOnce(wanted, nullptr, stop);
  }
  // The one certificate that was looked at.
  Looked TickOne(const Wanted& wanted = {}) {
    const std::vector<Looked> all = Tick(wanted);
    EXPECT_THAT(all, ::testing::SizeIs(1));
    return all.empty() ? Looked{} : all.front();
  }
  // The CA's certificates are of 90 days from now on.
  void PassAndIssueFrom(UnixSeconds seconds) {
    Pass(seconds);
    ca_.valid_from = clock_.Now() - 3600;
    ca_.valid_to = clock_.Now() + 90 * kDay;
  }
  UnixSeconds NextAction(const std::string& name_set) {
    return Held(name_set).certificate.next_action_at;
  }

  renewal::PreflightCheck preflight_;
  std::optional<Jobs> jobs_;
  std::optional<Scheduler> scheduler_;
};

}  // namespace certwright::issue
