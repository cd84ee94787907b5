// The limits of Let's Encrypt production, as the CA counts them: sliding windows.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>

#include "sim_clock.h"

namespace certwright::sim {

// So many within so long, for each subject.
class SlidingLimit {
 public:
  SlidingLimit(std::size_t most, UnixSeconds window) : most_(most), window_(window) {}

  // 0: one more may pass now; else when one may.
  UnixSeconds WaitUntil(const std::string& subject, UnixSeconds now) {
    std::deque<UnixSeconds>& times = times_[subject];
    while (!times.empty() && times.front() + window_ <= now) times.pop_front();
    return times.size() < most_ ? 0 : times.front() + window_;
  }
  void Count(const std::string& subject, UnixSeconds now) { times_[subject].push_back(now); }

 private:
  const std::size_t most_;
  const UnixSeconds window_;
  std::map<std::string, std::deque<UnixSeconds>> times_;
};

struct CaLimits {
  SlidingLimit orders{300, 3 * kHour};            // of the account
  SlidingLimit exact_set{5, 7 * kDay};
  SlidingLimit registered_domain{50, 7 * kDay};  // renewals of the same set are free
  SlidingLimit failed_validations{5, kHour};     // of one name
};

}  // namespace certwright::sim
