// A year in a minute: what a healthy CA and its usual troubles make of a thousand certificates.
#include "simulation.h"

namespace certwright::sim {
namespace {

using YearTest = Simulation;

constexpr UnixSeconds kYear = 365 * kDay;
constexpr UnixSeconds kQuarter = 15 * kMinute;  // between two ticks, where many are due

int Ideal(int certificates, UnixSeconds span, UnixSeconds interval) {
  return certificates * static_cast<int>(1 + span / interval);
}

// Windows that move every ten days, by up to two days in both directions.
void LetWindowsMove(SimCa& ca, const SimClock& clock) {
  ca.window = [&clock](const Issued& issued) {
    const UnixSeconds third = (issued.not_after - issued.not_before) / 3;
    const UnixSeconds moved = (clock.True() / (10 * kDay) % 5 - 2) * kDay;
    const UnixSeconds middle = issued.not_after - third + moved;
    return Window{middle - kDay, middle + kDay};
  };
}

TEST_F(YearTest, NinetyDaysWithWindowsThatMove) {
#if defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__)
  constexpr UnixSeconds kSpan = kYear;
#else
  constexpr UnixSeconds kSpan = kYear / 4;  // the compiler's help is missing: minutes otherwise
#endif
  LetWindowsMove(ca_, clock_);
  Have(kCertificates);
  Run(kSpan, kQuarter);
  const int ideal = Ideal(kCertificates, kSpan, 60 * kDay);
  Print("90 days, windows that move", ideal);
  ExpectHealthy();
  EXPECT_LE(ca_.orders, ideal * 21 / 20);
  EXPECT_EQ(ca_.replacing, ca_.orders - kCertificates) << "every renewal says what it replaces";
  // Two days are 16 times three hours.
  EXPECT_LE(MostOrdersWithin(3 * kHour, kStart + kDay), kCertificates / 5 + 5) << "a herd";
}

TEST_F(YearTest, NinetyDaysByTheBackstop) {
  ca_.renewal_info = false;
  const int count = kCertificates / 20;
  Have(count);
  Run(kYear, kQuarter);
  const int ideal = Ideal(count, kYear, 60 * kDay);
  Print("90 days, no ARI", ideal);
  ExpectHealthy();
  EXPECT_LE(ca_.orders, ideal);
  // The jitter spreads them over four days and a half: 36 times three hours.
  EXPECT_LE(MostOrdersWithin(3 * kHour, kStart + kDay), count / 10 + 5) << "a herd";
}

TEST_F(YearTest, FortyFiveDays) {
  ca_.lifetime = 45 * kDay;
  const int count = kCertificates / 20;
  Have(count);
  Run(kYear, kQuarter);
  const int ideal = Ideal(count, kYear, 30 * kDay);
  Print("45 days", ideal);
  ExpectHealthy();
  EXPECT_LE(ca_.orders, ideal * 21 / 20);
}

TEST_F(YearTest, SixDays) {
  ca_.lifetime = 160 * kHour;
  ca_.ask_again = 6 * kHour;
  ca_.window = [](const Issued& issued) {
    const UnixSeconds half = (issued.not_before + issued.not_after) / 2;
    return Window{half - 8 * kHour, half + 8 * kHour};
  };
  const int count = kCertificates / 40;
  Have(count);
  Run(120 * kDay, kQuarter);
  const int ideal = Ideal(count, 120 * kDay, 80 * kHour);
  Print("6 days", ideal);
  ExpectHealthy();
  EXPECT_LE(ca_.orders, ideal * 11 / 10);
}

// The CA has to revoke: every window is moved into the past.
TEST_F(YearTest, AnEarlyMassReplacement) {
  const int count = kCertificates / 2;
  Have(count);
  Run(20 * kDay, kQuarter);
  EXPECT_EQ(ca_.orders, count);
  const UnixSeconds incident = clock_.True();
  ca_.window = [incident, usual = ca_.window](const Issued& issued) {
    return issued.not_before < incident - kHour ? Window{incident - kDay, incident - kHour}
                                                : usual(issued);
  };
  Run(kDay + kHour, kQuarter);
  Print("mass replacement", 2 * count);
  EXPECT_EQ(ca_.orders, 2 * count) << "each once, within a day";
  EXPECT_EQ(ca_.replacing, count);
  ExpectHealthy();
}

// The account's 300 orders in three hours are fewer than what is wanted at once.
TEST_F(YearTest, MoreWantedThanTheLimitsGive) {
  const int count = std::max(kCertificates, 350);
  Want(count);
  Run(2 * kDay, kQuarter);
  Print("all at once", count);
  EXPECT_EQ(ca_.orders, count);
  EXPECT_LE(MostOrdersWithin(3 * kHour, kStart), 300);
  EXPECT_EQ(failures_[FailureCode::kFuse], 0);
  EXPECT_EQ(Uncovered(), 0);
}

}  // namespace
}  // namespace certwright::sim
