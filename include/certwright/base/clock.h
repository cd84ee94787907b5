// Time is injected (invariant I7): only base reads the clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

namespace certwright {

using UnixSeconds = std::int64_t;                      // wall clock, UTC
using Steady = std::chrono::steady_clock::time_point;  // for waits: not moved by an administrator
using Millis = std::chrono::milliseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixSeconds Now() const = 0;
  virtual Steady SteadyNow() const = 0;
  // Sleeps for at most `duration`; returns early (false) when `stop` is requested.
  virtual bool Sleep(Millis duration, std::stop_token stop) = 0;
};

// The machine's clock; lives as long as the program.
Clock& SystemClock();

// "2026-11-24T10:00:00Z" (RFC 3339) and back; Parse accepts any offset and fractions.
// Parse* return -1 where the text is no date of that form.
std::string FormatUtc(UnixSeconds time);
UnixSeconds ParseRfc3339(std::string_view text);
// RFC 9110 section 5.6.7, the IMF-fixdate form.
UnixSeconds ParseHttpDate(std::string_view text);

}  // namespace certwright
