// One at a time for one certificate: who comes second waits, and then looks again.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <set>
#include <stop_token>

namespace certwright::renewal {

class Claims {
 public:
  // Holds the certificate until it goes.
  class Claim {
   public:
    Claim(Claims& claims, std::int64_t certificate_id)
        : claims_(claims), certificate_id_(certificate_id) {}
    Claim(const Claim&) = delete;
    ~Claim() { claims_.Release(certificate_id_); }

   private:
    Claims& claims_;
    const std::int64_t certificate_id_;
  };

  // False where `stop` was requested first; else to be given to a Claim.
  bool Take(std::int64_t certificate_id, std::stop_token stop) {
    std::unique_lock guard(mutex_);
    const bool free = released_.wait(guard, stop, [&] { return !held_.contains(certificate_id); });
    if (free) held_.insert(certificate_id);
    return free;
  }

 private:
  void Release(std::int64_t certificate_id) {
    const std::lock_guard guard(mutex_);
    held_.erase(certificate_id);
    released_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable_any released_;
  std::set<std::int64_t> held_;
};

}  // namespace certwright::renewal
