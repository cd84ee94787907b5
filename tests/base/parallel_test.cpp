#include "certwright/base/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <vector>

namespace certwright {
namespace {

TEST(SideBySide, DoesEachJobOnce) {
  struct Row {
    const char* name;
    std::size_t count, workers;
  };
  for (const Row& row :
       {Row{"none", 0, 4}, Row{"one", 1, 4}, Row{"fewer workers", 100, 3},
        Row{"more workers", 3, 100}, Row{"one worker", 10, 1}, Row{"no worker is one", 10, 0}}) {
    std::vector<std::atomic<int>> done(row.count);
    RunSideBySide(row.count, row.workers, [&](std::size_t i) { ++done[i]; });
    EXPECT_TRUE(std::all_of(done.begin(), done.end(), [](const auto& n) { return n == 1; }))
        << row.name;
  }
}

TEST(SideBySide, ReallyRunsThemAtOnce) {
  std::latch all_there(4);  // would wait for ever if one had to end before the next begins
  RunSideBySide(4, 4, [&](std::size_t) { all_there.arrive_and_wait(); });
}

}  // namespace
}  // namespace certwright
