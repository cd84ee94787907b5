// Chance is injected (invariant I7): only base reads the random source.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace certwright {

class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(std::span<std::uint8_t> bytes) = 0;
  // Uniform in [0, bound); bound > 0.
  std::uint64_t Below(std::uint64_t bound);
};

// The kernel's generator; safe from any thread.
Random& SystemRandom();

// `bytes` random octets as lower-case hex: names for temporary files and tasks.
std::string RandomHex(Random& random, std::size_t bytes);

}  // namespace certwright
