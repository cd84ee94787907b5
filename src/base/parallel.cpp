#include "certwright/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace certwright {

void RunSideBySide(std::size_t count, std::size_t workers,
                   const std::function<void(std::size_t)>& job) {
  std::atomic<std::size_t> next{0};
  const auto work = [&]() noexcept {
    for (std::size_t i = next++; i < count; i = next++) job(i);
  };
  std::vector<std::jthread> helpers;
  const std::size_t wanted = std::min(count, std::max<std::size_t>(workers, 1));
  for (std::size_t i = 1; i < wanted; ++i) {
    try {
      helpers.emplace_back(work);
    } catch (const std::system_error&) {
      break;  // no more threads to be had: those that run do the work, only slower
    }
  }
  work();
}  // jthread joins

}  // namespace certwright
