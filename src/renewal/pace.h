// Times and pauses that plan.cpp and retry.cpp share.
#pragma once

#include <algorithm>

#include "certwright/base/clock.h"
#include "certwright/base/error.h"

namespace certwright::renewal {

inline constexpr UnixSeconds kMinute = 60;
inline constexpr UnixSeconds kHour = 60 * kMinute;
inline constexpr UnixSeconds kDay = 24 * kHour;
inline constexpr UnixSeconds kWeek = 7 * kDay;

// A time from outside (the CA, the store, a clock without a battery) as one that can be reckoned
// with: no sum of it and some years overflows, and it is not 0, which means never.
constexpr UnixSeconds Sane(UnixSeconds time) {
  constexpr UnixSeconds kLast = 253402300799;  // 9999-12-31T23:59:59Z
  return std::clamp<UnixSeconds>(time, 1, kLast);
}

constexpr UnixSeconds MostJitter(UnixSeconds pause) { return pause / 10; }

inline constexpr UnixSeconds kLongestPause = kWeek + MostJitter(kWeek);

// RetryDelay without its jitter: kMinute to kWeek.
UnixSeconds BasePause(const Failure& failure, int failures, UnixSeconds now);

}  // namespace certwright::renewal
