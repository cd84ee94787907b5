#include <algorithm>
#include <array>

#include "certwright/renewal/failure_class.h"
#include "certwright/renewal/plan.h"
#include "pace.h"

namespace certwright::renewal {
namespace {

constexpr int kParkedDaily = 10;
constexpr int kParkedWeekly = 20;

enum class Pace { kLadder, kLookFirst, kDaily, kLimited, kOurs };

Pace PaceOf(const Failure& failure) {
  switch (ClassOf(failure)) {
    case FailureClass::kInput: return Pace::kDaily;
    case FailureClass::kValidation: return Pace::kLookFirst;
    case FailureClass::kCa:  // what a proxy spoiled passes, a wrong certificate does not
      return failure.code == FailureCode::kProtocol && !failure.transient ? Pace::kDaily
                                                                          : Pace::kLadder;
    case FailureClass::kNetwork: return Pace::kLadder;
    case FailureClass::kRateLimit: return Pace::kLimited;
    case FailureClass::kOurs: break;
  }
  const bool passes = failure.code == FailureCode::kTraefik ||
                      failure.code == FailureCode::kInternal ||
                      failure.code == FailureCode::kCancelled;
  return passes ? Pace::kLadder : Pace::kOurs;
}

// `failures`: 1 or more.
UnixSeconds Unparked(Pace pace, int failures) {
  constexpr std::array<UnixSeconds, 4> kLadder = {kMinute, 10 * kMinute, 100 * kMinute, kDay};
  constexpr int kTop = static_cast<int>(kLadder.size());
  switch (pace) {
    case Pace::kLadder: return kLadder[static_cast<std::size_t>(std::min(failures, kTop) - 1)];
    // What passed by itself passes in a minute; what does not would burn the fuse in two hours.
    case Pace::kLookFirst: return failures == 1 ? kMinute : kDay;
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
  // Who limits has named the time, and people were told it.
  const bool named = PaceOf(failure) == Pace::kLimited;
  const UnixSeconds most = named ? std::min(MostJitter(base), 10 * kMinute) : MostJitter(base);
  return base + static_cast<UnixSeconds>(random.Below(static_cast<std::uint64_t>(most) + 1));
}

}  // namespace certwright::renewal
