// The scheduler's thread: a lane for each CA, and clocks that jump.
#include <atomic>
#include <thread>

#include "scheduler_fixture.h"

namespace certwright::issue {
namespace {

class LanesTest : public SchedulerTest {
 protected:
  // A thread that naps in no time at all leaves the store to nobody else.
  void SetUp() override {
    clock_.on_sleep = [] { std::this_thread::sleep_for(Millis(1)); };
    SchedulerTest::SetUp();
  }
  // Within real seconds.
  template <typename Condition>
  bool Soon(Condition&& condition) {
    for (int i = 0; i < 1000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(Millis(10));
    }
    return false;
  }
  // From now on: how many such requests the first CA has at once, in most_. Each takes a moment.
  void CountAtOnce(const std::string& kind) {
    ca_.before = [this, kind](const Seen& seen) -> std::optional<http::Response> {
      if (seen.kind != kind) return std::nullopt;
      const int now = ++at_once_;
      for (int most = most_; most < now && !most_.compare_exchange_weak(most, now);) {
      }
      std::this_thread::sleep_for(Millis(20));
      --at_once_;
      return std::nullopt;
    };
  }

  std::atomic<int> at_once_ = 0;
  std::atomic<int> most_ = 0;
};

// "b" is of a CA that is no longer ours, which nobody asks; "a" asks ours for its window.
TEST_F(LanesTest, ACaThatHangsHoldsUpNothingOfAnother) {
  ca_.renewal_info = true;
  Obtain({"a.example.org"});
  Obtain({"b.example.org"});
  End();
  Meddle("UPDATE version SET ca = 'https://other.test/directory' WHERE names LIKE '%b.example%'");
  Begin();
  std::atomic<bool> hangs = true;
  std::atomic<int> waiting = 0;
  ca_.before = [&](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind != "renewalInfo") return std::nullopt;
    ++waiting;
    for (; hangs; std::this_thread::sleep_for(Millis(1))) {
    }
    return std::nullopt;
  };
  scheduler_->Start();
  EXPECT_TRUE(Soon([&] { return waiting > 0; }));
  EXPECT_TRUE(Soon([&] { return NextAction("b.example.org") >= kNow + kDay; })) << "was planned";
  EXPECT_LE(NextAction("a.example.org"), kNow) << "hangs";
  EXPECT_EQ(waiting, 1) << "what hangs is not begun twice";
  hangs = false;
  EXPECT_TRUE(Soon([&] { return NextAction("a.example.org") > kNow; }));
  End();
}

TEST_F(LanesTest, AsksNoMoreThanItsLimitOfOneCaAtOnce) {
  ca_.renewal_info = true;
  for (int i = 0; i < 6; ++i) Obtain({Cat("h", i, ".example.org")});
  End();
  Begin({2, Millis(60'000), 60});
  CountAtOnce("renewalInfo");
  EXPECT_EQ(Tick().size(), 6u);
  EXPECT_EQ(most_, 2);
}

// What a fall-back issued is renewed at the first CA, and does not come on top there.
TEST_F(LanesTest, OrdersNoMoreThanItsLimitAtOneCaWhoeverIssued) {
  FakeCa other;
  fallbacks_ = {{"https://other.test/directory", &other}};
  End();
  Begin({2, Millis(60'000), 60});
  for (int i = 0; i < 8; ++i) Obtain({Cat("h", i, ".example.org")});
  End();
  Meddle("UPDATE version SET ca = 'https://other.test/directory' WHERE id % 2 = 0");
  Begin({2, Millis(60'000), 60});
  Pass(70 * kDay);
  CountAtOnce("newOrder");
  for (const Looked& looked : Tick()) EXPECT_EQ(looked.result, Result::kRenewed);
  EXPECT_EQ(most_, 2);
  End();
}

TEST_F(LanesTest, RestsBetweenTwoLooksAsItIsTold) {
  End();
  Begin({8, Millis(60'000), 600});
  ca_.renewal_info = true;
  Obtain({"a.example.org"});
  ca_.window_start = FormatUtc(kNow - kDay);
  ca_.window_end = FormatUtc(kNow - kDay + 1);
  EXPECT_EQ(Tick().front().result, Result::kRenewed);
  EXPECT_EQ(NextAction("a.example.org"), clock_.Now() + 600) << "though its window is over";
}

// Planned by a clock that was a year ahead; then it is right again.
TEST_F(LanesTest, AClockThatWasAheadDelaysNothing) {
  Obtain({"a.example.org"});
  Tick();
  Pass(50 * kDay);
  const std::int64_t id = Held("a.example.org").certificate.id;
  process_->database->Write([&](store::Session& session) {
    store::SetNextAction(session, id, kNow + 300 * kDay,
                         clock_.Now() + 200 * kDay);
  });
  const std::vector<Looked> looked = Tick();
  ASSERT_EQ(looked.size(), 1u);
  EXPECT_EQ(looked.front().result, Result::kNotDue);
  EXPECT_LE(NextAction("a.example.org"), clock_.Now() + kDay);
  EXPECT_TRUE(Tick().empty()) << "it is put right";
}

TEST_F(LanesTest, OneWhoComesSecondLooksAgainAndOrdersNothing) {
  Obtain({"a.example.org"});
  Pass(70 * kDay);
  ca_.valid_from = clock_.Now() - 3600;
  ca_.valid_to = clock_.Now() + 90 * kDay;
  ca_.before = [](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind == "newOrder") std::this_thread::sleep_for(Millis(100));
    return std::nullopt;
  };
  std::atomic<int> renewed = 0;
  {
    std::vector<std::jthread> ticks;
    for (int i = 0; i < 4; ++i) {
      ticks.emplace_back([&] {
        Wanted wanted;
        wanted.certificates = {1};
        for (const Looked& looked : scheduler_->RunOnce(wanted, nullptr, {})) {
          if (looked.result == Result::kRenewed) ++renewed;
        }
      });
    }
  }
  EXPECT_EQ(renewed, 1);
  EXPECT_EQ(ca_.Orders(), 2u);
}

// Somebody else obtained it between the plan and the job.
TEST_F(LanesTest, ARenewalThatWasOvertakenOrdersNothing) {
  const std::int64_t first = Obtain({"a.example.org"}).held.current->id;
  ObtainRequest planned = Wish({"a.example.org"});
  planned.renew = true;
  planned.planned_for = first;
  EXPECT_TRUE(Obtain(planned).issued);
  EXPECT_FALSE(Obtain(planned).issued) << "it is another one by now";
  planned.planned_for = 0;
  EXPECT_FALSE(Obtain(planned).issued) << "there was none when it was planned";
  planned.force = true;
  EXPECT_TRUE(Obtain(planned).issued) << "a person wants it";
  EXPECT_EQ(ca_.Orders(), 3u);
}

TEST_F(LanesTest, GoesThroughMoreThanOnePage) {
  constexpr int kMany = 1100;
  Obtain({"a.example.org"});
  End();
  Meddle(Cat("WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ", kMany,
             ") INSERT INTO certificate (name_set, names, key_type, reuse_key, profile, "
             "preferred_chain, owner, next_action_at, last_error_at, failures, created_at, "
             "updated_at) SELECT 'h' || i || '.example.org', names, key_type, reuse_key, profile, "
             "preferred_chain, owner, 1, 0, 0, created_at, updated_at FROM certificate, n; "
             "INSERT INTO version (certificate_id, is_current, chain_pem, key_pem, serial_hex, "
             "fingerprint, subject, issuer, names, not_before, not_after, ari_id, ca, origin, "
             "created_at) SELECT c.id, 1, chain_pem, key_pem, serial_hex, fingerprint, subject, "
             "issuer, v.names, not_before, not_after, '', ca, origin, v.created_at "
             "FROM version v JOIN certificate c ON c.id > 1 WHERE v.certificate_id = 1"));
  Begin();
  EXPECT_EQ(Tick().size(), static_cast<std::size_t>(kMany));
  EXPECT_TRUE(Tick().empty());
  EXPECT_EQ(ca_.Orders(), 1u);
}

}  // namespace
}  // namespace certwright::issue
