#include "certwright/renewal/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture.h"

namespace certwright::renewal {
namespace {

using namespace testing;
using enum FailureCode;

const Failure kNotReached = FailureWith(kRefused, "connection");

TEST(IsWatched, WhatWasNotValidatedAndWhatIsParked) {
  EXPECT_FALSE(IsWatched({}));
  EXPECT_TRUE(IsWatched(FailedAt(kNow, 1, kNotReached)));
  EXPECT_TRUE(IsWatched(FailedAt(kNow, 10, FailureWith(kNetwork))));
  EXPECT_FALSE(IsWatched(FailedAt(kNow, 9, FailureWith(kNetwork))));
  EXPECT_FALSE(IsWatched(FailedAt(kNow, 1, FailureWith(kRefused, "caa"))));
}

TEST(WatchAt, LooksAfterAsLongAsItHasBeenFailing) {
  struct Row {
    UnixSeconds failed_ago;
    UnixSeconds next_in;
  };
  const Row rows[] = {{0, kMinute},         {59, kMinute},          {kMinute, kMinute},
                      {300, 300},           {kHour - 1, kHour - 1}, {kHour, kHour},
                      {kDay, kHour},        {-5, kMinute},          {-999 * kDay, kMinute},
                      {9999 * kDay, kHour}};
  for (const Row& row : rows) {
    EXPECT_EQ(WatchAt(FailedAt(kNow - row.failed_ago, 3, kNotReached), kNow), kNow + row.next_in)
        << row.failed_ago;
  }
  EXPECT_EQ(WatchAt({}, kNow), 0);
  for (const std::int64_t time : {kMin, kMax}) {
    EXPECT_GT(WatchAt(FailedAt(time, 1, kNotReached), kNow), kNow);
    EXPECT_GT(WatchAt(FailedAt(kNow, 1, kNotReached), time), 0);
  }
}

TEST(TurnedGood, FollowsTheTable) {
  struct Row {
    const char* name;
    std::optional<bool> before;
    std::optional<bool> now;
    int failures;
    UnixSeconds failed_ago;
    Failure failure;
    bool turned;
  };
  const Row rows[] = {
      {"bad, then good", false, true, 1, 60, kNotReached, true},
      {"good all the time", true, true, 1, 60, kNotReached, false},
      {"nobody looked before", std::nullopt, true, 1, 60, kNotReached, false},
      {"still bad", false, false, 1, 60, kNotReached, false},
      {"not known now", false, std::nullopt, 1, 60, kNotReached, false},
      {"a second too early", false, true, 1, 59, kNotReached, false},
      {"the second in a row, too early", false, true, 2, kHour - 1, kNotReached, false},
      {"an hour is enough", false, true, 2, kHour, kNotReached, true},
      {"parked for days, an hour", false, true, 20, kHour, FailureWith(kNetwork), true},
      {"not watched", false, true, 3, kDay, FailureWith(kNetwork), false},
      {"a limit", false, true, 12, kDay, FailureWith(kFuse), false},
      {"the clock fell back", false, true, 2, -kDay, kNotReached, true},
  };
  for (const Row& row : rows) {
    model::ManagedCertificate certificate =
        FailedAt(kNow - row.failed_ago, row.failures, row.failure);
    certificate.preflight_good = row.before;
    EXPECT_EQ(TurnedGood(certificate, row.now, kNow), row.turned) << row.name;
  }
}

// A name whose DNS is wrong: what the plan makes of looks that stay bad.
TEST(Plan, OrdersSeldomWhileTheLookFromOutsideIsBad) {
  struct Row {
    const char* name;
    std::optional<bool> good;
    int failures;
    UnixSeconds pause;
  };
  const Row rows[] = {
      {"nobody looked, first", std::nullopt, 1, kMinute},
      {"good, first", true, 1, kMinute},
      {"bad, first", false, 1, 2 * kDay},
      {"good, second", true, 2, kDay},
      {"not known, second", std::nullopt, 2, kDay},
      {"bad, second", false, 2, 2 * kDay},
      {"parked, good", true, 10, kDay},
      {"parked, bad", false, 10, 2 * kDay},
      {"parked for long, bad", false, 20, 7 * kDay},
  };
  for (const Row& row : rows) {
    model::ManagedCertificate certificate = FailedAt(kNow, row.failures, kNotReached);
    certificate.preflight_good = row.good;
    EXPECT_EQ(Plan(certificate, std::nullopt, {}, kNow).renew_at, kNow + row.pause) << row.name;
  }
  model::ManagedCertificate other = FailedAt(kNow, 2, FailureWith(kNetwork));
  other.preflight_good = false;
  EXPECT_EQ(Plan(other, std::nullopt, {}, kNow).renew_at, kNow + 10 * kMinute) << "not watched";
}

}  // namespace
}  // namespace certwright::renewal
