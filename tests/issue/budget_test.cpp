#include "certwright/issue/budget.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

namespace certwright::issue {
namespace {

using model::Limit;
using model::LimitName;

constexpr UnixSeconds kNow = 1'800'000'000;
constexpr UnixSeconds kHour = 3600;
constexpr UnixSeconds kDay = 24 * kHour;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

Limit Of(std::int64_t burst, UnixSeconds window) {
  return {LimitName::kOrders, burst, window, false, false, 0};
}
const Limit kExactSet = Of(5, 7 * kDay);

std::int64_t SpendTimes(const Limit& limit, int times, UnixSeconds now) {
  std::int64_t arrival = 0;
  for (int i = 0; i < times; ++i) arrival = Spend(limit, arrival, now);
  return arrival;
}

TEST(Budget, IsABucketThatRefills) {
  const struct {
    const char* name;
    Limit limit;
    int spent;
    UnixSeconds later;
    std::int64_t left;
    UnixSeconds next_in;  // from then
    UnixSeconds full_in;
  } kTable[] = {
      {"untouched", kExactSet, 0, 0, 5, 0, 0},
      {"one", kExactSet, 1, 0, 4, 0, 120960},
      {"all but one", kExactSet, 4, 0, 1, 0, 4 * 120960},
      {"all", kExactSet, 5, 0, 0, 120960, 7 * kDay},
      {"a second before the first is back", kExactSet, 5, 120959, 0, 1, 4 * 120960 + 1},
      {"the first is back", kExactSet, 5, 120960, 1, 0, 4 * 120960},
      {"all are back", kExactSet, 5, 7 * kDay, 5, 0, 0},
      {"long after", kExactSet, 5, 1000 * kDay, 5, 0, 0},
      {"one too many, forced", kExactSet, 6, 0, 0, 2 * 120960, 6 * 120960},
      {"orders, 36 s each", Of(300, 3 * kHour), 300, 35, 0, 1, 3 * kHour - 35},
      {"orders, 36 s later", Of(300, 3 * kHour), 300, 36, 1, 0, 3 * kHour - 36},
      {"an interval that is no whole second", Of(50, 1), 50, 0, 0, 1, 1},
      {"one only", Of(1, 60), 1, 0, 0, 60, 60},
      {"more than milliseconds", Of(5000, 1), 5000, 0, 0, 1, 5},
  };
  for (const auto& row : kTable) {
    const std::int64_t arrival = SpendTimes(row.limit, row.spent, kNow);
    const UnixSeconds now = kNow + row.later;
    const Room room = RoomIn(row.limit, arrival, now);
    EXPECT_EQ(room.left, row.left) << row.name;
    EXPECT_EQ(room.next_at, now + row.next_in) << row.name;
    EXPECT_EQ(room.full_at, now + row.full_in) << row.name;
  }
}

TEST(Budget, KeepsSomeBack) {
  const Limit limit = Of(50, 7 * kDay);  // 12096 s each
  const struct {
    int spent;
    UnixSeconds next_in;
  } kTable[] = {{44, 0}, {45, 12096}, {46, 2 * 12096}, {50, 6 * 12096}};
  for (const auto& row : kTable) {
    const Room room = RoomIn(limit, SpendTimes(limit, row.spent, kNow), kNow, 5);
    EXPECT_EQ(room.left, 50 - row.spent);
    EXPECT_EQ(room.next_at, kNow + row.next_in) << row.spent;
  }
  EXPECT_EQ(RoomIn(limit, 0, kNow, 1000).next_at, kNow) << "never more than all but one";
}

TEST(Budget, GivesBackWhatDidNotCount) {
  const std::int64_t spent = SpendTimes(kExactSet, 5, kNow);
  EXPECT_EQ(RoomIn(kExactSet, Refund(kExactSet, spent, kNow), kNow).left, 1);
  EXPECT_EQ(RoomIn(kExactSet, Refund(kExactSet, 0, kNow), kNow).left, 5) << "never more than all";
  EXPECT_EQ(RoomIn(kExactSet, Refund(kExactSet, spent, kNow + 8 * kDay), kNow + 8 * kDay).left, 5);
}

TEST(Budget, TakesTheCasWordForTheTruth) {
  const struct {
    const char* name;
    UnixSeconds retry_in;
    UnixSeconds expected_in;
  } kTable[] = {
      {"within an interval", 3000, 3000},
      {"longer than an interval: a sliding window", 5 * kDay, 5 * kDay},
      {"no time at all", 0, 120960},
      {"a time gone by", -5, 120960},
      {"a year: as long as the window", 365 * kDay, 7 * kDay},
  };
  for (const auto& row : kTable) {
    const UnixSeconds retry_at = row.retry_in == 0 ? 0 : kNow + row.retry_in;
    const std::int64_t arrival = CorrectFrom429(kExactSet, retry_at, kNow);
    EXPECT_EQ(RoomIn(kExactSet, arrival, kNow).left, 0) << row.name;
    EXPECT_EQ(RoomIn(kExactSet, arrival, kNow).next_at, kNow + row.expected_in) << row.name;
    const UnixSeconds then = kNow + row.expected_in;
    EXPECT_EQ(RoomIn(kExactSet, arrival, then).left, 1) << row.name;
    EXPECT_EQ(RoomIn(kExactSet, Spend(kExactSet, arrival, then), then).left, 0) << row.name;
  }
}

TEST(Budget, AClockThatIsPutBackDelaysNothingForLong) {
  const std::int64_t arrival = SpendTimes(kExactSet, 5, kNow);
  for (const UnixSeconds back : {kHour, kDay, 30 * kDay, 10'000 * kDay}) {
    const UnixSeconds now = kNow - back;
    const Room room = RoomIn(kExactSet, AfterClockJump(arrival, kNow, now), now);
    EXPECT_EQ(room.left, 0);
    EXPECT_EQ(room.next_at, now + 120960) << "as long as it was";
    // Nobody knows when it was written: a window and one more at the most.
    EXPECT_LE(RoomIn(kExactSet, arrival, now).next_at, now + 7 * kDay + 120960);
  }
  EXPECT_EQ(AfterClockJump(arrival, kNow, kNow + 5), arrival) << "time passes";
}

TEST(Budget, AChangedLimitKeepsHowManyAreUsed) {
  const std::int64_t arrival = SpendTimes(kExactSet, 3, kNow);
  const std::int64_t interval = IntervalOf(kExactSet);
  for (const Limit& limit : {Of(10, 7 * kDay), Of(5, kDay), Of(300, 3 * kHour), Of(4, 30 * kDay)}) {
    const std::int64_t converted = AfterChange(limit, arrival, interval, kNow);
    EXPECT_EQ(RoomIn(limit, converted, kNow).left, limit.burst - 3) << limit.burst;
  }
  const Limit smaller = Of(2, kDay);
  const Room room = RoomIn(smaller, AfterChange(smaller, arrival, interval, kNow), kNow);
  EXPECT_EQ(room.left, 0);
  EXPECT_EQ(room.next_at, kNow + kDay) << "two must come back first";
  EXPECT_EQ(AfterChange(kExactSet, arrival, interval, kNow), arrival);
  EXPECT_EQ(AfterChange(smaller, arrival, 0, kNow), arrival) << "nobody knows how it was counted";
}

TEST(Budget, TakesAnything) {
  std::mt19937_64 random(4);
  const std::int64_t kOdd[] = {kLeast, -1, 0, 1, 1000, kNow, kNow * 1000, kMost / 1000, kMost - 1,
                               kMost};
  const auto odd = [&] { return kOdd[random() % std::size(kOdd)]; };
  for (int i = 0; i < 20'000; ++i) {
    const Limit limit = Of(odd(), odd());
    const UnixSeconds now = odd();
    const std::int64_t arrival = AfterClockJump(odd(), odd(), now);
    for (const std::int64_t seen : {arrival, Spend(limit, arrival, now), Refund(limit, arrival, now),
                                    CorrectFrom429(limit, odd(), now),
                                    AfterChange(limit, arrival, odd(), now)}) {
      const Room room = RoomIn(limit, seen, now, odd());
      EXPECT_GE(room.left, 0);
      EXPECT_GE(room.next_at, 0);
      EXPECT_GE(room.full_at, 0);
    }
  }
}

// Whatever the pattern: never more than burst and what came back since, in any stretch of time.
TEST(Budget, NeverLetsMoreThroughThanTheLimit) {
  std::mt19937_64 random(5);
  const Limit limit = Of(7, 700);
  std::int64_t arrival = 0;
  std::vector<UnixSeconds> passed;
  UnixSeconds now = kNow;
  for (int i = 0; i < 5000; ++i) {
    now += static_cast<UnixSeconds>(random() % 120);
    if (RoomIn(limit, arrival, now).left == 0) continue;
    arrival = Spend(limit, arrival, now);
    passed.push_back(now);
  }
  for (std::size_t first = 0; first < passed.size(); ++first) {
    for (std::size_t last = first; last < passed.size() && last < first + 40; ++last) {
      const auto count = static_cast<UnixSeconds>(last - first + 1);
      EXPECT_LE(count, 7 + (passed[last] - passed[first]) / 100);
    }
  }
  EXPECT_GT(passed.size(), 2000u) << "and not much less";
}

}  // namespace
}  // namespace certwright::issue
