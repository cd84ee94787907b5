#include "certwright/renewal/expiry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture.h"

namespace certwright::renewal {

void PrintTo(const ExpiryWarning& warning, std::ostream* out) {
  *out << "'" << warning.reason << "' told " << warning.told << " next " << warning.next;
}

namespace {

using namespace testing;
using model::Origin;

TEST(WarnOf, FollowsTheTable) {
  struct Row {
    const char* name;
    UnixSeconds lifetime;
    UnixSeconds left;
    Origin origin;
    int failures;
    int told;
    ExpiryWarning expected;  // next: so long before the end
  };
  const UnixSeconds third = 30 * kDay, tenth = 9 * kDay, days = 3 * kDay;
  const Row rows[] = {
      {"uploaded, fresh", 90 * kDay, 80 * kDay, Origin::kUpload, 0, 0, {"", 0, third}},
      {"a second before a third", 90 * kDay, third + 1, Origin::kUpload, 0, 0, {"", 0, third}},
      {"a third", 90 * kDay, third, Origin::kUpload, 0, 0, {"third", 1, tenth}},
      {"a third, told", 90 * kDay, third - 1, Origin::kUpload, 0, 1, {"", 1, tenth}},
      {"a tenth", 90 * kDay, tenth, Origin::kUpload, 0, 1, {"tenth", 2, days}},
      {"days", 90 * kDay, days, Origin::kUpload, 0, 2, {"days", 3, 0}},
      {"all told", 90 * kDay, kDay, Origin::kUpload, 0, 3, {"", 3, 0}},
      {"a machine slept: only the last", 90 * kDay, kDay, Origin::kUpload, 0, 0, {"days", 3, 0}},
      {"slept past the end", 90 * kDay, -kDay, Origin::kUpload, 0, 1, {"days", 3, 0}},
      {"past the end, told", 90 * kDay, -kDay, Origin::kUpload, 0, 3, {"", 3, 0}},
      {"the clock fell back", 90 * kDay, 80 * kDay, Origin::kUpload, 0, 2, {"", 2, third}},
      {"told more than there are", 90 * kDay, kDay, Origin::kUpload, 0, 9, {"", 9, 0}},

      {"managed and well, a third", 90 * kDay, third, Origin::kAcme, 0, 0, {"", 0, 0}},
      {"managed and well, expired", 90 * kDay, -1, Origin::kAcme, 0, 0, {"", 0, 0}},
      {"failing, before a third", 90 * kDay, 40 * kDay, Origin::kAcme, 1, 0, {"", 0, third}},
      {"failing, at a third", 90 * kDay, third - 5, Origin::kAcme, 1, 0, {"third", 1, tenth}},
      {"failing, told", 90 * kDay, third - 5, Origin::kAcme, 2, 1, {"", 1, tenth}},
      {"failing from a tenth on", 90 * kDay, tenth, Origin::kAcme, 1, 0, {"tenth", 2, days}},
      {"self-signed", 90 * kDay, kDay, Origin::kSelfSigned, 1, 0, {"", 0, 0}},

      {"6 days: three of them come first", 6 * kDay, days, Origin::kUpload, 0, 0,
       {"days", 1, 2 * kDay}},
      {"6 days, a third", 6 * kDay, 2 * kDay, Origin::kUpload, 0, 1, {"third", 2, 6 * kDay / 10}},
      {"6 days, a tenth", 6 * kDay, kDay / 2, Origin::kUpload, 0, 2, {"tenth", 3, 0}},
      {"3 days have no days", 3 * kDay, 3 * kDay, Origin::kUpload, 0, 0, {"", 0, kDay}},
      {"20 days, days", 20 * kDay, days, Origin::kUpload, 0, 1, {"days", 2, 2 * kDay}},
      {"no lifetime at all", 0, 0, Origin::kUpload, 0, 0, {"", 0, 0}},
  };
  for (const Row& row : rows) {
    model::CertificateVersion version = VersionOf(row.lifetime);
    version.origin = row.origin;
    version.expiry_told = row.told;
    ExpiryWarning expected = row.expected;
    if (expected.next > 0) expected.next = version.not_after - expected.next;
    EXPECT_EQ(WarnOf(version, row.failures, version.not_after - row.left), expected) << row.name;
  }
}

TEST(WarnOf, TellsEachOnceHoweverOftenItIsLookedAt) {
  for (const Lifetime& row : kLifetimes) {
    model::CertificateVersion version = VersionOf(row.lifetime);
    version.origin = Origin::kUpload;
    int told = 0;
    UnixSeconds now = version.not_before;
    for (int looks = 0; looks < 100 && now <= version.not_after; ++looks) {
      const ExpiryWarning warning = WarnOf(version, 0, now);
      if (!warning.reason.empty()) ++told;
      version.expiry_told = warning.told;
      EXPECT_EQ(WarnOf(version, 0, now).reason, "") << row.name;
      if (warning.next == 0) break;
      EXPECT_GT(warning.next, now) << row.name;
      now = warning.next;
    }
    EXPECT_EQ(told, row.lifetime > 3 * kDay ? 3 : 2) << row.name;
  }
}

TEST(WarnOf, TakesAnyTime) {
  for (const std::int64_t time : {kMin, std::int64_t{0}, kNow, kMax}) {
    model::CertificateVersion version = VersionOf(90 * kDay);
    version.origin = Origin::kUpload;
    version.not_before = time;
    for (const std::int64_t now : {kMin, std::int64_t{0}, kNow, kMax}) {
      EXPECT_GE(WarnOf(version, 0, now).told, 0);
    }
  }
}

}  // namespace
}  // namespace certwright::renewal
