#include <stdlib.h>

#include <thread>

#include "certwright/base/text.h"
#include "keeper_fixture.h"

namespace certwright::exports {
namespace {

using store::FailureOf;
using store::Slurp;
using ::testing::HasSubstr;

class Reload : public KeeperTest {
 protected:
  std::vector<store::Acknowledgement> Acknowledged() {
    return database().Read(store::ListAcknowledgements);
  }
};

TEST_F(Reload, IsRunWithoutAShellWhenTheFilesAreThere) {
  const auto version = Issue({"a.example.org"});
  ReloadBy("echo \"$1|$2|$CERTWRIGHT_EXPORT\" >> $OUT; cat '" +
           (target_.dir / "fullchain.pem").string() + "' >> $OUT");
  Keep();
  EXPECT_EQ(Slurp(out()), "now|$HOME *|mail\n" + version.chain_pem);
  EXPECT_EQ(State().reloaded_at, clock_.now);
  EXPECT_FALSE(State().reload_due);
}

TEST_F(Reload, AcknowledgesWhatIsLoaded) {
  const auto version = Issue({"a.example.org"});
  ReloadBy("exit 0");
  Keep();
  ASSERT_EQ(Acknowledged().size(), 1U);
  EXPECT_EQ(Acknowledged()[0].consumer, "export:mail");
  EXPECT_EQ(Acknowledged()[0].name, "a.example.org");
  EXPECT_EQ(Acknowledged()[0].serial, version.serial_hex);
}

TEST_F(Reload, AcknowledgesNothingWithoutAProgram) {
  Issue({"a.example.org"});
  Keep();
  EXPECT_TRUE(Acknowledged().empty());
  EXPECT_EQ(Look().Word(), "in-step");
}

TEST_F(Reload, IsRunAgainUntilItEndsWellAndIsShownMeanwhile) {
  Issue({"a.example.org"});
  ReloadBy("echo run >> $OUT; echo 'it is\x1b[31m broken' >&2; exit 3");
  for (int times = 1; times <= 2; ++times) {
    clock_.now += 10;
    const Failure failure = FailureOf([&] { Keep(); });
    EXPECT_THAT(failure.detail, HasSubstr("the reload of the export mail"));
    EXPECT_THAT(failure.detail, HasSubstr("exit code 3: it is?[31m broken"));
    EXPECT_EQ(State().failures, times);
    EXPECT_EQ(State().failed_at, clock_.now);
  }
  EXPECT_EQ(Look().Word(), "failed");
  EXPECT_EQ(Look().Detail(), State().failure->detail);
  EXPECT_TRUE(Acknowledged().empty());
  EXPECT_EQ(Slurp(out()), "run\nrun\n");
  ReloadBy("echo good >> $OUT");
  Keep();
  Keep();
  EXPECT_EQ(Slurp(out()), "run\nrun\ngood\n");
  EXPECT_EQ(Look().Word(), "in-step");
  EXPECT_EQ(Acknowledged().size(), 1U);
}

TEST_F(Reload, IsEndedAfterItsTime) {
  Issue({"a.example.org"});
  ReloadBy("sleep 100");
  target_.reload_timeout = Millis(50);
  EXPECT_THAT(FailureOf([&] { Keep(); }).detail, HasSubstr("ended after 0.05 s"));
  EXPECT_TRUE(State().reload_due);
}

TEST_F(Reload, ThatIsStoppedIsNoFailure) {
  Issue({"a.example.org"});
  ReloadBy("sleep 100");
  std::stop_source source;
  std::jthread stopper([&] {
    SystemClock().Sleep(Millis(50), {});
    source.request_stop();
  });
  EXPECT_EQ(FailureOf([&] { Keep(source.get_token()); }).code, FailureCode::kCancelled);
  EXPECT_EQ(State().failures, 0);
  EXPECT_TRUE(State().reload_due);
  EXPECT_EQ(Look().Word(), "reload-due");
}

TEST_F(Reload, SaysWhenThereIsNoSuchProgram) {
  Issue({"a.example.org"});
  target_.reload = {"/no/such/program"};
  EXPECT_THAT(FailureOf([&] { Keep(); }).detail, HasSubstr("/no/such/program"));
  target_.reload = {"no-such-program-on-path"};
  EXPECT_THAT(FailureOf([&] { Keep(); }).detail, HasSubstr("no-such-program-on-path"));
  target_.reload = {"true"};  // is looked for on PATH
  Keep();
  EXPECT_EQ(Look().Word(), "in-step");
}

TEST_F(Reload, IsForgottenWhereItIsConfiguredNoMore) {
  Issue({"a.example.org"});
  ReloadBy("exit 1");
  EXPECT_THROW(Keep(), Error);
  target_.reload.clear();
  Keep();
  EXPECT_EQ(Look().Word(), "in-step");
}

// kill -9 between the switch and the reload.
TEST_F(Reload, IsRunByTheNextProcessWhereTheFirstWasKilled) {
  const auto version = Issue({"a.example.org"});
  ReloadBy("echo run >> $OUT");
  Close();
  EXPECT_EQ(store::InChild([&] {
    ::setenv("CERTWRIGHT_TEST_EXIT_BEFORE_RELOAD", "1", 1);
    Keep();
    return 0;
  }), 99);
  EXPECT_EQ(Slurp(target_.dir / "fullchain.pem"), version.chain_pem);
  EXPECT_FALSE(std::filesystem::exists(out()));
  EXPECT_EQ(Look().Word(), "reload-due");
  Keep();
  EXPECT_EQ(Slurp(out()), "run\n");
  Keep();
  EXPECT_EQ(Slurp(out()), "run\n");
}

TEST_F(Reload, OfWhatIsConfiguredNoMoreLeavesNothingBehind) {
  Issue({"a.example.org"});
  ReloadBy("exit 0");
  Keep();
  database().Write([](store::Session& session) {
    store::SaveAcknowledgement(session, {"mail1", "a.example.org", "0a", 1});
    store::KeepExports(session, {"other"});
  });
  EXPECT_EQ(State().name, "");
  ASSERT_EQ(Acknowledged().size(), 1U);
  EXPECT_EQ(Acknowledged()[0].consumer, "mail1");
}

}  // namespace
}  // namespace certwright::exports
