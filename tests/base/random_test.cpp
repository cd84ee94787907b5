#include "certwright/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>
#include <vector>

namespace certwright {
namespace {

// Gives the numbers that it was told, in order.
class Scripted final : public Random {
 public:
  explicit Scripted(std::vector<std::uint64_t> numbers) : numbers_(std::move(numbers)) {}
  void Fill(std::span<std::uint8_t> bytes) override {
    ASSERT_EQ(bytes.size(), sizeof(std::uint64_t));
    ASSERT_LT(next_, numbers_.size()) << "asked more often than needed";
    std::memcpy(bytes.data(), &numbers_[next_++], bytes.size());
  }
  std::size_t asked() const { return next_; }

 private:
  std::vector<std::uint64_t> numbers_;
  std::size_t next_ = 0;
};

TEST(Random, StaysBelowItsBound) {
  for (const std::uint64_t bound : {1ULL, 2ULL, 3ULL, 1000ULL, 1ULL << 63, ~0ULL}) {
    for (int i = 0; i < 100; ++i) EXPECT_LT(SystemRandom().Below(bound), bound);
  }
}

TEST(Random, ReachesEveryValue) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(SystemRandom().Below(8));
  EXPECT_EQ(seen.size(), 8U);
}

TEST(Random, ThrowsAwayWhatWouldMakeItBiased) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  Scripted biased({kMax, 7});  // 2^64 = 3 * n + 1: the last value has no full set around it
  EXPECT_EQ(biased.Below(3), 1U);
  EXPECT_EQ(biased.asked(), 2U);
  Scripted fair({kMax});  // a power of two divides 2^64
  EXPECT_EQ(fair.Below(4), 3U);
}

TEST(Random, WritesHex) {
  const std::string first = RandomHex(SystemRandom(), 16);
  EXPECT_EQ(first.size(), 32U);
  EXPECT_EQ(first.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(first, RandomHex(SystemRandom(), 16));
}

TEST(Random, FillsLargeBuffersWhole) {
  std::vector<std::uint8_t> bytes(1 << 20, 0);
  SystemRandom().Fill(bytes);
  // A megabyte of chance has no 32 zero bytes in a row.
  EXPECT_EQ(std::search_n(bytes.begin(), bytes.end(), 32, 0), bytes.end());
}

}  // namespace
}  // namespace certwright
