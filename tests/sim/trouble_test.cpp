// Outages, a CA that always fails, a machine that sleeps, clocks that jump.
#include "simulation.h"

namespace certwright::sim {
namespace {

using TroubleTest = Simulation;

constexpr int kSome = std::max(kCertificates / 40, 10);
constexpr UnixSeconds kQuarter = 15 * kMinute;

// An hour every week, and three days when most of them are due.
TEST_F(TroubleTest, OutagesOfHoursAndDays) {
  Have(kSome);
  for (int week = 1; week <= 26; ++week) {
    Run(6 * kDay, kQuarter);
    ca_.down = true;
    Run(week == 8 || week == 17 ? 3 * kDay : kHour, kMinute);
    ca_.down = false;
    ca_.broken = true;
    Run(kHour, kMinute);
    ca_.broken = false;
  }
  Run(kDay, kQuarter);
  Print("outages", 4 * kSome);
  ExpectHealthy();
  EXPECT_LE(ca_.orders, 5 * kSome);
}

// Two days of six: what can be saved is saved.
TEST_F(TroubleTest, AnOutageOfTwoDaysWithCertificatesOfSix) {
  ca_.lifetime = 160 * kHour;
  Have(kSome);
  Run(75 * kHour, kQuarter);
  ca_.down = true;
  Run(2 * kDay, kMinute);
  ca_.down = false;
  Run(2 * kDay, kMinute);
  ExpectHealthy();
  EXPECT_LE(ca_.orders, 3 * kSome);
}

TEST_F(TroubleTest, ACaThatAlwaysFailsIsAskedSeldom) {
  Have(kSome);
  ca_.cannot_see = [](const std::string&) { return true; };
  Run(90 * kDay, kMinute);
  // From two thirds of 90 days on: a ladder, then daily, then weekly.
  Print("nothing can be validated", kSome);
  EXPECT_LE(MostOrdersOfOneSet(), 4) << "the fuse counts what fails";
  EXPECT_EQ(ca_.refused["failed_validations"], 0);
  EXPECT_EQ(RefusedByLimits(), 0);
  ca_.cannot_see = [](const std::string&) { return false; };
  Run(8 * kDay, kMinute);
  for (const auto& [names, history] : ca_.histories) {
    EXPECT_GT(history.valid_until, clock_.True()) << names << " was forgotten";
  }
}

TEST_F(TroubleTest, AMachineAsleepForTwoWeeks) {
  Have(kSome);
  Run(55 * kDay, kQuarter);
  clock_.Suspend(14 * kDay);
  Run(2 * kHour, kMinute);
  Print("asleep for two weeks", 2 * kSome);
  EXPECT_EQ(ca_.orders, 2 * kSome) << "what fell due in its sleep is done when it wakes";
  ExpectHealthy();
}

TEST_F(TroubleTest, WhatExpiredInItsSleepIsRenewedAtOnce) {
  ca_.lifetime = 160 * kHour;
  Have(kSome);
  Run(kDay, kQuarter);
  clock_.Suspend(14 * kDay);
  Run(5 * kMinute, kMinute);
  EXPECT_EQ(ca_.orders, 2 * kSome);
  for (const auto& [names, history] : ca_.histories) {
    EXPECT_GT(history.valid_until, clock_.True()) << names;
  }
}

struct Jump {
  const char* name;
  UnixSeconds ahead;
  UnixSeconds for_so_long;
};
class JumpTest : public Simulation, public testing::WithParamInterface<Jump> {};

// The wall clock jumps, stays wrong for a while, and jumps back: nothing is forgotten, and nobody is
// flooded.
TEST_P(JumpTest, ForgetsAndFloodsNothing) {
  ca_.lifetime = 160 * kHour;
  ca_.ask_again = 6 * kHour;
  Have(kSome);
  Run(10 * kDay, kQuarter);
  const int before = ca_.orders;
  clock_.SetAhead(GetParam().ahead);
  Run(GetParam().for_so_long, kMinute);
  const int wrong = ca_.orders - before;
  clock_.SetAhead(0);
  Run(10 * kDay, kQuarter);
  Print(GetParam().name, 7 * kSome);
  EXPECT_LE(MostOrdersOfOneSet(), 4);
  if (std::abs(GetParam().ahead) > kDay) {
    EXPECT_EQ(wrong, 0) << "nothing is ordered by a clock that is days off the CA's";
  }
  EXPECT_EQ(Uncovered(), 0);
  EXPECT_EQ(RefusedByLimits(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Table, JumpTest,
    testing::Values(Jump{"two_hours_ahead", 2 * kHour, kDay},
                    Jump{"two_hours_behind", -2 * kHour, kDay},
                    Jump{"a_day_ahead", kDay, kHour}, Jump{"a_day_behind", -kDay, kHour},
                    Jump{"a_month_ahead", 30 * kDay, kHour},
                    Jump{"a_year_ahead", 365 * kDay, kHour},
                    Jump{"ten_years_behind", -3650 * kDay, kHour}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace certwright::sim
