// Data that is reachable only through its lock.
#pragma once

#include <mutex>
#include <utility>

namespace certwright {

template <typename T>
class Sync {
 public:
  template <typename... Args>
  explicit Sync(Args&&... args) : value_(std::forward<Args>(args)...) {}

  class Lock {
   public:
    explicit Lock(Sync& sync) : guard_(sync.mutex_), value_(sync.value_) {}
    T* operator->() { return &value_; }
    T& operator*() { return value_; }
    // For std::condition_variable_any.
    std::unique_lock<std::mutex>& guard() { return guard_; }

   private:
    std::unique_lock<std::mutex> guard_;
    T& value_;
  };

  Lock Acquire() { return Lock(*this); }

 private:
  std::mutex mutex_;
  T value_;
};

}  // namespace certwright
