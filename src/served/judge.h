// What a look means for the state that is stored. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "certwright/base/clock.h"
#include "certwright/store/served.h"

namespace certwright::served {

inline constexpr char kServed[] = "served";
inline constexpr char kOther[] = "other";
inline constexpr char kUnreachable[] = "unreachable";

// What one look saw.
struct Sight {
  bool good = false;
  bool reached = false;  // something was shown
  std::string wanted;    // serials
  std::string seen;
  std::string problem;  // in words
};

enum class Tell { kNothing, kNotServed, kServedAgain };

// Writes the look into the state; gives what is to be told of it.
Tell Judge(store::ServedState& state, const Sight& sight, UnixSeconds now, std::int64_t grace);

// When it is to be looked at again, before the look at everything; 0: not.
UnixSeconds NextLook(const store::ServedState& state, std::int64_t grace);

}  // namespace certwright::served
