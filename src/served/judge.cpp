#include "judge.h"

#include <algorithm>

namespace certwright::served {

namespace {

// What is known to be wrong is looked at this often, to see when it is mended.
constexpr std::int64_t kLookAgain = 600;

}  // namespace

Tell Judge(store::ServedState& state, const Sight& sight, UnixSeconds now, std::int64_t grace) {
  const bool was_told = store::IsMismatch(state);
  state.wanted = sight.wanted;
  state.seen = sight.seen;
  state.problem = sight.problem;
  state.looked_at = now;
  if (sight.good) {
    state.wrong_since = 0;
    if (state.state == kServed) return Tell::kNothing;
    state.state = kServed;
    state.since = now;
    return was_told ? Tell::kServedAgain : Tell::kNothing;
  }
  // A time to come was written by a clock that was wrong.
  if (state.wrong_since == 0 || state.wrong_since > now) state.wrong_since = now;
  if (now - state.wrong_since < grace) return Tell::kNothing;
  const std::string wrong = sight.reached ? kOther : kUnreachable;
  if (state.state == wrong) return Tell::kNothing;
  state.state = wrong;
  state.since = now;
  return Tell::kNotServed;
}

UnixSeconds NextLook(const store::ServedState& state, std::int64_t grace) {
  if (state.wrong_since == 0) return 0;
  if (!store::IsMismatch(state)) return std::max(state.wrong_since + grace, state.looked_at + 1);
  return state.looked_at + std::max(grace, kLookAgain);
}

}  // namespace certwright::served
