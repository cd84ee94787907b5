#include "certwright/served/watch.h"

#include <gmock/gmock.h>

#include <map>

#include "../store/store_fixture.h"
#include "certwright/store/served.h"
#include "certwright/store/uploads.h"

namespace certwright::served {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FakeClock : public Clock {
 public:
  UnixSeconds Now() const override { return now; }
  Steady SteadyNow() const override { return SystemClock().SteadyNow(); }
  bool Sleep(Millis, std::stop_token) override { return true; }
  UnixSeconds now = 2'000;
};

constexpr std::int64_t kGrace = 300;
constexpr std::int64_t kDay = 86400;

class WatchTest : public store::StoreTest {
 protected:
  WatchTest() : feed_(database(), clock_) {}

  // An endpoint that shows what `shown_` has for it; nothing there: nobody answers.
  void Has(const std::string& endpoint, const std::string& name, bool any_current = false) {
    spots_.push_back({endpoint, name, any_current, [this, endpoint, name](std::stop_token) {
                        ++looks_;
                        const auto shown = shown_.find(endpoint + " " + name);  // from eight threads
                        if (shown == shown_.end()) {
                          throw Error(FailureCode::kNetwork, "nobody answers");
                        }
                        return probe::ShownLeaf{shown->second, "f" + shown->second};
                      }});
  }
  Watch Make() {
    return Watch([this](std::stop_token) { return spots_; }, database(), feed_, clock_,
                 {kGrace, kDay});
  }

  std::vector<store::ServedState> States() { return database().Read(store::ListServed); }
  store::ServedState State() { return States().at(0); }
  // "name reason: names" of each event, from the last call on.
  std::vector<std::string> News() {
    std::vector<std::string> news;
    for (const model::Event& event : database().Read([&](store::Session& session) {
           return store::ListEvents(session, told_, 100);
         })) {
      std::string names;
      for (const std::string& name : event.names) names += " " + name;
      news.push_back(event.name + " " + event.reason + ":" + names);
      last_ = event;
      told_ = event.seq;
    }
    return news;
  }

  FakeClock clock_;
  events::Feed feed_;
  std::vector<Spot> spots_;
  std::map<std::string, std::string> shown_;
  std::atomic<int> looks_ = 0;
  std::int64_t told_ = 0;
  model::Event last_;
};

TEST_F(WatchTest, TellsOnceThatSomethingElseIsShownAndOnceThatItIsWellAgain) {
  Hold({"a.example.org"}, "0a");
  Has("smtp://mx:25", "a.example.org");
  shown_["smtp://mx:25 a.example.org"] = "0a";
  Watch watch = Make();
  EXPECT_EQ(watch.LookAtDue({}), clock_.now + kDay);
  EXPECT_EQ(State().state, "served");
  EXPECT_EQ(State().since, clock_.now);

  Hold({"a.example.org"}, "0b");
  watch.Changed({"a.example.org"});
  const UnixSeconds soon = watch.LookAtDue({});
  EXPECT_EQ(soon, clock_.now + 10);
  EXPECT_EQ(looks_, 1);
  clock_.now = soon;
  EXPECT_EQ(watch.LookAtDue({}), soon + kGrace);
  EXPECT_EQ(State().state, "served");  // not yet
  EXPECT_EQ(State().wrong_since, soon);
  EXPECT_THAT(State().problem, HasSubstr("serial 0a, and 0b is held"));
  EXPECT_THAT(News(), ElementsAre());

  clock_.now = soon + kGrace;
  watch.LookAtDue({});
  EXPECT_EQ(State().state, "other");
  EXPECT_EQ(State().seen, "0a");
  EXPECT_EQ(State().wanted, "0b");
  EXPECT_THAT(News(), ElementsAre("certificate-not-served other: a.example.org"));
  ASSERT_TRUE(last_.failure);
  EXPECT_THAT(last_.failure->detail, HasSubstr("smtp://mx:25, asked for a.example.org: shows"));
  EXPECT_EQ(last_.not_after, 9000);
  for (int look = 0; look < 5; ++look) clock_.now = watch.LookAtDue({});
  EXPECT_GT(looks_, 6);
  EXPECT_THAT(News(), ElementsAre());

  shown_["smtp://mx:25 a.example.org"] = "0b";
  clock_.now = watch.LookAtDue({});
  watch.LookAtDue({});
  EXPECT_EQ(State().state, "served");
  EXPECT_EQ(State().problem, "");
  EXPECT_THAT(News(), ElementsAre("certificate-served again: a.example.org"));
  clock_.now += kDay;
  watch.LookAtDue({});
  EXPECT_THAT(News(), ElementsAre());
}

TEST_F(WatchTest, TellsNothingOfWhatIsLoadedInTime) {
  Hold({"a.example.org"}, "0a");
  Has("tls://x:443", "a.example.org");
  Watch watch = Make();
  const UnixSeconds again = watch.LookAtDue({});  // nobody answers
  EXPECT_EQ(again, clock_.now + kGrace);
  EXPECT_EQ(State().state, "unknown");
  shown_["tls://x:443 a.example.org"] = "0a";
  clock_.now = again;
  watch.LookAtDue({});
  EXPECT_EQ(State().state, "served");
  EXPECT_THAT(News(), ElementsAre());
}

TEST_F(WatchTest, TellsOfWhatNobodyAnswersForByEndpoint) {
  Hold({"a.example.org"}, "0a");
  Hold({"b.example.org"}, "0b");
  Hold({"c.example.org"}, "0c");
  Has("traefik", "a.example.org", true);
  Has("traefik", "b.example.org", true);
  Has("tls://x:443", "c.example.org");
  Watch watch = Make();
  clock_.now = watch.LookAtDue({});
  watch.LookAtDue({});
  EXPECT_THAT(News(), ElementsAre("certificate-not-served unreachable: c.example.org",
                                  "certificate-not-served unreachable: a.example.org b.example.org"));
  EXPECT_EQ(last_.failure->code, FailureCode::kTraefik);
  EXPECT_THAT(last_.failure->identifiers, ElementsAre("a.example.org", "b.example.org"));
}

TEST_F(WatchTest, DoesNotAskWhoIsSilentForEachOfManyNames) {
  constexpr int kMany = 200;
  for (int i = 0; i < kMany; ++i) {
    const std::string name = "n" + std::to_string(i) + ".example.org";
    Hold({name}, "0a" + std::to_string(1000 + i));
    Has("traefik", name, true);
  }
  Watch watch = Make();
  watch.LookAtDue({});
  EXPECT_LT(looks_, 100);
  EXPECT_EQ(States().size(), std::size_t{kMany});
  for (const auto& state : States()) EXPECT_EQ(state.problem, "nobody answers") << state.name;
  looks_ = 0;
  clock_.now += kGrace;
  shown_["traefik n0.example.org"] = "0a1000";  // it answers again, if not for all
  watch.LookAtDue({});
  EXPECT_EQ(looks_, kMany);
}

TEST_F(WatchTest, TakesAnyCurrentCertificateWhereTheEndpointChooses) {
  Hold({"a.example.org"}, "0a");
  Hold({"*.example.org"}, "0b");
  Has("traefik", "a.example.org", true);
  Has("tls://x:443", "a.example.org");
  shown_["traefik a.example.org"] = "0a";
  shown_["tls://x:443 a.example.org"] = "0a";  // get-certificate gives the wildcard's
  Watch watch = Make();
  watch.LookAtDue({});
  ASSERT_EQ(States().size(), 2U);
  EXPECT_EQ(States()[0].endpoint, "tls://x:443");
  EXPECT_THAT(States()[0].problem, HasSubstr("0b is held"));
  EXPECT_EQ(States()[1].state, "served");
}

TEST_F(WatchTest, LooksOnlyAtWhatAChangeConcerns) {
  Hold({"a.example.org"}, "0a");
  Hold({"b.example.org"}, "0b");
  for (const char* name : {"a.example.org", "b.example.org"}) Has("tls://x:443", name);
  shown_["tls://x:443 a.example.org"] = "0a";
  shown_["tls://x:443 b.example.org"] = "0b";
  Watch watch = Make();
  watch.LookAtDue({});
  EXPECT_EQ(looks_, 2);
  watch.Changed({"c.example.org"});
  clock_.now += 20;
  watch.LookAtDue({});
  EXPECT_EQ(looks_, 2);
  watch.Changed({"*.example.org"});
  clock_.now = watch.LookAtDue({});
  watch.LookAtDue({});
  EXPECT_EQ(looks_, 4);
  watch.LookAtAll({});
  EXPECT_EQ(looks_, 6);
}

TEST_F(WatchTest, ForgetsWhatIsNotHeldOrNotLookedAtAnyMore) {
  const auto certificate = Hold({"a.example.org"}, "0a");
  Hold({"b.example.org"}, "0b");
  for (const char* name : {"a.example.org", "b.example.org"}) Has("tls://x:443", name);
  Watch watch = Make();
  watch.LookAtDue({});
  EXPECT_EQ(States().size(), 2U);
  database().Write([&](store::Session& session) {
    store::DeleteCertificate(session, certificate.id);
  });
  clock_.now += kGrace;
  watch.LookAtDue({});
  ASSERT_EQ(States().size(), 1U);
  EXPECT_EQ(State().name, "b.example.org");
  spots_.clear();
  watch.LookAtAll({});
  EXPECT_TRUE(States().empty());
}

TEST_F(WatchTest, KeepsItsStateOverARestart) {
  Hold({"a.example.org"}, "0a");
  Has("tls://x:443", "a.example.org");
  {
    Watch watch = Make();
    clock_.now = watch.LookAtDue({});
    watch.LookAtDue({});
  }
  EXPECT_EQ(News().size(), 1U);
  Watch watch = Make();
  watch.LookAtDue({});
  EXPECT_TRUE(News().empty());
  EXPECT_EQ(State().state, "unreachable");
}

TEST_F(WatchTest, IsNotLedAstrayByAClockThatJumped) {
  Hold({"a.example.org"}, "0a", 900'000'000);
  Has("tls://x:443", "a.example.org");
  Watch watch = Make();
  clock_.now = 800'000'000;
  watch.LookAtDue({});
  EXPECT_EQ(State().wrong_since, 800'000'000);
  clock_.now = 3'000;
  EXPECT_EQ(watch.LookAtDue({}), 3'000 + kGrace);
  EXPECT_EQ(State().wrong_since, 3'000);
}

TEST_F(WatchTest, LooksByItselfAfterAChange) {
  Hold({"a.example.org"}, "0a");
  Has("tls://x:443", "a.example.org");
  Watch watch([this](std::stop_token) { return spots_; }, database(), feed_, SystemClock(),
              {1, kDay});
  shown_["tls://x:443 a.example.org"] = "0a";
  watch.Start();
  const Steady end = SystemClock().SteadyNow() + Millis(10'000);
  while (looks_ == 0 && SystemClock().SteadyNow() < end) SystemClock().Sleep(Millis(10), {});
  EXPECT_EQ(looks_, 1);
  watch.Changed({"a.example.org"});
  while (looks_ == 1 && SystemClock().SteadyNow() < end) SystemClock().Sleep(Millis(10), {});
  EXPECT_EQ(looks_, 2);
}

}  // namespace
}  // namespace certwright::served
