// What holds of any certificate, window, failure and time, also of those that make no sense.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include "fixture.h"

namespace certwright::renewal {
namespace {

using namespace testing;
using model::CertificateVersion;
using model::ManagedCertificate;
using model::RenewalInfo;
using model::RenewalWindow;

const ManagedCertificate kNothingFailed;

class Anything {
 public:
  explicit Anything(std::uint64_t seed) : random_(seed) {}

  bool Coin() { return random_.Below(2) == 0; }

  UnixSeconds Time() {
    constexpr UnixSeconds kEdges[] = {kMin, kMin + 1, -1, 0, 1, kNow, kMax - 1, kMax};
    switch (random_.Below(8)) {
      case 0: return kEdges[random_.Below(std::size(kEdges))];
      case 1: return static_cast<UnixSeconds>(random_.Below(1ULL << 63)) * (Coin() ? 1 : -1);
      case 2: return kNow + Near(kMinute);
      case 3: return kNow + Near(kDay);
      case 4: return kNow + Near(8 * kDay);
      default: return kNow + Near(200 * kDay);
    }
  }

  int Count() {
    constexpr int kEdges[] = {std::numeric_limits<int>::min(), -1, 0, 10, 20, 63,
                              std::numeric_limits<int>::max()};
    return Coin() ? static_cast<int>(random_.Below(25)) : kEdges[random_.Below(std::size(kEdges))];
  }

  std::optional<CertificateVersion> Version() {
    if (random_.Below(10) == 0) return std::nullopt;
    CertificateVersion version = VersionOf(0);
    version.not_before = Time();
    version.not_after = Time();
    version.fingerprint = SomeFingerprint(random_);
    if (random_.Below(5) == 0) version.ari_id.clear();
    return version;
  }

  RenewalInfo Info() {
    RenewalInfo known =
        Known(VersionOf(0), Time(), Time(), Coin() ? Time() : 0, Coin() ? Time() : 0);
    if (random_.Below(10) == 0) known.ari_id = "another.id";
    return known;
  }

  ManagedCertificate Failing() {
    Failure failure =
        FailureWith(static_cast<FailureCode>(random_.Below(20)), "", Coin() ? Time() : 0);
    failure.transient = Coin();
    return FailedAt(Time(), Count(), failure);
  }

  Random& random() { return random_; }

 private:
  UnixSeconds Near(UnixSeconds distance) {
    return static_cast<UnixSeconds>(random_.Below(static_cast<std::uint64_t>(2 * distance))) -
           distance;
  }

  SeededRandom random_;
};

constexpr int kRounds = 20'000;
// What counts as now where `now` is outside the years that can be reckoned with.
UnixSeconds Sane(UnixSeconds now) { return std::clamp<UnixSeconds>(now, 1, 253402300799); }

TEST(PlanInvariants, LooksNoLaterThanItRenewsAndNeverInThePast) {
  Anything any(11);
  for (int round = 0; round < kRounds; ++round) {
    const UnixSeconds now = any.Time();
    const auto version = any.Version();
    const Due due = Plan(any.Coin() ? any.Failing() : kNothingFailed, version, any.Info(), now);
    ASSERT_LE(due.look_at, due.renew_at) << round;
    ASSERT_GE(due.look_at, Sane(now)) << round;
    ASSERT_NE(due.reason, Reason::kNever) << round;
  }
}

TEST(PlanInvariants, TimeThatPassesBringsNothingForward) {
  Anything any(12);
  for (int round = 0; round < kRounds; ++round) {
    const auto version = any.Version();
    const RenewalInfo known = any.Info();
    const ManagedCertificate certificate = any.Coin() ? any.Failing() : kNothingFailed;
    UnixSeconds earlier = any.Time();
    UnixSeconds later = any.Time();
    if (later < earlier) std::swap(earlier, later);
    const Due first = Plan(certificate, version, known, earlier);
    const Due second = Plan(certificate, version, known, later);
    ASSERT_LE(first.renew_at, second.renew_at) << round;
    ASSERT_LE(first.look_at, second.look_at) << round;
  }
}

// Woken at look_at, the scheduler finds something to do: it does not spin, and what was promised
// for an instant is due at it.
TEST(PlanInvariants, AtItsInstantThereIsWork) {
  Anything any(13);
  for (int round = 0; round < kRounds; ++round) {
    const auto version = any.Version();
    const RenewalInfo known = any.Info();
    const ManagedCertificate certificate = any.Coin() ? any.Failing() : kNothingFailed;
    UnixSeconds now = Sane(any.Time());
    int looks = 0;
    for (; looks < 4; ++looks) {
      const Due due = Plan(certificate, version, known, now);
      if (due.renew_at == now || (version && IsWindowWanted(*version, known, now))) break;
      ASSERT_GT(due.look_at, now) << round;
      now = due.look_at;
    }
    ASSERT_LT(looks, 4) << round;
  }
}

TEST(PlanInvariants, AFailureNeverMakesItEarlier) {
  Anything any(14);
  for (int round = 0; round < kRounds; ++round) {
    const UnixSeconds now = any.Time();
    const auto version = any.Version();
    const RenewalInfo known = any.Info();
    const Due planned = Plan(kNothingFailed, version, known, now);
    const Due failing = Plan(any.Failing(), version, known, now);
    ASSERT_GE(failing.renew_at, planned.renew_at) << round;
    ASSERT_GE(failing.look_at, planned.look_at) << round;
    // Nor later than the longest pause, whatever was written down.
    ASSERT_LE(failing.renew_at, std::max(planned.renew_at, Sane(now) + 7 * kDay + 60480)) << round;
  }
}

TEST(PlanInvariants, IsRenewedBeforeItExpiresWhereNothingFails) {
  Anything any(15);
  for (int round = 0; round < kRounds; ++round) {
    const UnixSeconds now = Sane(any.Time());
    const auto version = any.Version();
    if (!version || Sane(version->not_after) <= now + 1) continue;
    if (Sane(version->not_before) >= Sane(version->not_after)) continue;
    const Due due = Plan(kNothingFailed, version, any.Info(), now);
    ASSERT_LT(due.renew_at, Sane(version->not_after)) << round;
  }
}

TEST(PlanInvariants, WhatARecordedFailureNamesIsObeyed) {
  Anything any(16);
  for (int round = 0; round < kRounds; ++round) {
    ManagedCertificate certificate = any.Failing();
    const UnixSeconds now = Sane(any.Time());
    certificate.last_error_at = now;
    certificate.last_error->retry_at =
        now + RetryDelay(*certificate.last_error, certificate.failures, now, any.random());
    const Due due = Plan(certificate, std::nullopt, {}, now);
    ASSERT_EQ(due.renew_at, certificate.last_error->retry_at) << round;
    ASSERT_EQ(due.reason, IsParked(certificate.failures) ? Reason::kParked : Reason::kRetry);
  }
}

TEST(KeepInvariants, KeepsATimeInTheWindowAndAsksWithinADay) {
  Anything any(17);
  for (int round = 0; round < kRounds; ++round) {
    const RenewalInfo known = any.Info();
    const UnixSeconds now = any.Time();
    const RenewalWindow seen = Window(any.Time(), any.Time(), Millis(any.Time()));
    const RenewalInfo kept = Keep(known, seen, now, any.random());
    ASSERT_GE(kept.check_at, Sane(now) + kMinute) << round;
    ASSERT_LE(kept.check_at, Sane(now) + kDay) << round;
    ASSERT_EQ(kept.ari_id, known.ari_id) << round;
    if (seen.end <= seen.start) {
      ASSERT_EQ(kept.chosen_at, known.chosen_at) << round;
    } else if (kept.chosen_at != known.chosen_at) {
      ASSERT_GE(kept.chosen_at, Sane(seen.start)) << round;
      ASSERT_LE(kept.chosen_at, Sane(seen.end)) << round;
    }
    const RenewalInfo again = Keep(kept, seen, now, any.random());
    ASSERT_EQ(again.chosen_at, kept.chosen_at) << round;
  }
}

TEST(BackstopInvariants, LiesInTheLifetime) {
  Anything any(18);
  for (int round = 0; round < kRounds; ++round) {
    const auto version = any.Version();
    if (!version) continue;
    ASSERT_LE(Backstop(*version), Sane(version->not_after)) << round;
    ASSERT_GE(Backstop(*version), std::min(Sane(version->not_before), Sane(version->not_after)))
        << round;
  }
}

}  // namespace
}  // namespace certwright::renewal
