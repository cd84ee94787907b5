#include "certwright/base/clock.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace certwright {
namespace {

struct DateRow {
  const char* name;
  const char* text;
  UnixSeconds want;
};

TEST(Clock, ReadsRfc3339) {
  const std::vector<DateRow> rows = {
      {"the epoch", "1970-01-01T00:00:00Z", 0},
      {"an ordinary day", "2026-11-24T10:00:00Z", 1795514400},
      {"leap day", "2024-02-29T23:59:59Z", 1709251199},
      {"offset east", "2026-11-24T12:00:00+02:00", 1795514400},
      {"offset west", "2026-11-24T04:30:00-05:30", 1795514400},
      {"fraction", "2026-11-24T10:00:00.123456789Z", 1795514400},
      {"lower case", "2026-11-24t10:00:00z", 1795514400},
      {"blank in place of T", "2026-11-24 10:00:00Z", 1795514400},
      {"leap second", "2016-12-31T23:59:60Z", 1483228800},
      {"far away", "9999-12-31T23:59:59Z", 253402300799},
      {"no leap year", "2023-02-29T00:00:00Z", -1},
      {"century without leap day", "2100-02-29T00:00:00Z", -1},
      {"month 13", "2023-13-01T00:00:00Z", -1},
      {"hour 24", "2023-01-01T24:00:00Z", -1},
      {"minute 60", "2023-01-01T00:60:00Z", -1},
      {"no offset", "2023-01-01T00:00:00", -1},
      {"offset too large", "2023-01-01T00:00:00+24:00", -1},
      {"empty fraction", "2023-01-01T00:00:00.Z", -1},
      {"something after it", "2023-01-01T00:00:00Z ", -1},
      {"sign in a field", "2023-01-+1T00:00:00Z", -1},
      {"only a date", "2023-01-01", -1},
      {"nothing", "", -1},
  };
  for (const DateRow& row : rows) EXPECT_EQ(ParseRfc3339(row.text), row.want) << row.name;
}

TEST(Clock, ReadsHttpDates) {
  const std::vector<DateRow> rows = {
      {"the RFC's example", "Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
      {"December", "Thu, 31 Dec 2026 23:59:59 GMT", 1798761599},
      {"another zone", "Sun, 06 Nov 1994 08:49:37 CET", -1},
      {"RFC 850 form", "Sunday, 06-Nov-94 08:49:37 GMT", -1},
      {"unknown month", "Sun, 06 Nox 1994 08:49:37 GMT", -1},
      {"unknown day", "Son, 06 Nov 1994 08:49:37 GMT", -1},
      {"seconds only", "120", -1},
      {"nothing", "", -1},
  };
  for (const DateRow& row : rows) EXPECT_EQ(ParseHttpDate(row.text), row.want) << row.name;
}

TEST(Clock, WritesRfc3339AndReadsItBack) {
  EXPECT_EQ(FormatUtc(1795514400), "2026-11-24T10:00:00Z");
  EXPECT_EQ(FormatUtc(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatUtc(253402300800), "9999-12-31T23:59:59Z") << "four digits hold no more";
  for (UnixSeconds time = 1; time < 4'000'000'000; time += 86'400 * 91 + 3'607) {
    EXPECT_EQ(ParseRfc3339(FormatUtc(time)), time);
  }
}

TEST(Clock, SleepsUntilTheTimeHasPassed) {
  const Steady before = SystemClock().SteadyNow();
  EXPECT_TRUE(SystemClock().Sleep(Millis(5), {}));
  EXPECT_GE(SystemClock().SteadyNow() - before, Millis(5));
}

TEST(Clock, WakesWhenItIsToldToStop) {
  const Steady before = SystemClock().SteadyNow();
  bool slept_through = true;
  {
    std::jthread sleeper([&](std::stop_token stop) {
      slept_through = SystemClock().Sleep(Millis(60'000), std::move(stop));
    });
  }  // asks it to stop
  EXPECT_FALSE(slept_through);
  EXPECT_LT(SystemClock().SteadyNow() - before, Millis(10'000));
}

}  // namespace
}  // namespace certwright
