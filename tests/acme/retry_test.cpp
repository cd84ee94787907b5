#include "certwright/acme/retry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "fakes.h"

namespace certwright::acme {
namespace {

using ::testing::ElementsAre;
using testing::FailureOf;
using testing::kNow;

struct Row {
  const char* name;
  FailureCode code;
  bool transient;
  const char* type;
  std::int64_t retry_in;  // seconds from now; 0: none
  int attempts;
  int millis;  // -1: gives up
};

TEST(StepRetryDelay, FollowsTheTable) {
  using enum FailureCode;
  const Row rows[] = {
      {"first of the network", kNetwork, true, "", 0, 1, 250},
      {"second", kNetwork, true, "", 0, 2, 500},
      {"third", kNetwork, true, "", 0, 3, 1000},
      {"fourth", kServer, true, "", 0, 4, 2000},
      {"fifth", kServer, true, "", 0, 5, -1},
      {"not transient", kRefused, false, "", 0, 1, -1},
      {"not transient, with a date", kRefused, false, "", 5, 1, -1},
      {"the CA's own pause", kServer, true, "", 7, 1, 7000},
      {"the longest", kServer, true, "", 60, 1, 60'000},
      {"longer than a run", kServer, true, "", 61, 1, -1},
      {"date gone by", kServer, true, "", -5, 1, 250},
      {"limit with a short pause", kRateLimited, true, "rateLimited", 3, 1, 3000},
      {"limit with a long pause", kRateLimited, true, "rateLimited", 3600, 1, -1},
      {"limit without one", kRateLimited, true, "rateLimited", 0, 1, -1},
      {"limit with one gone by", kRateLimited, true, "rateLimited", -1, 1, -1},
      {"unreadable once", kProtocol, true, "", 0, 1, 250},
      {"unreadable twice", kProtocol, true, "", 0, 2, 500},
      {"unreadable thrice", kProtocol, true, "", 0, 3, -1},
      {"nonces", kServer, true, "badNonce", 0, 1, 50},
      {"nonces for long", kServer, true, "badNonce", 0, 5, 50},
      {"nonces for too long", kServer, true, "badNonce", 0, 8, -1},
      {"clamped before the shift", kNetwork, true, "", 0, 1000, -1},
      {"no attempt yet", kNetwork, true, "", 0, 0, 250},
      {"nonsense", kNetwork, true, "", 0, std::numeric_limits<int>::min() + 1, 250},
  };
  for (const Row& row : rows) {
    Failure failure;
    failure.code = row.code;
    failure.transient = row.transient;
    failure.acme_type = row.type;
    if (row.retry_in != 0) failure.retry_at = kNow + row.retry_in;
    const auto delay = StepRetryDelay(failure, row.attempts, kNow);
    EXPECT_EQ(delay ? delay->count() : -1, row.millis) << row.name;
  }
}

TEST(StepRetryDelay, NeverPausesForNothingWhereItTriesAgain) {
  for (int attempts = 0; attempts < 100; ++attempts) {
    const auto delay = StepRetryDelay(testing::NetworkFailure(), attempts, kNow);
    EXPECT_TRUE(!delay || delay->count() > 0) << attempts;
  }
}

TEST(WithRetries, TriesAgainAndTells) {
  testing::FakeClock clock;
  int calls = 0;
  int told = 0;
  WithRetries(
      clock, {},
      [&] {
        if (++calls < 3) throw Error(testing::NetworkFailure());
      },
      [&](const Failure&) { ++told; });
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(told, 2);
  EXPECT_THAT(clock.Sleeps(), ElementsAre(Millis(250), Millis(500)));
}

TEST(WithRetries, TellsEachFailureButThrowsTheLast) {
  testing::FakeClock clock;
  int calls = 0;
  std::vector<std::string> told;
  const Failure failure = FailureOf([&] {
    WithRetries(
        clock, {},
        [&] {
          Failure bad = testing::NetworkFailure();
          bad.detail = std::to_string(++calls);
          throw Error(bad);
        },
        [&](const Failure& retried) { told.push_back(retried.detail); });
  });
  EXPECT_EQ(failure.detail, "5");
  EXPECT_EQ(calls, 5);
  EXPECT_THAT(told, ElementsAre("1", "2", "3", "4"));
}

TEST(WithRetries, DoesNotRepeatWhatWasRefused) {
  testing::FakeClock clock;
  int calls = 0;
  FailureOf([&] {
    WithRetries(clock, {}, [&] {
      ++calls;
      throw Error(FailureCode::kRefused, "no");
    });
  });
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(clock.Sleeps().empty());
}

TEST(WithRetries, StopsWhenToldTo) {
  testing::FakeClock clock;
  std::stop_source stop;
  clock.on_sleep = [&] { stop.request_stop(); };
  int calls = 0;
  FailureOf([&] {
    WithRetries(clock, stop.get_token(), [&] {
      ++calls;
      throw Error(testing::NetworkFailure());
    });
  });
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace certwright::acme
