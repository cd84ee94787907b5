#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "fixture.h"

namespace certwright::renewal {
namespace {

using namespace testing;
using model::CertificateVersion;
using model::ManagedCertificate;
using model::RenewalInfo;

const ManagedCertificate kNothingFailed;

TEST(ReasonName, IsDifferentForEach) {
  using enum Reason;
  std::vector<std::string_view> names;
  for (const Reason reason :
       {kNever, kMissing, kExpired, kRevoked, kWindow, kBackstop, kRetry, kParked}) {
    names.push_back(ReasonName(reason));
  }
  EXPECT_THAT(names, ::testing::ElementsAre("never", "missing", "expired", "revoked", "window",
                                            "backstop", "retry", "parked"));
}

TEST(Plan, AnOrderThatWasLeftOpenGoesOnAtItsNextTry) {
  const CertificateVersion version = Usual();
  const RenewalInfo known = AskedLately(version);
  model::OrderRecord order;
  order.created_at = kNow - kHour;
  const Failure down = FailureWith(FailureCode::kNetwork);
  const ManagedCertificate failed_before = FailedAt(kNow - 2 * kHour, 1, down);
  const ManagedCertificate failed_since = FailedAt(kNow - 30, 1, down);
  CertificateVersion to_go = version;
  to_go.revocation_reason = "superseded";
  using enum Reason;
  EXPECT_EQ(Plan(kNothingFailed, version, known, {}, kNow),
            Plan(kNothingFailed, version, known, kNow));
  EXPECT_EQ(Plan(kNothingFailed, version, known, {order}, kNow), (Due{kNow, kNow, kRetry}));
  EXPECT_EQ(Plan(failed_before, version, known, {order}, kNow), (Due{kNow, kNow, kRetry}));
  EXPECT_EQ(Plan(failed_since, version, known, {order}, kNow),
            (Due{kNow + 30, kNow + 30, kRetry}));
  EXPECT_EQ(Plan(kNothingFailed, std::nullopt, {}, {order}, kNow), (Due{kNow, kNow, kMissing}));
  EXPECT_EQ(Plan(kNothingFailed, to_go, known, {order}, kNow).renew_at, 0) << "it is to go";
}

TEST(Plan, FollowsTheTable) {
  struct Row {
    const char* name;
    UnixSeconds now;
    UnixSeconds chosen_at;  // 0: no window
    UnixSeconds check_at;
    Due due;
  };
  const CertificateVersion version = Usual();
  const UnixSeconds end = version.not_after;
  const UnixSeconds soon = kNow + 5 * kHour;
  using enum Reason;
  const Row rows[] = {
      {"no window: backstop", kNow, 0, soon, {kUsualBackstop, soon, kBackstop}},
      {"not asked yet", kNow, 0, 0, {kUsualBackstop, kNow, kBackstop}},
      {"to be asked since yesterday", kNow, 0, kNow - kDay, {kUsualBackstop, kNow, kBackstop}},
      {"window first", kNow, kNow + kDay, soon, {kNow + kDay, soon, kWindow}},
      {"window before the next question", kNow, kNow + 9, soon, {kNow + 9, kNow + 9, kWindow}},
      {"window later", kNow, kUsualBackstop + 1, soon, {kUsualBackstop, soon, kBackstop}},
      {"both at once", kNow, kUsualBackstop, soon, {kUsualBackstop, soon, kWindow}},
      {"window is now", kNow, kNow, soon, {kNow, kNow, kWindow}},
      {"window in the past is now", kNow, kNow - 9 * kDay, soon, {kNow, kNow, kWindow}},
      {"window before the certificate", kNow, 1, soon, {kNow, kNow, kWindow}},
      {"backstop is now", kUsualBackstop, 0, 0, {kUsualBackstop, kUsualBackstop, kBackstop}},
      {"backstop gone",
       kUsualBackstop + 5,
       0,
       0,
       {kUsualBackstop + 5, kUsualBackstop + 5, kBackstop}},
      {"the last second", end - 1, 0, 0, {end - 1, end - 1, kBackstop}},
      {"expired", end, 0, 0, {end, end, kExpired}},
      {"expired, with a window to come", end, end + kDay, end + kHour, {end, end, kExpired}},
      {"long expired", end + 999 * kDay, 0, 0, {end + 999 * kDay, end + 999 * kDay, kExpired}},
      // The clock is behind: an order now would be one too many.
      {"not valid yet", kNow - 31 * kDay, 0, 0, {kUsualBackstop, kNow - 31 * kDay, kBackstop}},
      {"the clock fell to 1970", 9, kNow, soon, {kNow, 9, kWindow}},
      {"the clock fell below", -5, kNow, soon, {kNow, 1, kWindow}},
      {"next question years ahead", kNow, 0, kNow + 999 * kDay, {kUsualBackstop, kNow, kBackstop}},
  };
  for (const Row& row : rows) {
    const UnixSeconds start = row.chosen_at == 0 ? 0 : row.chosen_at - kDay;
    const UnixSeconds until = row.chosen_at == 0 ? 0 : row.chosen_at + kDay;
    const RenewalInfo known = Known(version, start, until, row.chosen_at, row.check_at);
    EXPECT_EQ(Plan(kNothingFailed, version, known, row.now), row.due) << row.name;
  }
}

TEST(Plan, OfEachLifetimeLeavesTimeForTries) {
  for (const Lifetime& row : kLifetimes) {
    CertificateVersion version = VersionOf(row.lifetime);
    version.fingerprint = std::string(64, 'f');
    const Due due = Plan(kNothingFailed, version, AskedLately(version), kNow);
    EXPECT_EQ(due.reason, Reason::kBackstop) << row.name;
    EXPECT_EQ(due.renew_at, Backstop(version)) << row.name;
    EXPECT_EQ(due.look_at, std::min(due.renew_at, kNow + 5 * kHour)) << row.name;
    EXPECT_GT(version.not_after - due.renew_at, row.lifetime / 4) << row.name;
  }
}

TEST(Plan, WithoutAVersionIsNow) {
  const Due now{kNow, kNow, Reason::kMissing};
  EXPECT_EQ(Plan(kNothingFailed, std::nullopt, {}, kNow), now);
  // What is left of a version before does not hold it back.
  EXPECT_EQ(Plan(kNothingFailed, std::nullopt, AskedLately(Usual()), kNow), now);
}

TEST(Plan, WhatIsToBeRevokedIsReplacedAtOnceOrNotAtAll) {
  CertificateVersion version = Usual();
  version.revocation_reason = "keyCompromise";
  const Due resting{0, kNow + kDay, Reason::kRevoked};
  EXPECT_EQ(Plan(kNothingFailed, version, AskedLately(version), kNow), resting);
  version.revoke_replaced = true;
  EXPECT_EQ(Plan(kNothingFailed, version, AskedLately(version), kNow),
            (Due{kNow, kNow, Reason::kRevoked}));
  const Failure failure = FailureWith(FailureCode::kNetwork, "", kNow + kHour);
  EXPECT_EQ(Plan(FailedAt(kNow, 1, failure), version, AskedLately(version), kNow).renew_at,
            kNow + kHour)
      << "at the pace of any other failure";
}

TEST(Plan, AtTheEpochIsNotNever) {
  for (const UnixSeconds now : {kMin, UnixSeconds{-1}, UnixSeconds{0}}) {
    const Due due = Plan(kNothingFailed, std::nullopt, {}, now);
    EXPECT_EQ(due, (Due{1, 1, Reason::kMissing})) << now;
  }
}

TEST(Plan, NeverRenewsWhatCameFromElsewhere) {
  const Failure failure = FailureWith(FailureCode::kNetwork, "", kNow + kDay);
  for (const model::Origin origin : {model::Origin::kUpload, model::Origin::kSelfSigned}) {
    CertificateVersion version = Usual();
    version.origin = origin;
    for (const UnixSeconds now : {kNow, version.not_after, version.not_after + 900 * kDay, kMax}) {
      EXPECT_EQ(Plan(kNothingFailed, version, {}, now), Due{});
      EXPECT_EQ(Plan(FailedAt(kNow, 3, failure), version, {}, now), Due{});
    }
  }
}

TEST(Plan, WithoutACertIdOnlyTheBackstopCounts) {
  CertificateVersion version = Usual();
  version.ari_id = "";
  const Due due{kUsualBackstop, kUsualBackstop, Reason::kBackstop};
  EXPECT_EQ(Plan(kNothingFailed, version, {}, kNow), due);
}

TEST(Plan, DoesNotTakeAnotherCertificatesWindow) {
  RenewalInfo other = Known(Usual(), kNow - kDay, kNow, kNow - 5, kNow + kHour);
  EXPECT_EQ(Plan(kNothingFailed, Usual(), other, kNow).renew_at, kNow);
  other.ari_id = "another.id";
  const Due due{kUsualBackstop, kNow, Reason::kBackstop};
  EXPECT_EQ(Plan(kNothingFailed, Usual(), other, kNow), due);
}

// Kept by somebody who filled in no certID: better than asking again and again.
TEST(Plan, TakesAWindowWithoutACertId) {
  RenewalInfo nameless = Known(Usual(), kNow, kNow + 9 * kDay, kNow + 2 * kDay, kNow + kHour);
  nameless.ari_id = "";
  EXPECT_EQ(Plan(kNothingFailed, Usual(), nameless, kNow),
            (Due{kNow + 2 * kDay, kNow + kHour, Reason::kWindow}));
}

TEST(Plan, AfterAFailureFollowsTheTable) {
  using enum FailureCode;
  using enum Reason;
  struct Row {
    const char* name;
    FailureCode code;
    int failures;
    UnixSeconds failed_at;
    UnixSeconds retry_at;
    UnixSeconds renew_at;
    Reason reason;
  };
  // Of a certificate that is missing: what holds it back is the failure alone.
  const Row rows[] = {
      {"its time", kNetwork, 1, kNow - 5, kNow + 60, kNow + 60, kRetry},
      {"its time has come", kNetwork, 1, kNow - 65, kNow, kNow, kMissing},
      {"its time is over", kNetwork, 3, kNow - 9 * kHour, kNow - kHour, kNow, kMissing},
      {"no time: the ladder", kNetwork, 2, kNow - 5, 0, kNow - 5 + 600, kRetry},
      {"no time, long ago", kNetwork, 2, kNow - kDay, 0, kNow, kMissing},
      {"a time before the ladder's", kServer, 2, kNow - 5, kNow + 5, kNow - 5 + 600, kRetry},
      {"a limit that ends soon", kRateLimited, 2, kNow, kNow + 120, kNow + 120, kRetry},
      {"a limit that has ended", kRateLimited, 1, kNow - 300, kNow - 60, kNow, kMissing},
      {"refused", kRefused, 4, kNow - 5, 0, kNow - 5 + kDay, kRetry},
      {"the ninth", kNetwork, 9, kNow, kNow + kDay, kNow + kDay, kRetry},
      {"the tenth", kNetwork, 10, kNow, kNow + kDay, kNow + kDay, kParked},
      {"the twentieth", kNetwork, 20, kNow, 0, kNow + 7 * kDay, kParked},
      {"parked, and its time has come", kNetwork, 20, kNow - 8 * kDay, kNow - 9, kNow, kMissing},
      {"the longest pause", kNetwork, 20, kNow, kNow + 7 * kDay + 60480, kNow + 7 * kDay + 60480,
       kParked},
      {"longer: not ours", kNetwork, 1, kNow, kNow + 7 * kDay + 60481, kNow + 7 * kDay, kRetry},
      {"for ever, long ago", kNetwork, 1, kNow - 8 * kDay, kMax, kNow, kMissing},
      {"the clock fell by years", kNetwork, 4, kNow + 999 * kDay, kNow + 1000 * kDay, kNow,
       kMissing},
      {"the clock fell by an hour", kNetwork, 4, kNow + kHour, kNow + 25 * kHour, kNow + 25 * kHour,
       kRetry},
      {"the clock jumped ahead", kNetwork, 4, kNow - 999 * kDay, kNow - 998 * kDay, kNow, kMissing},
      {"a count below 0", kNetwork, -7, kNow, 0, kNow + 60, kRetry},
      {"times below 0", kNetwork, 1, -5, -5, kNow, kMissing},
      {"times far below 0", kNetwork, 20, kMin, kMin, kNow, kMissing},
      {"a last error in the far future", kNetwork, 20, kMax, 0, kNow, kMissing},
  };
  for (const Row& row : rows) {
    const Failure failure = FailureWith(row.code, "", row.retry_at);
    const Due due{row.renew_at, row.renew_at, row.reason};
    EXPECT_EQ(Plan(FailedAt(row.failed_at, row.failures, failure), std::nullopt, {}, kNow), due)
        << row.name;
  }
}

TEST(Plan, AfterAFailureIsNeverEarlierThanPlanned) {
  const CertificateVersion version = Usual();
  const Failure failure = FailureWith(FailureCode::kNetwork, "", kNow + kDay);
  const Due due{kUsualBackstop, kNow + 5 * kHour, Reason::kBackstop};
  EXPECT_EQ(Plan(FailedAt(kNow, 4, failure), version, AskedLately(version), kNow), due);
  const RenewalInfo window = Known(version, kNow, kNow + 9 * kDay, kNow + 2 * kDay, kNow + kHour);
  EXPECT_EQ(Plan(FailedAt(kNow, 4, failure), version, window, kNow),
            (Due{kNow + 2 * kDay, kNow + kHour, Reason::kWindow}));
}

TEST(Plan, AsksForTheWindowAlsoWhileItFails) {
  const CertificateVersion version = Usual();
  const UnixSeconds now = kUsualBackstop + kDay;
  const Failure failure = FailureWith(FailureCode::kNetwork, "", now + kDay);
  const RenewalInfo known = Known(version, 0, 0, 0, now + kHour);
  EXPECT_EQ(Plan(FailedAt(now, 4, failure), version, known, now),
            (Due{now + kDay, now + kHour, Reason::kRetry}));
}

TEST(Plan, ExpiredAndFailingWaitsAndAsksNoWindow) {
  const CertificateVersion version = Usual();
  const UnixSeconds now = version.not_after;
  const Failure failure = FailureWith(FailureCode::kNetwork, "", now + kDay);
  EXPECT_EQ(Plan(FailedAt(now, 12, failure), version, {}, now),
            (Due{now + kDay, now + kDay, Reason::kParked}));
}

}  // namespace
}  // namespace certwright::renewal
