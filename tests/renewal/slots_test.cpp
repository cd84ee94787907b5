#include "slots.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace certwright::renewal {
namespace {

TEST(Slots, NeverMoreThanThatAtOneCa) {
  Slots slots(3);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      for (int times = 0; times < 50; ++times) {
        const auto place = slots.Take("ca", {});
        const int now = ++inside;
        int seen = most;
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        std::this_thread::yield();
        --inside;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(most, 3);
}

TEST(Slots, EachCaHasItsOwn) {
  Slots slots(1);
  const auto one = slots.Take("a", {});
  EXPECT_TRUE(slots.Take("b", {})) << "does not wait for the other";
}

TEST(Slots, AStopEndsTheWait) {
  Slots slots(1);
  auto held = slots.Take("a", {});
  std::stop_source stop;
  std::jthread waiting([&] { EXPECT_FALSE(slots.Take("a", stop.get_token())); });
  stop.request_stop();
  waiting.join();
  held.reset();
  EXPECT_TRUE(slots.Take("a", {})) << "nothing was lost by it";
}

}  // namespace
}  // namespace certwright::renewal
