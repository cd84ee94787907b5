#include "certwright/issue/budget.h"

#include <algorithm>
#include <limits>

namespace certwright::issue {

namespace {

using std::int64_t;

constexpr int64_t kLatest = 253'402'300'799;  // the year 9999: seconds above it overflow sooner or later
constexpr int64_t kLongestWindow = 20LL * 366 * 86400;

int64_t Milliseconds(UnixSeconds time) { return std::clamp<int64_t>(time, 0, kLatest) * 1000; }
// A date is passed only when all of it is.
UnixSeconds CeilSeconds(int64_t milliseconds) { return (milliseconds + 999) / 1000; }

struct Rate {
  int64_t burst;
  int64_t interval;  // one comes back each
  int64_t all;       // the time in which all of burst come back
};

Rate RateOf(const model::Limit& limit) {
  const int64_t burst = std::clamp<int64_t>(limit.burst, 1, 1'000'000'000);
  const int64_t window = std::clamp<int64_t>(limit.window, 1, kLongestWindow) * 1000;
  const int64_t interval = std::max<int64_t>(window / burst, 1);
  return {burst, interval, interval * burst};
}

// Nothing is left for a whole window, as a CA with a sliding one may say, and one more was forced.
int64_t Furthest(const Rate& rate, int64_t now) { return now + 2 * rate.all; }

int64_t Sane(const Rate& rate, int64_t arrival, int64_t now) {
  return std::clamp(arrival, now, Furthest(rate, now));
}

}  // namespace

Room RoomIn(const model::Limit& limit, int64_t arrival_ms, UnixSeconds now_s, int64_t kept) {
  const Rate rate = RateOf(limit);
  const int64_t now = Milliseconds(now_s);
  const int64_t arrival = Sane(rate, arrival_ms, now);
  kept = std::clamp<int64_t>(kept, 0, rate.burst - 1);
  Room room;
  room.left = std::max<int64_t>(now + rate.all - arrival, 0) / rate.interval;
  room.next_at = CeilSeconds(std::max(arrival + (kept + 1) * rate.interval - rate.all, now));
  room.full_at = CeilSeconds(arrival);
  return room;
}

int64_t Spend(const model::Limit& limit, int64_t arrival_ms, UnixSeconds now_s) {
  const Rate rate = RateOf(limit);
  const int64_t now = Milliseconds(now_s);
  return Sane(rate, Sane(rate, arrival_ms, now) + rate.interval, now);
}

int64_t Refund(const model::Limit& limit, int64_t arrival_ms, UnixSeconds now_s) {
  const Rate rate = RateOf(limit);
  const int64_t now = Milliseconds(now_s);
  return std::max(Sane(rate, arrival_ms, now) - rate.interval, now);
}

int64_t CorrectFrom429(const model::Limit& limit, UnixSeconds retry_at, UnixSeconds now_s) {
  const Rate rate = RateOf(limit);
  const int64_t now = Milliseconds(now_s);
  const int64_t said = retry_at > now_s ? Milliseconds(retry_at) : now + rate.interval;
  const int64_t next = std::min(said, now + rate.all);
  return Sane(rate, next + rate.all - rate.interval, now);
}

int64_t IntervalOf(const model::Limit& limit) { return RateOf(limit).interval; }

int64_t AfterChange(const model::Limit& limit, int64_t arrival_ms, int64_t interval_ms,
                    UnixSeconds now_s) {
  const Rate rate = RateOf(limit);
  if (interval_ms <= 0 || interval_ms == rate.interval) return arrival_ms;
  const int64_t now = Milliseconds(now_s);
  const int64_t ahead = std::clamp<int64_t>(arrival_ms, now, Milliseconds(kLatest)) - now;
  // Never above what the new limit knows, so neither the product nor the sum can overflow.
  const int64_t used = std::min(ahead / interval_ms, 2 * rate.burst);
  const int64_t rest = std::min(ahead % interval_ms, rate.interval);
  return now + used * rate.interval + rest;
}

int64_t AfterClockJump(int64_t arrival_ms, UnixSeconds updated_at, UnixSeconds now) {
  const int64_t back = Milliseconds(updated_at) - Milliseconds(now);
  if (back <= 0) return arrival_ms;
  return arrival_ms > std::numeric_limits<int64_t>::min() + back ? arrival_ms - back : arrival_ms;
}

}  // namespace certwright::issue
