// Three times in one: what the world and the CA say, what our wall clock says, and how long this
// machine was awake.
#pragma once

#include <algorithm>
#include <atomic>

#include "certwright/base/clock.h"

namespace certwright::sim {

inline constexpr UnixSeconds kMinute = 60;
inline constexpr UnixSeconds kHour = 60 * kMinute;
inline constexpr UnixSeconds kDay = 24 * kHour;
inline constexpr UnixSeconds kStart = 1'800'000'000;  // 2027-01-15T08:00:00Z

inline constexpr int kSideBySide = 8;

class SimClock : public Clock {
 public:
  UnixSeconds Now() const override { return True() + ahead_; }
  Steady SteadyNow() const override { return Steady(Millis(awake_.load())); }
  // Passes at once. Those who work side by side sleep side by side.
  bool Sleep(Millis duration, std::stop_token stop) override {
    if (stop.stop_requested()) return false;
    Pass(std::max<std::int64_t>(duration.count() / kSideBySide, 1));
    return !stop.stop_requested();
  }

  UnixSeconds True() const { return true_.load() / 1000; }
  void PassSeconds(UnixSeconds seconds) { Pass(seconds * 1000); }
  void Suspend(UnixSeconds seconds) { true_ += seconds * 1000; }
  // Our wall clock is this much ahead of the world's from now on.
  void SetAhead(UnixSeconds seconds) { ahead_ = seconds; }

 private:
  void Pass(std::int64_t millis) {
    true_ += millis;
    awake_ += millis;
  }

  std::atomic<std::int64_t> true_{kStart * 1000};
  std::atomic<std::int64_t> awake_{0};
  std::atomic<std::int64_t> ahead_{0};
};

}  // namespace certwright::sim
