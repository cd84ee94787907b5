#include "certwright/store/revocations.h"
#include "scheduler_fixture.h"

namespace certwright::issue {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(SchedulerTest, RenewsWhatIsDueAndNothingElse) {
  Obtain({"a.example.org"});
  for (const Looked& looked : Tick()) EXPECT_EQ(looked.result, Result::kNotDue);
  EXPECT_THAT(Tick(), IsEmpty()) << "it is planned now";
  PassAndIssueFrom(58 * kDay);
  Obtain({"b.example.org"});
  Tick();
  PassAndIssueFrom(7 * kDay);
  for (const Looked& looked : Tick()) {
    const bool due = looked.name_set == "a.example.org";
    EXPECT_EQ(looked.result, due ? Result::kRenewed : Result::kNotDue) << looked.name_set;
    EXPECT_GT(looked.due.renew_at, clock_.Now() + 50 * kDay) << "planned anew";
  }
  EXPECT_EQ(ca_.Orders(), 3u);
  EXPECT_EQ(Events().back().reason, "renewed");
  EXPECT_THAT(Tick(), IsEmpty());
}

TEST_F(SchedulerTest, AsksForTheWindowKeepsItsInstantAndSaysWhatIsReplaced) {
  ca_.renewal_info = true;
  ca_.window_start = FormatUtc(kNow + 20 * kDay);
  ca_.window_end = FormatUtc(kNow + 22 * kDay);
  ca_.renewal_retry_after = "43200";
  Obtain({"a.example.org"});
  const std::string ari_id = Held("a.example.org").current->ari_id;
  Looked looked = TickOne();
  EXPECT_EQ(looked.due.reason, Reason::kWindow);
  EXPECT_EQ(looked.due.look_at, kNow + 12 * 3600);
  const UnixSeconds chosen = looked.due.renew_at;
  EXPECT_GE(chosen, kNow + 20 * kDay);
  EXPECT_LT(chosen, kNow + 22 * kDay);
  StartAgain();
  for (int half_days = 1; half_days <= 39; ++half_days) {
    Pass(12 * 3600);
    EXPECT_EQ(TickOne().due.renew_at, chosen);
  }
  EXPECT_EQ(ca_.Count("renewalInfo"), 40);
  PassAndIssueFrom(chosen - clock_.Now());
  EXPECT_EQ(TickOne().result, Result::kRenewed);
  EXPECT_EQ(ca_.Of("newOrder").back().payload.String("replaces"), ari_id);
}

TEST_F(SchedulerTest, HoldsTheBackstopWhereTheCaDoesNotSayItsWindow) {
  ca_.renewal_info = true;
  Answers("renewalInfo", ProblemAnswer(500, "serverInternal", "no"));
  Obtain({"a.example.org"});
  const Looked looked = TickOne();
  EXPECT_EQ(looked.due.reason, Reason::kBackstop);
  EXPECT_EQ(looked.due.look_at, kNow + 6 * 3600) << "asked again";
}

TEST_F(SchedulerTest, TriesWhatFailedAgainByTheLadder) {
  Cut("newOrder");
  EXPECT_EQ(Fails({"a.example.org"}).code, FailureCode::kNetwork);
  EXPECT_THAT(Tick(), IsEmpty()) << "the next try is a minute away";
  Pass(70);
  const Looked failed = TickOne();
  EXPECT_EQ(failed.result, Result::kFailed);
  EXPECT_EQ(failed.failure->code, FailureCode::kNetwork);
  EXPECT_EQ(failed.due.reason, Reason::kRetry);
  EXPECT_THAT(Tick(), IsEmpty());
  ca_.before = nullptr;
  Pass(3600);
  EXPECT_EQ(TickOne().result, Result::kRenewed);
  EXPECT_EQ(ca_.Orders(), 1u) << "the same order went on";
  EXPECT_EQ(Held("a.example.org").certificate.failures, 0);
}

TEST_F(SchedulerTest, RenewsAnExpiredOneAtOnceAndAsksNothingOfIt) {
  ca_.renewal_info = true;
  Obtain({"a.example.org"});
  PassAndIssueFrom(100 * kDay);
  EXPECT_EQ(TickOne().result, Result::kRenewed);
  for (const Seen& seen : ca_.Of("renewalInfo")) {
    EXPECT_TRUE(seen.request.url.ends_with(Held("a.example.org").current->ari_id));
  }
}

TEST_F(SchedulerTest, CarriesOnTheRenewalThatADeadProcessBegan) {
  Obtain({"a.example.org"});
  PassAndIssueFrom(70 * kDay);
  std::stop_source stop;
  ca_.before = [&](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind != "finalize") return std::nullopt;
    stop.request_stop();
    throw Error(FailureCode::kCancelled, "dead");
  };
  Tick({}, stop.get_token());
  ca_.before = nullptr;
  StartAgain();
  EXPECT_EQ(TickOne().result, Result::kRenewed);
  EXPECT_EQ(ca_.Orders(), 2u);
}

// Nothing is due: it was forced, and the process that was to do it is dead.
TEST_F(SchedulerTest, CarriesOnAForcedRenewalThatADeadProcessBegan) {
  Wanted forced;
  forced.certificates = {Obtain({"a.example.org"}).held.certificate.id};
  forced.force = true;
  Tick();
  std::stop_source stop;
  ca_.before = [&](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind != "finalize") return std::nullopt;
    stop.request_stop();
    throw Error(FailureCode::kCancelled, "dead");
  };
  Tick(forced, stop.get_token());
  ca_.before = nullptr;
  StartAgain();
  EXPECT_EQ(TickOne().result, Result::kRenewed);
  EXPECT_EQ(ca_.Orders(), 2u);
  Pass(120);
  EXPECT_THAT(Tick(), IsEmpty()) << "once";
}

TEST_F(SchedulerTest, CarriesOnAForcedRenewalAtTheTimeThatItsFailureTells) {
  Wanted forced;
  forced.certificates = {Obtain({"a.example.org"}).held.certificate.id};
  forced.force = true;
  Tick();
  Cut("finalize");
  const Looked failed = TickOne(forced);
  ASSERT_EQ(failed.result, Result::kFailed);
  ca_.before = nullptr;
  EXPECT_THAT(Tick(), IsEmpty());
  Pass(failed.failure->retry_at - clock_.Now() + 1);
  EXPECT_EQ(TickOne().result, Result::kRenewed);
  EXPECT_EQ(ca_.Orders(), 2u) << "the same order went on";
}

// The process dies in the middle of an order that somebody asked for.
class LeftOpenTest : public SchedulerTest {
 protected:
  void DieIn(const std::string& kind, ObtainRequest request) {
    std::stop_source stop;
    ca_.before = [&](const Seen& seen) -> std::optional<http::Response> {
      if (seen.kind != kind) return std::nullopt;
      stop.request_stop();
      throw Error(FailureCode::kCancelled, "dead");
    };
    Fails(request, stop.get_token());
    ca_.before = nullptr;
    StartAgain();
    Pass(60);
  }
};

TEST_F(LeftOpenTest, DoesNotWaitForTheNextTryOfAnOlderFailure) {
  Answers("newOrder", ProblemAnswer(400, "rejectedIdentifier", "no"));
  Fails({"a.example.org"});
  Pass(60);
  ObtainRequest request = Wish({"a.example.org"});
  request.force = true;
  DieIn("finalize", request);
  EXPECT_EQ(TickOne().result, Result::kRenewed);
  EXPECT_EQ(ca_.Orders(), 1u);
}

TEST_F(LeftOpenTest, IsNotCarriedOnForWhatIsToBeRevoked) {
  const auto held = Obtain({"a.example.org"}).held;
  Tick();
  ObtainRequest request = Wish({"a.example.org"});
  request.renew = true;
  DieIn("finalize", request);
  process_->database->Write([&](store::Session& session) {
    store::WantRevoked(session, held.current->id, {"keyCompromise", false, false});
    store::SetNextAction(session, held.certificate.id, clock_.Now(), clock_.Now());
  });
  Tick();
  EXPECT_EQ(Held("a.example.org").current->id, held.current->id) << "it is to go, not to be renewed";
}

TEST_F(LeftOpenTest, IsNoReasonForAnOrderWhereItsCaIsNotAskedAnyMore) {
  Obtain({"a.example.org"});
  Tick();
  ObtainRequest request = Wish({"a.example.org"});
  request.renew = true;
  DieIn("finalize", request);
  End();
  FakeCa other;
  ChangeCa("https://other.test/directory", other);
  Begin();
  Tick();
  EXPECT_EQ(other.Count("newOrder"), 0) << "nothing is due";
}

// I4: a CA whose window is always over, or a planner that always says "now".
TEST_F(SchedulerTest, CannotFloodWhateverIsDue) {
  ca_.renewal_info = true;
  Obtain({"a.example.org"});
  for (int minute = 0; minute < 24 * 60; ++minute) {
    ca_.window_start = FormatUtc(clock_.Now() - 2 * kDay);
    ca_.window_end = FormatUtc(clock_.Now() - kDay);
    Tick();
    Pass(60);
  }
  EXPECT_EQ(ca_.Orders(), static_cast<std::size_t>(Fuse{}.orders_per_name_set));
  EXPECT_EQ(Held("a.example.org").certificate.last_error->code, FailureCode::kFuse);
}

TEST_F(SchedulerTest, OnlySaysInADryRun) {
  Obtain({"a.example.org"});
  const UnixSeconds planned = NextAction("a.example.org");
  Wanted wanted;
  wanted.dry_run = true;
  EXPECT_EQ(TickOne(wanted).result, Result::kNotDue);
  PassAndIssueFrom(70 * kDay);
  EXPECT_EQ(TickOne(wanted).result, Result::kWouldRenew);
  EXPECT_EQ(ca_.Orders(), 1u);
  EXPECT_EQ(NextAction("a.example.org"), planned);
}

TEST_F(SchedulerTest, RenewsTheNamedOneByForceAlone) {
  const std::int64_t a = Obtain({"a.example.org"}).held.certificate.id;
  Obtain({"b.example.org"});
  Wanted wanted;
  wanted.certificates = {a};
  EXPECT_EQ(TickOne(wanted).result, Result::kNotDue);
  wanted.force = true;
  EXPECT_EQ(TickOne(wanted).result, Result::kRenewed);
  EXPECT_EQ(ca_.Orders(), 3u);
}

TEST_F(SchedulerTest, LooksAtNothingThatIsGone) {
  Wanted wanted;
  wanted.certificates = {4711};
  EXPECT_THAT(Tick(wanted), IsEmpty());
}

TEST_F(SchedulerTest, WorksByItselfOnceStarted) {
  scheduler_->Start();
  Obtain({"a.example.org"});
  for (int i = 0; i < 500 && NextAction("a.example.org") <= kNow + kDay; ++i) {
    std::this_thread::sleep_for(Millis(10));
  }
  EXPECT_GT(NextAction("a.example.org"), kNow + kDay) << "planned";
}

}  // namespace
}  // namespace certwright::issue
