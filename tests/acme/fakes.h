// What the order flow is given in tests in place of time and of the responder.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
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
  UnixSeconds Now() const override { return kNow + ahead_ + passed_.load() / 1000; }
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
  // The wall clock alone: somebody set it, or the machine slept.
  void SetAhead(UnixSeconds ahead) { ahead_ = ahead; }
  std::vector<Millis> Sleeps() const {
    const std::lock_guard guard(mutex_);
    return sleeps_;
  }
  std::function<void()> on_sleep;  // set before the threads start

 private:
  std::atomic<std::int64_t> passed_ = 0;
  std::atomic<UnixSeconds> ahead_ = 0;
  mutable std::mutex mutex_;
  std::vector<Millis> sleeps_;
};

// The CA's fetches come when the test says; waiting passes the fake clock's time. As the real one
// it tells each fetch once.
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
    presented_at_ = clock_.SteadyNow();
    told_ = 0;
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
    const std::lock_guard guard(mutex_);
    const Steady now = clock_.SteadyNow();
    Steady news{};  // when it has been quiet after a fetch that was not told yet
    std::size_t next = told_;
    for (; next < fetches.size(); ++next) {
      const Steady fetch = presented_at_ + fetches[next];
      if (next > told_ && fetch > std::max(now, news)) break;
      news = fetch + quiet;
    }
    const bool any = next > told_ && news <= now + timeout;
    if (any) told_ = next;
    clock_.Pass(
        std::max(Millis(0), any ? std::chrono::duration_cast<Millis>(news - now) : timeout));
    return any;
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

  // When the CA has fetched every token (again), each after the last Present; rising. {}: never.
  std::vector<Millis> fetches = {Millis(0)};
  std::function<void(const std::string&)> on_present;
  std::function<void()> on_wait;

 private:
  FakeClock& clock_;
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> presented_;
  std::vector<std::string> withdrawn_;
  std::vector<Waited> waits_;
  Steady presented_at_{};
  std::size_t told_ = 0;  // of the fetches
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
