// So many renewals at once at one CA, in whichever lane they come up.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

namespace certwright::renewal {

class Slots {
 public:
  explicit Slots(std::size_t each) : each_(each) {}

  // Waits for a place at this CA; it is given back with the last copy of what comes. nullptr: stopped.
  std::shared_ptr<void> Take(const std::string& ca, std::stop_token stop) {
    std::unique_lock lock(mutex_);
    std::size_t& taken = taken_[ca];
    if (!freed_.wait(lock, stop, [&] { return taken < each_; })) return nullptr;
    ++taken;
    return std::shared_ptr<void>(&taken, [this](void* place) { GiveBack(place); });
  }

 private:
  void GiveBack(void* place) {
    const std::lock_guard lock(mutex_);
    --*static_cast<std::size_t*>(place);
    freed_.notify_all();
  }

  const std::size_t each_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::map<std::string, std::size_t> taken_;  // entries stay where they are
};

}  // namespace certwright::renewal
