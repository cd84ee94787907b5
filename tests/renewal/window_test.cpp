#include <gtest/gtest.h>

#include <array>
#include <optional>

#include "fixture.h"

namespace certwright::renewal {
namespace {

using namespace testing;
using model::CertificateVersion;
using model::RenewalInfo;
using model::RenewalWindow;

TEST(Keep, ChoosesUniformlyInTheWindow) {
  SeededRandom random;
  const CertificateVersion version = Usual();
  RenewalInfo fresh;
  fresh.ari_id = version.ari_id;
  std::array<int, 10> tenths{};
  for (int i = 0; i < 1000; ++i) {
    const RenewalInfo kept = Keep(fresh, Window(kNow + kDay, kNow + 3 * kDay), kNow, random);
    ASSERT_GE(kept.chosen_at, kNow + kDay);
    ASSERT_LT(kept.chosen_at, kNow + 3 * kDay);
    ++tenths[static_cast<std::size_t>((kept.chosen_at - kNow - kDay) * 10 / (2 * kDay))];
  }
  for (const int count : tenths) EXPECT_NEAR(count, 100, 40);
}

TEST(Keep, ReachesBothEndsOfTheWindow) {
  FixedRandom first(0);
  FixedRandom last(99);
  EXPECT_EQ(Keep({}, Window(kNow, kNow + 100), kNow, first).chosen_at, kNow);
  EXPECT_EQ(Keep({}, Window(kNow, kNow + 100), kNow, last).chosen_at, kNow + 99);
  EXPECT_EQ(Keep({}, Window(kNow, kNow + 1), kNow, last).chosen_at, kNow);
}

TEST(Keep, FillsInWhatItWasTold) {
  FixedRandom random(5);
  RenewalInfo known;
  known.ari_id = "some.id";
  const RenewalInfo kept =
      Keep(known, Window(kNow + 10, kNow + 20, Millis(7'200'000)), kNow, random);
  EXPECT_EQ(kept.ari_id, "some.id");
  EXPECT_EQ(kept.start, kNow + 10);
  EXPECT_EQ(kept.end, kNow + 20);
  EXPECT_EQ(kept.chosen_at, kNow + 15);
  EXPECT_EQ(kept.explanation_url, "https://ca.example/why");
  EXPECT_EQ(kept.check_at, kNow + 7200);
}

TEST(Keep, KeepsTheInstantWhileTheWindowStays) {
  FixedRandom random(123);
  const RenewalInfo known = Known(Usual(), kNow + kDay, kNow + 3 * kDay, kNow + 2 * kDay, kNow);
  RenewalWindow same = Window(known.start, known.end);
  same.explanation_url = "https://ca.example/now-with-a-reason";
  const RenewalInfo kept = Keep(known, same, kNow, random);
  EXPECT_EQ(kept.chosen_at, known.chosen_at);
  EXPECT_EQ(random.asked, 0);
  EXPECT_EQ(kept.check_at, kNow + 6 * kHour);
  EXPECT_EQ(kept.explanation_url, same.explanation_url);
}

TEST(Keep, ChoosesAnewWhereEitherEndMoved) {
  const RenewalInfo known = Known(Usual(), kNow + kDay, kNow + 3 * kDay, kNow + 2 * kDay, kNow);
  const RenewalWindow moved[] = {Window(known.start - 1, known.end),
                                 Window(known.start, known.end + 1),
                                 Window(known.start - kDay, known.end - kDay)};
  for (const RenewalWindow& window : moved) {
    FixedRandom random(7);
    const RenewalInfo kept = Keep(known, window, kNow, random);
    EXPECT_EQ(kept.chosen_at, window.start + 7);
    EXPECT_EQ(kept.start, window.start);
    EXPECT_EQ(kept.end, window.end);
  }
}

TEST(Keep, ChoosesWhereAKnownWindowHasNoInstant) {
  FixedRandom random(7);
  const RenewalInfo known = Known(Usual(), kNow + kDay, kNow + 3 * kDay, 0, kNow);
  EXPECT_EQ(Keep(known, Window(known.start, known.end), kNow, random).chosen_at, known.start + 7);
}

TEST(Keep, TakesAWindowThatDoesNotEndAfterItsStartForNoAnswer) {
  const RenewalInfo known = Known(Usual(), kNow + kDay, kNow + 3 * kDay, kNow + 2 * kDay, kNow);
  for (const UnixSeconds end :
       {kNow + kDay, kNow + kDay - 1, kNow - 90 * kDay, UnixSeconds{0}, kMin}) {
    FixedRandom random(7);
    // An invalid answer is a long-term error (section 4.3.3): its Retry-After is not taken either.
    const RenewalInfo kept = Keep(known, Window(kNow + kDay, end, Millis(60'000)), kNow, random);
    EXPECT_EQ(kept.start, known.start) << end;
    EXPECT_EQ(kept.end, known.end) << end;
    EXPECT_EQ(kept.chosen_at, known.chosen_at) << end;
    EXPECT_EQ(kept.explanation_url, "") << end;
    EXPECT_EQ(kept.check_at, kNow + 6 * kHour) << end;
    EXPECT_EQ(random.asked, 0) << end;
  }
}

TEST(Keep, ClampsRetryAfter) {
  struct Row {
    const char* name;
    std::optional<Millis> retry_after;
    UnixSeconds after;
  };
  const Row rows[] = {
      {"none", std::nullopt, 6 * kHour},
      {"usual", Millis(6 * kHour * 1000), 6 * kHour},
      {"0", Millis(0), kMinute},
      {"negative", Millis(-1), kMinute},
      {"least", Millis::min(), kMinute},
      {"59.999 s", Millis(59'999), kMinute},
      {"a minute", Millis(60'000), kMinute},
      {"a little more", Millis(60'001), kMinute + 1},
      {"a day", Millis(kDay * 1000), kDay},
      {"a little more than a day", Millis(kDay * 1000 + 1), kDay},
      {"for ever", Millis::max(), kDay},
  };
  for (const Row& row : rows) {
    FixedRandom random(0);
    const RenewalInfo kept = Keep({}, Window(kNow, kNow + 9, row.retry_after), kNow, random);
    EXPECT_EQ(kept.check_at, kNow + row.after) << row.name;
  }
}

TEST(KeepAfterFailure, AsksAgainInSixHoursAndKeepsTheRest) {
  RenewalInfo known = Known(Usual(), kNow + kDay, kNow + 3 * kDay, kNow + 2 * kDay, kNow - 5);
  known.explanation_url = "https://ca.example/why";
  const RenewalInfo kept = KeepAfterFailure(known, kNow);
  EXPECT_EQ(kept.ari_id, known.ari_id);
  EXPECT_EQ(kept.start, known.start);
  EXPECT_EQ(kept.end, known.end);
  EXPECT_EQ(kept.chosen_at, known.chosen_at);
  EXPECT_EQ(kept.explanation_url, known.explanation_url);
  EXPECT_EQ(kept.check_at, kNow + 6 * kHour);
}

TEST(IsWindowWanted, FollowsTheTable) {
  struct Row {
    const char* name;
    UnixSeconds check_at;
    UnixSeconds now;
    bool wanted;
  };
  const CertificateVersion version = Usual();
  const Row rows[] = {
      {"not asked yet", 0, kNow, true},
      {"long ago", kNow - kDay, kNow, true},
      {"a second early", kNow + 1, kNow, false},
      {"just now", kNow, kNow, true},
      {"a day ahead", kNow + kDay, kNow, false},
      {"more than a day ahead: of a wrong clock", kNow + kDay + 1, kNow, true},
      {"years ahead", kMax, kNow, true},
      {"negative", -1, kNow, true},
      {"least of all", kMin, kNow, true},
      {"before 1970 is the first second", 5, kMin, false},
      {"the last second", 0, version.not_after - 1, true},
      {"expired", 0, version.not_after, false},
      {"long expired", 0, version.not_after + 900 * kDay, false},
      {"not valid yet", 0, version.not_before - kDay, true},
  };
  for (const Row& row : rows) {
    const RenewalInfo known = Known(version, 0, 0, 0, row.check_at);
    EXPECT_EQ(IsWindowWanted(version, known, row.now), row.wanted) << row.name;
  }
}

TEST(IsWindowWanted, OnlyOfWhatACaOfOursCanKnow) {
  CertificateVersion version = Usual();
  EXPECT_TRUE(IsWindowWanted(version, {}, kNow));
  version.ari_id = "";
  EXPECT_FALSE(IsWindowWanted(version, {}, kNow));
  for (const model::Origin origin : {model::Origin::kUpload, model::Origin::kSelfSigned}) {
    version = Usual();
    version.origin = origin;
    EXPECT_FALSE(IsWindowWanted(version, {}, kNow));
  }
}

TEST(IsWindowWanted, AfterARenewalAtOnce) {
  RenewalInfo of_the_old_one = AskedLately(Usual());
  EXPECT_FALSE(IsWindowWanted(Usual(), of_the_old_one, kNow));
  of_the_old_one.ari_id = "another.id";
  EXPECT_TRUE(IsWindowWanted(Usual(), of_the_old_one, kNow));
}

}  // namespace
}  // namespace certwright::renewal
