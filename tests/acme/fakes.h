// What the order flow is given in tests in place of time and of the responder.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "certwright/acme/http01.h"
#include "certwright/base/clock.h"
#include "certwright/base/error.h"

namespace certwright::acme::testing {

inline constexpr UnixSeconds kNow = 1'800'000'000;  // 2027-01-15T08:00:00Z
inline constexpr UnixSeconds kDay = 24 * 3600;

// Sleeps pass at once, move both clocks and are written down.
class FakeClock : public Clock {
 public:
  UnixSeconds Now() const override { return kNow + passed_.load() / 1000; }
  Steady SteadyNow() const override { return Steady(Millis(passed_.load())); }
  bool Sleep(Millis duration, std::stop_token stop) override {
    if (stop.stop_requested()) return false;
    {
      const std::lock_guard guard(mutex_);
      sleeps_.push_back(duration);
    }
    if (on_sleep) on_sleep();
    Pass(duration);
    return !stop.stop_requested();
  }
  void Pass(Millis duration) { passed_ += duration.count(); }
  std::vector<Millis> Sleeps() const {
    const std::lock_guard guard(mutex_);
    return sleeps_;
  }
  std::function<void()> on_sleep;  // set before the threads start

 private:
  std::atomic<std::int64_t> passed_ = 0;
  mutable std::mutex mutex_;
  std::vector<Millis> sleeps_;
};

// Says what the test wants of fetches; a wait in vain takes the whole time on the fake clock.
class FakePresenter : public Http01Presenter {
 public:
  explicit FakePresenter(FakeClock& clock) : clock_(clock) {}

  struct Waited {
    std::vector<std::string> tokens;
    Millis quiet;
    Millis timeout;
  };

  void Present(const std::string& token, const std::string& key_authorization) override {
    const std::lock_guard guard(mutex_);
    presented_.emplace_back(token, key_authorization);
    if (on_present) on_present(token);
  }
  void Withdraw(const std::string& token) override {
    const std::lock_guard guard(mutex_);
    withdrawn_.push_back(token);
  }
  bool WaitFetched(const std::vector<std::string>& tokens, Millis quiet, Millis timeout,
                   std::stop_token stop) override {
    {
      const std::lock_guard guard(mutex_);
      waits_.push_back({tokens, quiet, timeout});
    }
    if (on_wait) on_wait();
    if (stop.stop_requested()) return false;
    clock_.Pass(fetched ? quiet : timeout);
    return fetched;
  }

  std::vector<std::pair<std::string, std::string>> Presented() const {
    const std::lock_guard guard(mutex_);
    return presented_;
  }
  std::vector<std::string> Withdrawn() const {
    const std::lock_guard guard(mutex_);
    return withdrawn_;
  }
  std::vector<Waited> Waits() const {
    const std::lock_guard guard(mutex_);
    return waits_;
  }

  std::atomic<bool> fetched = true;
  std::function<void(const std::string&)> on_present;
  std::function<void()> on_wait;

 private:
  FakeClock& clock_;
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> presented_;
  std::vector<std::string> withdrawn_;
  std::vector<Waited> waits_;
};

// The failure that `action` ends with; a test failure where it ends well.
template <typename Action>
Failure FailureOf(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.failure();
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

inline Failure NetworkFailure() {
  Failure failure;
  failure.code = FailureCode::kNetwork;
  failure.detail = "the connection was cut";
  failure.transient = true;
  return failure;
}

}  // namespace certwright::acme::testing
