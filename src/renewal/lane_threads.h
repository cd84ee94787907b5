// One thread a CA, while something is due there: a CA that hangs holds up what is its own.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

namespace certwright::renewal {

class LaneThreads {
 public:
  LaneThreads() = default;
  // Stops all and waits for them.
  ~LaneThreads() {
    for (auto& [ca, lane] : lanes_) lane.request_stop();
  }

  std::set<std::string> Busy() {
    const std::lock_guard guard(mutex_);
    return busy_;
  }

  // `work` must not throw. Only of a lane that is not busy, and only from one thread.
  void Begin(const std::string& ca, std::function<void(std::stop_token)> work) {
    {
      const std::lock_guard guard(mutex_);
      busy_.insert(ca);
    }
    try {
      Run(ca, std::move(work));
    } catch (...) {  // no thread can be had: the lane is free for the next try
      const std::lock_guard guard(mutex_);
      busy_.erase(ca);
      throw;
    }
  }

  // A token that is stopped as soon as a lane has ended after this call.
  std::stop_source NextNap() {
    const std::lock_guard guard(mutex_);
    nap_ = std::stop_source();
    return nap_;
  }

 private:
  void Run(const std::string& ca, std::function<void(std::stop_token)> work) {
    lanes_[ca] = std::jthread([this, ca, work = std::move(work)](std::stop_token stop) {
      work(stop);
      const std::lock_guard guard(mutex_);
      busy_.erase(ca);
      nap_.request_stop();
    });
  }

  std::mutex mutex_;
  std::set<std::string> busy_;
  std::stop_source nap_;
  std::map<std::string, std::jthread> lanes_;  // last: joined first
};

}  // namespace certwright::renewal
