#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "fixture.h"

namespace certwright::renewal {
namespace {

using namespace testing;
using enum FailureCode;

constexpr int kIntMax = std::numeric_limits<int>::max();
constexpr int kIntMin = std::numeric_limits<int>::min();
constexpr FailureCode kAllCodes[] = {kUsage,    kInput,       kConfig,     kNotFound,  kDenied,
                                     kRefused,  kRateLimited, kFuse,       kNetwork,   kUntrusted,
                                     kProtocol, kServer,      kTimeout,    kCancelled, kBusy,
                                     kDamaged,  kDisk,        kPermission, kTraefik,   kInternal};

UnixSeconds WithoutJitter(const Failure& failure, int failures, UnixSeconds now = kNow) {
  FixedRandom none(0);
  return RetryDelay(failure, failures, now, none);
}

TEST(RetryDelay, FollowsTheTable) {
  struct Row {
    const char* name;
    FailureCode code;
    const char* type;
    UnixSeconds retry_in;  // 0: none
    int failures;
    UnixSeconds delay;
  };
  const Row rows[] = {
      {"network, first", kNetwork, "", 0, 1, kMinute},
      {"second", kNetwork, "", 0, 2, 10 * kMinute},
      {"third", kNetwork, "", 0, 3, 100 * kMinute},
      {"fourth", kNetwork, "", 0, 4, kDay},
      {"ninth", kNetwork, "", 0, 9, kDay},
      {"tenth: parked", kNetwork, "", 0, 10, kDay},
      {"nineteenth", kNetwork, "", 0, 19, kDay},
      {"twentieth", kNetwork, "", 0, 20, 7 * kDay},
      {"most of all", kNetwork, "", 0, kIntMax, 7 * kDay},
      {"none yet", kNetwork, "", 0, 0, kMinute},
      {"negative", kNetwork, "", 0, -1, kMinute},
      {"least of all", kNetwork, "", 0, kIntMin, kMinute},
      {"a shift by 32 would be 0", kNetwork, "", 0, 33, 7 * kDay},
      {"a shift by 64 would be 0", kNetwork, "", 0, 65, 7 * kDay},

      {"the CA's fault", kServer, "serverInternal", 0, 2, 10 * kMinute},
      {"the CA's own certificate", kUntrusted, "", 0, 2, 10 * kMinute},
      {"Traefik", kTraefik, "", 0, 3, 100 * kMinute},
      {"timeout", kTimeout, "", 0, 1, kMinute},
      {"a bug", kInternal, "", 0, 4, kDay},
      {"not validated", kRefused, "unauthorized", 0, 1, kMinute},
      {"not reached again", kRefused, "connection", 0, 2, kDay},
      {"no reason", kRefused, "", 0, 1, kMinute},

      {"name refused", kRefused, "rejectedIdentifier", 0, 1, kDay},
      {"CAA", kRefused, "caa", 0, 1, kDay},
      {"malformed", kRefused, "malformed", 0, 1, kDay},
      {"kind of name", kRefused, "unsupportedIdentifier", 0, 1, kDay},
      {"terms", kRefused, "userActionRequired", 0, 1, kDay},
      {"refused, tenth", kRefused, "caa", 0, 10, kDay},
      {"refused, twentieth", kRefused, "caa", 0, 20, 7 * kDay},
      {"a wildcard", kInput, "", 0, 1, kDay},
      {"a wrong certificate", kProtocol, "", 0, 1, kDay},

      {"limited until", kRateLimited, "rateLimited", 5 * kHour, 1, 5 * kHour},
      {"limited for less than an hour", kRateLimited, "rateLimited", 300, 1, 300},
      {"limited for a second", kRateLimited, "rateLimited", 1, 1, kMinute},
      {"limited without a time", kRateLimited, "rateLimited", 0, 1, kHour},
      {"limited without one, ninth", kRateLimited, "rateLimited", 0, 9, kHour},
      {"limited until the past", kRateLimited, "rateLimited", -9, 1, kHour},
      {"limited, the tenth time", kRateLimited, "rateLimited", 300, 10, kDay},
      {"limited for days, tenth", kRateLimited, "rateLimited", 3 * kDay, 10, 3 * kDay},
      {"the fuse", kFuse, "", 2 * kDay, 1, 2 * kDay},
      {"the fuse without a time", kFuse, "", 0, 1, kHour},
      {"limited for a year", kRateLimited, "rateLimited", 365 * kDay, 1, 7 * kDay},

      {"disk", kDisk, "", 0, 1, 10 * kMinute},
      {"disk again", kDisk, "", 0, 2, kHour},
      {"disk for long", kDisk, "", 0, 9, kHour},
      {"disk, tenth", kDisk, "", 0, 10, kDay},
      {"settings", kConfig, "", 0, 1, 10 * kMinute},
      {"permission", kPermission, "", 0, 2, kHour},
      {"no count of ours", kDisk, "", 0, kIntMin, 10 * kMinute},

      {"asks for more", kServer, "", 3 * kHour, 1, 3 * kHour},
      {"asks for less", kServer, "", 3, 2, 10 * kMinute},
      {"asked in the past", kServer, "", -5, 1, kMinute},
      {"asks for seven days", kServer, "", 7 * kDay, 1, 7 * kDay},
      {"asks for more than that", kServer, "", 7 * kDay + 1, 1, 7 * kDay},
      {"asks for more than the week", kServer, "", 8 * kDay, 25, 7 * kDay},
      {"asks for a day when weekly", kServer, "", kDay, 25, 7 * kDay},
      {"refused, asks for two days", kRefused, "caa", 2 * kDay, 1, 2 * kDay},
      {"ours, asks for two hours", kDisk, "", 2 * kHour, 1, 2 * kHour},
  };
  for (const Row& row : rows) {
    const Failure failure =
        FailureWith(row.code, row.type, row.retry_in == 0 ? 0 : kNow + row.retry_in);
    EXPECT_EQ(WithoutJitter(failure, row.failures), row.delay) << row.name;
  }
}

TEST(RetryDelay, TellsAnAnswerThatWasSpoiledFromAWrongCertificate) {
  Failure failure = FailureWith(kProtocol);
  failure.transient = true;
  EXPECT_EQ(WithoutJitter(failure, 1), kMinute);
  failure.transient = false;
  EXPECT_EQ(WithoutJitter(failure, 1), kDay);
}

TEST(RetryDelay, TellsWhatSomebodyMustChangeFromWhatMayPass) {
  for (const char* type :
       {"rejectedIdentifier", "caa", "malformed", "unsupportedIdentifier", "badCSR", "badPublicKey",
        "invalidProfile", "badSignatureAlgorithm", "invalidContact", "unsupportedContact",
        "userActionRequired", "externalAccountRequired"}) {
    EXPECT_EQ(WithoutJitter(FailureWith(kRefused, type), 1), kDay) << type;
  }
  for (const char* type : {"unauthorized", "connection", "dns", "incorrectResponse", "tls",
                           "orderNotReady", "accountDoesNotExist", "CAA", ""}) {
    EXPECT_EQ(WithoutJitter(FailureWith(kRefused, type), 1), kMinute) << type;
  }
}

TEST(RetryDelay, SurvivesTimesWhoseDifferenceOverflows) {
  EXPECT_EQ(WithoutJitter(FailureWith(kServer, "", kMax), 1, kMin), 7 * kDay);
  EXPECT_EQ(WithoutJitter(FailureWith(kRateLimited, "", kMin), 1, kMax), kHour);
}

TEST(RetryDelay, OfALimitThatEndsThisSecondIsThatOfOneWithoutATime) {
  EXPECT_EQ(WithoutJitter(FailureWith(kRateLimited, "", kNow), 1), kHour);
}

TEST(RetryDelay, LooksForARefusedNameBehindTheProblem) {
  Failure failure = FailureWith(kRefused, "compound");
  failure.subproblems = {{"connection", "", "a.example.org"}};
  EXPECT_EQ(WithoutJitter(failure, 1), kMinute);
  failure.subproblems.push_back({"rejectedIdentifier", "", "b.example.org"});
  EXPECT_EQ(WithoutJitter(failure, 1), kDay);
}

TEST(RetryDelay, AddsUpToATenth) {
  struct Row {
    Failure failure;
    int failures;
    UnixSeconds base;
  };
  const Row rows[] = {
      {FailureWith(kNetwork), 1, kMinute},
      {FailureWith(kNetwork), 4, kDay},
      {FailureWith(kNetwork), 20, 7 * kDay},
      {FailureWith(kRateLimited, "rateLimited", kNow + 1000), 1, 1000},
  };
  for (const Row& row : rows) {
    const UnixSeconds most = row.base / 10;
    FixedRandom highest(static_cast<std::uint64_t>(most));
    EXPECT_EQ(RetryDelay(row.failure, row.failures, kNow, highest), row.base + most);
    FixedRandom past_it(static_cast<std::uint64_t>(most) + 1);
    EXPECT_EQ(RetryDelay(row.failure, row.failures, kNow, past_it), row.base);
  }
}

TEST(RetryDelay, NeverIsShorterThanAMinuteNorLongerThanAWeekAndATenth) {
  SeededRandom random;
  const std::int64_t extremes[] = {kMin, kMin + 1, -1, 0, 1, kNow, kNow + 1, kMax - 1, kMax};
  const int counts[] = {kIntMin, -1, 0, 1, 2, 3, 4, 9, 10, 19, 20, 31, 32, 63, 64, kIntMax};
  for (const FailureCode code : kAllCodes) {
    for (const std::int64_t now : extremes) {
      for (const std::int64_t retry_at : extremes) {
        for (const int failures : counts) {
          const UnixSeconds delay =
              RetryDelay(FailureWith(code, "", retry_at), failures, now, random);
          ASSERT_GE(delay, kMinute) << FailureCodeName(code) << " " << failures;
          ASSERT_LE(delay, 7 * kDay + 7 * kDay / 10) << FailureCodeName(code) << " " << failures;
        }
      }
    }
  }
}

TEST(RetryDelay, GrowsWithTheRow) {
  SeededRandom random(7);
  for (const FailureCode code : kAllCodes) {
    for (int round = 0; round < 20; ++round) {
      const UnixSeconds retry_at = kNow + static_cast<UnixSeconds>(random.Below(9 * kDay));
      const Failure failure = FailureWith(code, "", round == 0 ? 0 : retry_at);
      for (int failures = -3; failures < 40; ++failures) {
        ASSERT_LE(WithoutJitter(failure, failures), WithoutJitter(failure, failures + 1))
            << FailureCodeName(code) << " " << failures;
      }
    }
  }
}

TEST(RetryDelay, OfOneLadderAddsUpToFewTriesInAWeek) {
  SeededRandom random;
  UnixSeconds now = kNow;
  int tries = 0;
  while (now < kNow + 7 * kDay) now += RetryDelay(FailureWith(kNetwork), ++tries, now, random);
  EXPECT_THAT(tries, ::testing::AllOf(::testing::Ge(9), ::testing::Le(10)));
}

TEST(IsParked, FromTheTenthOn) {
  for (const int failures : {kIntMin, -1, 0, 1, 9}) EXPECT_FALSE(IsParked(failures)) << failures;
  for (const int failures : {10, 11, 20, kIntMax}) EXPECT_TRUE(IsParked(failures)) << failures;
}

}  // namespace
}  // namespace certwright::renewal
