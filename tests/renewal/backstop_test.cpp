#include <gtest/gtest.h>

#include <array>

#include "fixture.h"

namespace certwright::renewal {
namespace {

using namespace testing;
using model::CertificateVersion;

TEST(Backstop, FollowsTheLifetime) {
  for (const Lifetime& row : kLifetimes) {
    const UnixSeconds after = Backstop(VersionOf(row.lifetime)) - kNow;
    EXPECT_NEAR(static_cast<double>(after), static_cast<double>(row.after), 2) << row.name;
  }
}

TEST(Backstop, SpreadsAThousandCertificatesOverATwentieth) {
  SeededRandom random;
  for (const Lifetime& row : kLifetimes) {
    CertificateVersion version = VersionOf(row.lifetime);
    const UnixSeconds earliest = Backstop(version);
    const UnixSeconds most = row.lifetime / 20;
    std::array<int, 10> tenths{};
    for (int i = 0; i < 1000; ++i) {
      version.fingerprint = SomeFingerprint(random);
      const UnixSeconds at = Backstop(version);
      ASSERT_EQ(at, Backstop(version)) << row.name;
      ASSERT_GE(at, earliest) << row.name;
      ASSERT_LE(at, earliest + most) << row.name;
      ASSERT_GT(version.not_after - at, row.lifetime / 4) << row.name;
      ++tenths[static_cast<std::size_t>((at - earliest) * 10 / (most + 1))];
    }
    for (const int count : tenths) EXPECT_NEAR(count, 100, 40) << row.name;
  }
}

TEST(Backstop, UsesTheWholeTwentiethAndNoMore) {
  CertificateVersion version = VersionOf(90 * kDay);
  constexpr UnixSeconds kMost = 90 * kDay / 20;  // 388800: 0x5eec0
  version.fingerprint.replace(0, 16, "000000000005eec0");
  EXPECT_EQ(Backstop(version), kNow + 60 * kDay + kMost);
  version.fingerprint.replace(0, 16, "000000000005eec1");
  EXPECT_EQ(Backstop(version), kNow + 60 * kDay);
}

TEST(Backstop, TakesAnyFingerprint) {
  for (const char* fingerprint : {"", "0", "ff", "no hex at all", "ffffffffffffffffff"}) {
    CertificateVersion version = VersionOf(90 * kDay);
    version.fingerprint = fingerprint;
    const UnixSeconds at = Backstop(version);
    EXPECT_GE(at, kNow + 60 * kDay) << fingerprint;
    EXPECT_LE(at, kNow + 60 * kDay + 90 * kDay / 20) << fingerprint;
  }
}

TEST(Backstop, IsBeforeTheEndHoweverShortTheLifetime) {
  SeededRandom random;
  for (UnixSeconds lifetime = 1; lifetime < 300; ++lifetime) {
    CertificateVersion version = VersionOf(lifetime);
    version.fingerprint = SomeFingerprint(random);
    ASSERT_LT(Backstop(version), version.not_after) << lifetime;
    ASSERT_GE(Backstop(version), version.not_before) << lifetime;
  }
}

}  // namespace
}  // namespace certwright::renewal
