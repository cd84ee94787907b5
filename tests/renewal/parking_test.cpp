// What fails again and again, what a look from outside says of it, and the warnings about expiry.
#include "certwright/store/certificates.h"
#include "scheduler_fixture.h"

namespace certwright::issue {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class ParkingTest : public SchedulerTest {
 protected:
  void SetUp() override {
    preflight_ = [this](const std::vector<model::Identifier>&, std::stop_token) {
      ++looks_;
      return renewal::Preflight{way_, "what was seen"};
    };
    Begin();
  }
  // As the daemon would: from one due time to the next.
  void Live(UnixSeconds seconds) {
    const UnixSeconds until = clock_.Now() + seconds;
    while (clock_.Now() < until) {
      Tick();
      const UnixSeconds next = Read(store::NextActionOfAll);
      Pass(std::min(next > 0 ? std::max(next, clock_.Now() + 1) : until, until) - clock_.Now());
    }
  }
  void NotReached() {
    Answers("newOrder", ProblemAnswer(403, "connection", "connection refused"));
  }
  const model::ManagedCertificate Certificate() { return Held("a.example.org").certificate; }
  std::size_t Asked() { return ca_.Of("newOrder").size(); }
  std::vector<std::string> Told(const std::string& name) {
    std::vector<std::string> reasons;
    for (const model::Event& event : Events()) {
      if (event.name == name) reasons.push_back(event.reason);
    }
    return reasons;
  }
  // As if it had failed so often, at this very moment.
  void Park(int failures) {
    End();
    Meddle("UPDATE certificate SET failures = " + std::to_string(failures));
    Begin();
  }
  // A certificate that was uploaded, or is of the CA.
  void Give(model::Origin origin, UnixSeconds not_before, UnixSeconds not_after) {
    Obtain({"a.example.org"});
    process_->database->Write([&](store::Session& session) {
      model::CertificateVersion version = *store::FindByNameSet(session, "a.example.org")->current;
      version.origin = origin;
      version.not_before = not_before;
      version.not_after = not_after;
      version.expiry_told = 0;
      store::AddCurrentVersion(session, version, clock_.Now(), clock_.Now());
    });
  }

  std::optional<bool> way_ = true;
  int looks_ = 0;
};

TEST_F(ParkingTest, DoesNotBurnTheFuseWhileTheWayIsBad) {
  way_ = false;
  NotReached();
  Fails({"a.example.org"});
  Live(2 * 3600);
  EXPECT_EQ(Asked(), 1u) << "no order while the look is bad";
  EXPECT_GE(looks_, 7) << "but it was looked at";
  EXPECT_EQ(Certificate().failures, 1);
  EXPECT_EQ(Certificate().preflight_good, false);
  EXPECT_EQ(Certificate().preflight_saw, "what was seen");
  ca_.before = nullptr;
  way_ = true;
  Live(3700);
  EXPECT_EQ(ca_.Orders(), 1u);
  EXPECT_EQ(Certificate().failures, 0);
  EXPECT_EQ(Certificate().preflight_good, std::nullopt);
  EXPECT_EQ(Certificate().preflight_at, 0);
}

TEST_F(ParkingTest, OrdersOnceADayWhereTheWayLooksGoodAndTheCaStillRefuses) {
  for (const std::optional<bool> way : {std::optional(true), std::optional<bool>()}) {
    End();
    SetUpAgain();
    ca_.Forget();
    Begin();
    way_ = way;
    NotReached();
    Fails({"a.example.org"});
    Live(600);
    EXPECT_EQ(Asked(), 2u) << "what passed by itself passes in a minute";
    Live(23 * 3600);
    EXPECT_EQ(Asked(), 2u);
    Live(5 * 3600);
    EXPECT_EQ(Asked(), 3u);
  }
}

// A router that does not lead back from inside: every look is bad, and the CA would say yes.
TEST_F(ParkingTest, OrdersSometimesAlsoWhereEveryLookIsBad) {
  way_ = false;
  NotReached();
  Fails({"a.example.org"});
  ca_.before = nullptr;
  Live(2 * kDay + 3600);
  EXPECT_EQ(Certificate().failures, 0);
}

TEST_F(ParkingTest, TriesAtOnceWhenTheWayToAParkedOneTurnsGood) {
  Cut("newOrder");
  Fails({"a.example.org"});
  Park(10);
  ca_.before = nullptr;
  way_ = false;
  Live(3 * 3600);
  EXPECT_EQ(ca_.Orders(), 0u);
  way_ = true;
  Live(3700);
  EXPECT_EQ(Certificate().failures, 0);
}

TEST_F(ParkingTest, LeavesAParkedOneAtItsPaceWhereTheWayIsAlwaysGood) {
  Cut("newOrder");
  Fails({"a.example.org"});
  Park(10);
  const std::size_t before = Asked();
  Live(20 * 3600);
  EXPECT_GE(looks_, 19);
  EXPECT_LE(looks_, 30);
  EXPECT_EQ(Asked(), before);
}

TEST_F(ParkingTest, TurnsAgainWhereTheProcessDiedBeforeTheOrder) {
  way_ = false;
  NotReached();
  Fails({"a.example.org"});
  Live(3 * 3600);
  way_ = true;
  std::stop_source stop;
  ca_.before = [&](const Seen&) -> std::optional<http::Response> {
    stop.request_stop();
    throw Error(FailureCode::kCancelled, "dead");
  };
  Pass(3700);
  Tick({}, stop.get_token());
  EXPECT_EQ(Certificate().preflight_good, false) << "not written down yet";
  ca_.before = nullptr;
  StartAgain();
  Tick();
  EXPECT_EQ(Certificate().failures, 0);
}

TEST_F(ParkingTest, APersonAlwaysTries) {
  way_ = false;
  NotReached();
  Fails({"a.example.org"});
  Park(15);
  ca_.before = nullptr;
  Wanted wanted;
  wanted.certificates = {Certificate().id};
  EXPECT_EQ(TickOne(wanted).result, Result::kRenewed);
  EXPECT_EQ(looks_, 0);
}

TEST_F(ParkingTest, TellsTheFirstFailureAndTheOneThatParks) {
  const auto after = renewal::MakeNextTry(clock_, SystemRandom());
  std::vector<std::string> told;
  for (int failures = 1; failures <= 40; ++failures) {
    const AfterFailure next = after(NetworkFailure(), failures);
    told.push_back(next.told);
    EXPECT_GE(next.try_at, clock_.Now() + 60);
    EXPECT_LE(next.look_at, next.try_at) << "soon: what else it waits for is planned then";
  }
  EXPECT_EQ(told.front(), "failed");
  EXPECT_EQ(told[9], "parked");
  EXPECT_EQ(std::count(told.begin(), told.end(), ""), 38);
}

TEST_F(ParkingTest, WarnsOfAnUploadedOneThreeTimes) {
  Give(model::Origin::kUpload, kNow, kNow + 90 * kDay);
  int ticks = 0;
  for (int hours = 0; hours < 24 * 100; hours += 6, Pass(6 * 3600)) ticks += Tick().empty() ? 0 : 1;
  EXPECT_THAT(Told("certificate-expiring"), ElementsAre("third", "tenth", "days"));
  EXPECT_EQ(ticks, 4) << "only when there is something to tell";
  EXPECT_EQ(Events().back().not_after, kNow + 90 * kDay);
  EXPECT_FALSE(Events().back().failure);
}

TEST_F(ParkingTest, WarnsOfOneThatCannotBeRenewedAndNotOfOneThatIs) {
  Obtain({"a.example.org"});
  for (int hours = 0; hours < 24 * 70; hours += 6, PassAndIssueFrom(6 * 3600)) Tick();
  EXPECT_EQ(ca_.Orders(), 2u);
  EXPECT_THAT(Told("certificate-expiring"), IsEmpty()) << "a renewal makes no noise";
  const UnixSeconds end = Held("a.example.org").current->not_after;
  Cut("newOrder");
  Live(95 * kDay);
  EXPECT_THAT(Told("certificate-expiring"), ElementsAre("third", "tenth", "days"));
  const model::Event last = Events().back();
  EXPECT_EQ(last.not_after, end);
  EXPECT_EQ(last.failure->code, FailureCode::kNetwork);
}

TEST_F(ParkingTest, WarnsOnceThoughTheProcessIsStartedAgain) {
  Give(model::Origin::kUpload, kNow - 80 * kDay, kNow + 10 * kDay - 5);
  Tick();
  StartAgain();
  Wanted wanted;
  wanted.certificates = {Certificate().id};
  Tick(wanted);
  EXPECT_THAT(Told("certificate-expiring"), ElementsAre("third"));
}

}  // namespace
}  // namespace certwright::issue
