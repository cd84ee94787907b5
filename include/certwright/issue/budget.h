// How much of one limit is left: the generic cell rate algorithm, which the CA uses too. Pure
// functions of the limit, one number and the time (invariant I7); any value is taken.
//
// That number is the theoretical arrival time, in milliseconds since 1970: when everything would be
// free again. One more of `burst` comes back each window / burst.
#pragma once

#include <cstdint>

#include "certwright/base/clock.h"
#include "certwright/model/ca_limits.h"

namespace certwright::issue {

struct Room {
  std::int64_t left = 0;     // 0 .. burst
  UnixSeconds next_at = 0;   // when one passes: now where one is left
  UnixSeconds full_at = 0;   // when all of burst are left
};

// `kept`: so many are not to be touched. `left` counts them, next_at waits until there is one more.
// An arrival further ahead than two windows, which no right clock wrote, counts as that.
Room RoomIn(const model::Limit& limit, std::int64_t arrival_ms, UnixSeconds now,
            std::int64_t kept = 0);

// The arrival after one more; also past what is left (a forced order).
std::int64_t Spend(const model::Limit& limit, std::int64_t arrival_ms, UnixSeconds now);
// After one that did not count in the end.
std::int64_t Refund(const model::Limit& limit, std::int64_t arrival_ms, UnixSeconds now);
// What the CA says: nothing passes before `retry_at`, then one does. Taken for the truth, within
// the window. 0: it says only that nothing is left.
std::int64_t CorrectFrom429(const model::Limit& limit, UnixSeconds retry_at, UnixSeconds now);

// How long one takes to come back, in milliseconds.
std::int64_t IntervalOf(const model::Limit& limit);
// What was counted when one came back each `interval_ms` (0: not known, nothing is changed): as many
// are used now, whatever the limit is by now.
std::int64_t AfterChange(const model::Limit& limit, std::int64_t arrival_ms,
                         std::int64_t interval_ms, UnixSeconds now);

// What was written at `updated_at` by a clock that has been put back since: as far ahead as it was
// then.
std::int64_t AfterClockJump(std::int64_t arrival_ms, UnixSeconds updated_at, UnixSeconds now);

}  // namespace certwright::issue
