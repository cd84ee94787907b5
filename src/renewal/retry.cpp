#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "certwright/renewal/plan.h"
#include "pace.h"

namespace certwright::renewal {
namespace {

constexpr int kParkedDaily = 10;
constexpr int kParkedWeekly = 20;

enum class Pace { kLadder, kDaily, kLimited, kOurs };

// The CA would say the same again until somebody changed something.
constexpr std::string_view kNeedsSomebody[] = {
    "rejectedIdentifier",
    "caa",
    "malformed",
    "unsupportedIdentifier",
    "badCSR",
    "badPublicKey",
    "invalidProfile",
    "badSignatureAlgorithm",
    "invalidContact",
    "unsupportedContact",
    "userActionRequired",
    "externalAccountRequired",
};

bool NeedsSomebody(std::string_view type) {
  return std::find(std::begin(kNeedsSomebody), std::end(kNeedsSomebody), type) !=
         std::end(kNeedsSomebody);
}

// One name that is refused refuses the whole order ("compound", RFC 8555 section 6.7.1).
bool IsForWhatWasAsked(const Failure& failure) {
  return NeedsSomebody(failure.acme_type) ||
         std::any_of(failure.subproblems.begin(), failure.subproblems.end(),
                     [](const Subproblem& sub) { return NeedsSomebody(sub.type); });
}

Pace PaceOf(const Failure& failure) {
  switch (failure.code) {
    case FailureCode::kRefused: return IsForWhatWasAsked(failure) ? Pace::kDaily : Pace::kLadder;
    case FailureCode::kProtocol:  // what a proxy spoiled passes, a wrong certificate does not
      return failure.transient ? Pace::kLadder : Pace::kDaily;
    case FailureCode::kUsage:
    case FailureCode::kInput:
    case FailureCode::kNotFound:
    case FailureCode::kDenied: return Pace::kDaily;
    case FailureCode::kRateLimited:
    case FailureCode::kFuse: return Pace::kLimited;
    case FailureCode::kConfig:
    case FailureCode::kBusy:
    case FailureCode::kDamaged:
    case FailureCode::kDisk:
    case FailureCode::kPermission: return Pace::kOurs;
    case FailureCode::kNetwork:
    case FailureCode::kUntrusted:
    case FailureCode::kServer:
    case FailureCode::kTimeout:
    case FailureCode::kCancelled:
    case FailureCode::kTraefik:
    case FailureCode::kInternal: return Pace::kLadder;
  }
  return Pace::kDaily;
}

// `failures`: 1 or more.
UnixSeconds Unparked(Pace pace, int failures) {
  constexpr std::array<UnixSeconds, 4> kLadder = {kMinute, 10 * kMinute, 100 * kMinute, kDay};
  constexpr int kTop = static_cast<int>(kLadder.size());
  switch (pace) {
    case Pace::kLadder: return kLadder[static_cast<std::size_t>(std::min(failures, kTop) - 1)];
    case Pace::kDaily: return kDay;
    case Pace::kLimited: return kHour;
    case Pace::kOurs: return failures == 1 ? 10 * kMinute : kHour;
  }
  return kDay;
}

}  // namespace

bool IsParked(int failures) { return failures >= kParkedDaily; }

UnixSeconds BasePause(const Failure& failure, int failures, UnixSeconds now) {
  const UnixSeconds asked = std::min(Sane(failure.retry_at) - Sane(now), kWeek);
  if (failures >= kParkedWeekly) return kWeek;
  if (IsParked(failures)) return std::max(kDay, asked);
  const Pace pace = PaceOf(failure);
  // Who limits knows when the limit ends, also where that is soon.
  if (pace == Pace::kLimited && asked > 0) return std::max(kMinute, asked);
  return std::max(Unparked(pace, std::max(failures, 1)), asked);
}

UnixSeconds RetryDelay(const Failure& failure, int failures, UnixSeconds now, Random& random) {
  const UnixSeconds base = BasePause(failure, failures, now);
  return base +
         static_cast<UnixSeconds>(random.Below(static_cast<std::uint64_t>(MostJitter(base)) + 1));
}

}  // namespace certwright::renewal
