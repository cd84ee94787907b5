#include "certwright/events/feed.h"

#include <atomic>
#include <stdexcept>
#include <thread>

#include "../store/store_fixture.h"
#include "certwright/base/sync.h"
#include "certwright/json/value.h"
#include "payload_json.h"

namespace certwright::events {
namespace {

using store::InChild;
using store::Session;

// Pauses pass at once and are written down.
class QuickClock : public Clock {
 public:
  UnixSeconds Now() const override { return 1000; }
  Steady SteadyNow() const override { return {}; }
  bool Sleep(Millis duration, std::stop_token stop) override {
    pauses.Acquire()->push_back(static_cast<int>(duration.count()));
    std::this_thread::sleep_for(Millis(1));
    return !stop.stop_requested();
  }
  Sync<std::vector<int>> pauses;
};

// A clock whose pauses last until they are ended.
class PatientClock : public QuickClock {
 public:
  bool Sleep(Millis duration, std::stop_token stop) override {
    pauses.Acquire()->push_back(static_cast<int>(duration.count()));
    SystemClock().Sleep(std::chrono::minutes(1), stop);
    return !stop.stop_requested();
  }
};

// What a subscriber was told: numbers of one call divided by blanks, calls by "|".
struct Told {
  Sync<std::string> text;
  std::atomic<int> calls{0};
  std::atomic<int> failures_left{0};
  std::string Text() { return *text.Acquire(); }
};

class Recorder : public Subscriber {
 public:
  Recorder(std::string name, std::shared_ptr<Told> told, int batch = 1, bool catches_up = false)
      : name_(std::move(name)), told_(std::move(told)), batch_(batch), catches_up_(catches_up) {}
  std::string name() const override { return name_; }
  int batch() const override { return batch_; }
  bool catches_up() const override { return catches_up_; }
  void Deliver(std::span<const model::Event> events, std::stop_token) override {
    ++told_->calls;
    std::string call;
    for (const auto& event : events) call += " " + std::to_string(event.seq);
    if (told_->failures_left > 0) {
      --told_->failures_left;
      *told_->text.Acquire() += call + "!";
      throw std::runtime_error("not now");
    }
    *told_->text.Acquire() += call + "|";
  }

 private:
  std::string name_;
  std::shared_ptr<Told> told_;
  int batch_;
  bool catches_up_;
};

// As handlers of other programs are: of one kind, in the order of their names.
class Program : public Recorder {
 public:
  Program(std::string name, std::string kind, std::shared_ptr<Told> told,
          std::function<void()> work = nullptr)
      : Recorder(std::move(name), std::move(told)), kind_(std::move(kind)),
        work_(std::move(work)) {}
  store::Kinds kinds() const override { return {kind_}; }
  bool in_name_order() const override { return true; }
  bool replays() const override { return true; }
  std::string heir_of() const override { return "former"; }
  void Deliver(std::span<const model::Event> events, std::stop_token stop) override {
    if (work_) work_();
    Recorder::Deliver(events, stop);
  }

 private:
  std::string kind_;
  std::function<void()> work_;
};

class FeedTest : public store::StoreTest {
 protected:
  void Append(int count, const std::string& kind = "certificate-changed") {
    database().Write([&](Session& session) {
      for (int i = 0; i < count; ++i) {
        store::AppendEvent(session, {0, kind, "issued", {"a.example.org"}, 1, 0, {}, 1});
      }
    });
  }
  std::int64_t Position(const std::string& name) {
    return database()
        .Read([&](Session& session) { return store::FindPosition(session, name); })
        .value_or(-1);
  }
  static std::shared_ptr<Told> NewTold() { return std::make_shared<Told>(); }

  QuickClock clock_;
};

constexpr Millis kPatience{5'000};

TEST_F(FeedTest, TellsEachEventInOrderAndRemembersIt) {
  auto told = NewTold();
  Append(2);
  {
    Feed feed(database(), clock_);
    feed.Subscribe(std::make_unique<Recorder>("one", told), true);
    feed.Start();
    EXPECT_TRUE(feed.WaitPassed("one", 2, kPatience, {}));
    Append(2);
    feed.Notify();
    EXPECT_TRUE(feed.WaitPassed("one", 4, kPatience, {}));
  }
  EXPECT_EQ(told->Text(), " 1| 2| 3| 4|");
  EXPECT_EQ(Position("one"), 4);
}

// Is to be called again after a millisecond of rest.
class Restless : public Recorder {
 public:
  using Recorder::Recorder;
  std::optional<Millis> longest_rest() const override { return Millis(1); }
};

TEST_F(FeedTest, CallsAgainWhoHasRestedLongEnough) {
  auto told = NewTold();
  Append(1);
  Feed feed(database(), clock_);
  feed.Subscribe(std::make_unique<Restless>("one", told), true);
  feed.Start();
  while (told->calls < 4) std::this_thread::sleep_for(Millis(1));
  EXPECT_TRUE(feed.WaitPassed("one", 1, kPatience, {}));
  feed.Stop();
  EXPECT_TRUE(told->Text().starts_with(" 1||||")) << told->Text();
}

TEST_F(FeedTest, ANewSubscriberStartsAfterTheLastEvent) {
  auto told = NewTold();
  Append(3);
  {
    Feed feed(database(), clock_);
    feed.Subscribe(std::make_unique<Recorder>("late", told));
    EXPECT_EQ(Position("late"), 3) << "saved before anything can come between";
  }
  Append(1);
  Feed feed(database(), clock_);
  feed.Subscribe(std::make_unique<Recorder>("late", told));
  EXPECT_TRUE(feed.DeliverPending({}).empty());
  EXPECT_EQ(told->Text(), " 4|");
}

TEST_F(FeedTest, TakesSeveralTogetherWhereTheSubscriberCan) {
  auto told = NewTold();
  Append(5);
  Feed feed(database(), clock_);
  feed.Subscribe(std::make_unique<Recorder>("renderer", told, 3), true);
  feed.DeliverPending({});
  EXPECT_EQ(told->Text(), " 1 2 3| 4 5|");
}

TEST_F(FeedTest, CatchesUpOnceBeforeAnythingElse) {
  auto told = NewTold();
  Append(1);
  Feed feed(database(), clock_);
  feed.Subscribe(std::make_unique<Recorder>("traefik", told, 10, true), true);
  feed.DeliverPending({});
  feed.DeliverPending({});
  EXPECT_EQ(told->Text(), "| 1|");
}

TEST_F(FeedTest, RepeatsAFailedCatchUpToo) {
  auto told = NewTold();
  told->failures_left = 1;
  Append(1);
  Feed feed(database(), clock_);
  feed.Subscribe(std::make_unique<Recorder>("traefik", told, 10, true), true);
  feed.Start();
  EXPECT_TRUE(feed.WaitPassed("traefik", 1, kPatience, {}));
  EXPECT_EQ(told->Text(), "!| 1|");
}

TEST_F(FeedTest, AFailingSubscriberIsToldAgainLaterAndHoldsNobodyUp) {
  auto bad = NewTold();
  auto good = NewTold();
  bad->failures_left = 8;
  Append(2);
  Feed feed(database(), clock_);
  feed.Subscribe(std::make_unique<Recorder>("bad", bad), true);
  feed.Subscribe(std::make_unique<Recorder>("good", good), true);
  feed.Start();
  EXPECT_TRUE(feed.WaitPassed("good", 2, kPatience, {}));
  EXPECT_EQ(good->Text(), " 1| 2|");
  EXPECT_TRUE(feed.WaitPassed("bad", 2, kPatience, {}));
  feed.Stop();
  EXPECT_EQ(bad->Text(), " 1! 1! 1! 1! 1! 1! 1! 1! 1| 2|");
  EXPECT_EQ(*clock_.pauses.Acquire(),
            (std::vector<int>{1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000}));
}

TEST_F(FeedTest, APermanentlyFailingSubscriberKeepsItsPlace) {
  auto bad = NewTold();
  auto good = NewTold();
  bad->failures_left = 1;
  Append(2);
  {
    Feed feed(database(), clock_);
    feed.Subscribe(std::make_unique<Recorder>("bad", bad), true);
    feed.Subscribe(std::make_unique<Recorder>("good", good), true);
    const auto failures = feed.DeliverPending({});
    ASSERT_EQ(failures.size(), 1u);
    EXPECT_EQ(failures[0], "bad: not now");
  }
  EXPECT_EQ(Position("bad"), 0);
  EXPECT_EQ(Position("good"), 2);
  Feed feed(database(), clock_);
  feed.Subscribe(std::make_unique<Recorder>("bad", bad), true);
  EXPECT_TRUE(feed.DeliverPending({}).empty());
  EXPECT_EQ(bad->Text(), " 1! 1| 2|");
}

// Ends the process in the middle of the delivery of event 2, as kill -9 would.
class Crasher : public Subscriber {
 public:
  std::string name() const override { return "one"; }
  void Deliver(std::span<const model::Event> events, std::stop_token) override {
    if (events[0].seq == 2) ::_exit(42);
  }
};

TEST_F(FeedTest, TellsAnEventAgainWhereTheProcessDiedBeforeItsPositionWasSaved) {
  Append(3);
  Close();
  EXPECT_EQ(InChild([&] {
              Feed feed(database(), clock_);
              feed.Subscribe(std::make_unique<Crasher>(), true);
              feed.DeliverPending({});
              return 1;
            }),
            42);
  auto told = NewTold();
  Feed feed(database(), clock_);
  feed.Subscribe(std::make_unique<Recorder>("one", told), true);
  feed.DeliverPending({});
  EXPECT_EQ(told->Text(), " 2| 3|");
}

TEST_F(FeedTest, TheTestHookEndsTheProcessBeforeTheFirstDelivery) {
  Append(1);
  Close();
  EXPECT_EQ(InChild([&] {
              ::setenv("CERTWRIGHT_TEST_EXIT_BEFORE_DELIVERY", "1", 1);
              Feed feed(database(), clock_);
              feed.Subscribe(std::make_unique<Crasher>(), true);
              feed.DeliverPending({});
              return 1;
            }),
            99);
  auto told = NewTold();
  Feed feed(database(), clock_);
  feed.Subscribe(std::make_unique<Recorder>("one", told), true);
  feed.DeliverPending({});
  EXPECT_EQ(told->Text(), " 1|");
}

TEST_F(FeedTest, WaitingEndsWithTheTimeTheStopOrAnUnknownName) {
  Feed feed(database(), clock_);
  feed.Subscribe(std::make_unique<Recorder>("one", NewTold()));
  feed.Start();
  EXPECT_TRUE(feed.WaitPassed("one", 0, Millis(0), {}));
  EXPECT_FALSE(feed.WaitPassed("one", 1, Millis(20), {}));
  EXPECT_FALSE(feed.WaitPassed("nobody", 0, kPatience, {}));
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(Millis(20));
    stop.request_stop();
  });
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(feed.WaitPassed("one", 1, kPatience, stop.get_token()));
  EXPECT_LT(std::chrono::steady_clock::now() - before, kPatience / 2);
}

TEST_F(FeedTest, LosesNoEventThatIsWrittenWhileItLooks) {
  auto told = NewTold();
  Feed feed(database(), clock_);
  feed.Subscribe(std::make_unique<Recorder>("one", told, 7), true);
  feed.Start();
  constexpr int kThreads = 4;
  constexpr int kEach = 50;
  {
    std::vector<std::jthread> writers;
    for (int t = 0; t < kThreads; ++t) {
      writers.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) {
          Append(1);
          feed.Notify();
        }
      });
    }
  }
  EXPECT_TRUE(feed.WaitPassed("one", kThreads * kEach, kPatience, {}));
  std::string all;
  for (const char c : told->Text()) {
    if (c != '|') all += c;
  }
  std::string expected;
  for (int i = 1; i <= kThreads * kEach; ++i) expected += " " + std::to_string(i);
  EXPECT_EQ(all, expected);
}

TEST_F(FeedTest, ForgetsWhoIsNoSubscriberAnyMore) {
  for (const bool threads : {false, true}) {
    SCOPED_TRACE(threads);
    {
      Feed feed(database(), clock_);
      feed.Subscribe(std::make_unique<Recorder>("stays", NewTold()));
      feed.Subscribe(std::make_unique<Recorder>("goes", NewTold()));
      EXPECT_GE(Position("goes"), 0);
    }
    Feed feed(database(), clock_);
    feed.Subscribe(std::make_unique<Recorder>("stays", NewTold()));
    EXPECT_GE(Position("goes"), 0) << "who is there is known only when all have subscribed";
    if (threads) {
      feed.Start();
    } else {
      feed.DeliverPending({});
    }
    EXPECT_EQ(Position("goes"), -1);
    EXPECT_GE(Position("stays"), 0);
  }
}

std::vector<std::unique_ptr<Subscriber>> One(std::unique_ptr<Subscriber> subscriber) {
  std::vector<std::unique_ptr<Subscriber>> all;
  all.push_back(std::move(subscriber));
  return all;
}

TEST_F(FeedTest, WhoIsToldOfOneKindPassesTheOthers) {
  auto told = NewTold();
  Append(2, "hosts-changed");
  Append(1);
  Append(600, "hosts-changed");
  Feed feed(database(), clock_);
  feed.Subscribe(std::make_unique<Program>("one", "certificate-changed", told), true);
  feed.Start();
  EXPECT_TRUE(feed.WaitPassed("one", 603, kPatience, {}));
  EXPECT_EQ(told->Text(), " 3|");
  feed.Stop();
  EXPECT_EQ(Position("one"), 603) << "saved, for many others came after it";
}

TEST_F(FeedTest, WhoIsDiscoveredIsToldOfWhatCameSinceTheLookBefore) {
  auto told = NewTold();
  std::atomic<bool> there{false};
  Append(2);
  Feed feed(database(), clock_);
  feed.Discover([&] {
    std::vector<std::unique_ptr<Subscriber>> none;
    if (!there) return none;
    return One(std::make_unique<Program>("one", "certificate-changed", told));
  });
  feed.Start();
  there = true;
  Append(1);
  feed.Notify();
  for (int i = 0; i < 500 && told->calls == 0; ++i) std::this_thread::sleep_for(Millis(10));
  EXPECT_EQ(told->Text(), " 3|");
  there = false;
  feed.Notify();
  for (int i = 0; i < 500 && Position("one") >= 0; ++i) std::this_thread::sleep_for(Millis(10));
  EXPECT_EQ(Position("one"), -1) << "who is gone is forgotten";
  EXPECT_FALSE(feed.WaitPassed("one", 1, Millis(0), {}));
}

TEST_F(FeedTest, AProgramThatIsGoneForAWhileComesBackToWhatItHasNotHad) {
  auto told = NewTold();
  std::atomic<bool> there{true};
  Append(1);
  Feed feed(database(), clock_);
  feed.Discover([&] {
    std::vector<std::unique_ptr<Subscriber>> none;
    if (!there) return none;
    return One(std::make_unique<Program>("handler:certificate-changed/one", "certificate-changed",
                                         told));
  });
  feed.Start();
  there = false;
  feed.Notify();
  std::this_thread::sleep_for(Millis(100));
  Append(1);
  feed.Notify();
  std::this_thread::sleep_for(Millis(100));
  EXPECT_GE(Position("handler:certificate-changed/one"), 0);
  EXPECT_EQ(told->calls, 0);
  there = true;
  Append(1);
  feed.Notify();
  for (int i = 0; i < 500 && told->calls < 2; ++i) std::this_thread::sleep_for(Millis(10));
  EXPECT_EQ(told->Text(), " 2| 3|");
}

TEST_F(FeedTest, WhatAKnownSubscriberIsToldOfIsWrittenDownAgain) {
  Append(1);
  for (const char* kind : {"certificate-failed", "certificate-changed"}) {
    Feed feed(database(), clock_);
    feed.Subscribe(std::make_unique<Program>("one", kind, NewTold()));
    feed.DeliverPending({});
  }
  const auto positions = database().Read(store::ListPositions);
  ASSERT_EQ(positions.size(), 1u);
  EXPECT_EQ(positions.front().kinds, store::Kinds{"certificate-changed"});
}

TEST_F(FeedTest, NobodyIsForgottenWhereTheLookFails) {
  Append(1);
  {
    Feed feed(database(), clock_);
    feed.Discover([&] { return One(std::make_unique<Program>("one", "x", NewTold())); });
  }
  Feed feed(database(), clock_);
  feed.Discover([&]() -> std::vector<std::unique_ptr<Subscriber>> {
    throw std::runtime_error("no permission");
  });
  feed.DeliverPending({});
  EXPECT_EQ(Position("one"), 1);
}

TEST_F(FeedTest, AnHeirGoesOnWhereTheFormerOneWas) {
  auto told = NewTold();
  Append(3);
  database().Write([](Session& session) { store::SavePosition(session, "former", 1, 1); });
  Feed feed(database(), clock_);
  feed.Discover([&] { return One(std::make_unique<Program>("one", "certificate-changed", told)); });
  EXPECT_TRUE(feed.DeliverPending({}).empty());
  EXPECT_EQ(told->Text(), " 2| 3|");
  EXPECT_EQ(Position("former"), -1);
}

TEST_F(FeedTest, AnEventGoesToProgramsInTheOrderOfTheirNames) {
  auto both = NewTold();
  const auto slow = [] { std::this_thread::sleep_for(Millis(20)); };
  for (const bool threads : {true, false}) {
    SCOPED_TRACE(threads);
    *both->text.Acquire() = "";
    auto first = NewTold();
    std::atomic<int> done{0};
    std::atomic<int> ahead{0};
    Feed feed(database(), clock_);
    feed.Subscribe(std::make_unique<Program>("a", "certificate-changed", first,
                                             [&] {
                                               slow();
                                               ++done;
                                             }));
    feed.Subscribe(std::make_unique<Program>("b", "certificate-changed", both, [&] {
      if (done <= both->calls) ++ahead;
    }));
    both->calls = 0;
    Append(5);
    if (threads) {
      feed.Start();
      EXPECT_TRUE(feed.WaitPassed("b", database().Read(store::LastEvent), kPatience, {}));
    } else {
      feed.DeliverPending({});
    }
    EXPECT_EQ(both->calls, 5);
    EXPECT_EQ(ahead, 0) << "b was told before a";
  }
}

TEST_F(FeedTest, WhoFailsIsWrittenDownAndHoldsUpNobodyBehindIt) {
  PatientClock clock;
  auto bad = NewTold();
  auto good = NewTold();
  bad->failures_left = 1;
  Append(2);
  Feed feed(database(), clock);
  feed.Subscribe(std::make_unique<Program>("a", "certificate-changed", bad), true);
  feed.Subscribe(std::make_unique<Program>("b", "certificate-changed", good), true);
  feed.Start();
  EXPECT_TRUE(feed.WaitPassed("b", 2, kPatience, {}));
  const auto positions = database().Read(store::ListPositions);
  ASSERT_EQ(positions.size(), 2u);
  EXPECT_EQ(positions[0].failures, 1);
  EXPECT_EQ(positions[0].failing_since, 1000);
  EXPECT_EQ(positions[0].next_try, 1001);
  EXPECT_EQ(positions[0].last_error, "not now");
  EXPECT_EQ(positions[1].failures, 0);
  // Led past what it cannot deal with; its pause ends at once.
  EXPECT_EQ(feed.TellFrom(2, "a"), std::vector<std::string>{"a"});
  EXPECT_TRUE(feed.WaitPassed("a", 2, kPatience, {}));
  EXPECT_EQ(bad->Text(), " 1! 2|");
  EXPECT_EQ(database().Read(store::ListPositions)[0].failures, 0);
}

TEST_F(FeedTest, TellsProgramsAgainFromAnEventOn) {
  auto told = NewTold();
  auto part = NewTold();
  Append(3);
  Feed feed(database(), clock_);
  feed.Subscribe(std::make_unique<Recorder>("traefik", part), true);
  feed.Subscribe(std::make_unique<Program>("handler:x/one", "certificate-changed", told), true);
  feed.DeliverPending({});
  EXPECT_EQ(feed.TellFrom(2, "one").size(), 1u);
  feed.DeliverPending({});
  EXPECT_EQ(told->Text(), " 1| 2| 3| 2| 3|");
  EXPECT_EQ(feed.TellFrom(3, "").size(), 1u) << "a part of this program is not told again";
  EXPECT_EQ(feed.TellFrom(3, "x/one").size(), 1u);
  EXPECT_EQ(store::FailureOf([&] { feed.TellFrom(1, "traefik"); }).code, FailureCode::kNotFound);
  EXPECT_EQ(store::FailureOf([&] { feed.TellFrom(1, "ne"); }).code, FailureCode::kNotFound);
}

TEST_F(FeedTest, WaitsForAnEventToBeWritten) {
  Feed feed(database(), clock_);
  EXPECT_FALSE(feed.WaitWritten(0, Millis(10), {}));
  std::jthread writer([&] {
    std::this_thread::sleep_for(Millis(20));
    Append(1);
    feed.Notify();
  });
  EXPECT_TRUE(feed.WaitWritten(0, kPatience, {}));
  EXPECT_FALSE(feed.WaitWritten(1, Millis(10), {}));
}

TEST_F(FeedTest, DeletesOldEventsThatEverybodyHasHad) {
  Append(30);
  Feed feed(database(), clock_, {10, 86'400});
  feed.Subscribe(std::make_unique<Recorder>("one", NewTold(), 100), true);
  feed.DeliverPending({});
  EXPECT_EQ(database().Read(store::FirstEvent), 21);
}

TEST(Payload, HasWhatTheMatchingFunctionReads) {
  const model::Event event{
      17, "certificate-changed", "renewed", {"*.example.org", "example.org"}, 3, 0, {}, 1000};
  EXPECT_EQ(PayloadJson(event, 2, "traefik3"),
            R"({"node_id":2,"module_id":"traefik3","names":["*.example.org","example.org"],)"
            R"("id":17,"reason":"renewed"})");
}

}  // namespace
}  // namespace certwright::events
