#include "certwright/base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <limits>

#include "certwright/base/encoding.h"

namespace certwright {
namespace {

class KernelRandom final : public Random {
 public:
  void Fill(std::span<std::uint8_t> bytes) override {
    while (!bytes.empty()) {
      const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
      if (got > 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(got));
      } else if (errno != EINTR) {
        std::abort();  // going on without chance would be worse than not going on
      }
    }
  }
};

}  // namespace

std::uint64_t Random::Below(std::uint64_t bound) {
  // Values past the last whole multiple of `bound` are thrown away: the rest is unbiased.
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t past_end = kMax % bound == bound - 1 ? 0 : kMax - kMax % bound;
  for (;;) {
    std::uint64_t value = 0;
    Fill({reinterpret_cast<std::uint8_t*>(&value), sizeof value});
    if (past_end == 0 || value < past_end) return value % bound;
  }
}

Random& SystemRandom() {
  static KernelRandom random;
  return random;
}

std::string RandomHex(Random& random, std::size_t bytes) {
  std::string raw(bytes, '\0');
  random.Fill({reinterpret_cast<std::uint8_t*>(raw.data()), raw.size()});
  return Hex(raw);
}

}  // namespace certwright
