#include "certwright/acme/retry.h"

#include <algorithm>

namespace certwright::acme {

namespace {

constexpr Millis kFirstPause{250};
constexpr Millis kLongestPause{5'000};
constexpr Millis kNoncePause{50};
constexpr UnixSeconds kLongestRetryAfter = 60;
constexpr int kMaxAttempts = 5;
constexpr int kMaxMalformed = 3;    // what cannot be read once is seldom better the fourth time
constexpr int kMaxNonceRounds = 6;  // each of eleven requests

int MaxAttempts(const Failure& failure) {
  if (failure.acme_type == "badNonce") return kMaxNonceRounds;
  return failure.code == FailureCode::kProtocol ? kMaxMalformed : kMaxAttempts;
}

}  // namespace

std::optional<Millis> StepRetryDelay(const Failure& failure, int attempts, UnixSeconds now) {
  if (!failure.transient || attempts >= MaxAttempts(failure)) return std::nullopt;
  if (failure.retry_at > now) {
    if (failure.retry_at - now > kLongestRetryAfter) return std::nullopt;
    return std::chrono::seconds(failure.retry_at - now);
  }
  // Without a date a rate limit is no matter of seconds.
  if (failure.code == FailureCode::kRateLimited) return std::nullopt;
  if (failure.acme_type == "badNonce") return kNoncePause;
  const int doublings = std::clamp(attempts - 1, 0, 10);  // clamped before the shift
  return std::min(kLongestPause, kFirstPause * (1 << doublings));
}

void WithRetries(Clock& clock, std::stop_token stop, const std::function<void()>& request,
                 const std::function<void(const Failure&)>& retrying) {
  for (int attempts = 1;; ++attempts) {
    try {
      return request();
    } catch (const Error& error) {
      const std::optional<Millis> pause = StepRetryDelay(error.failure(), attempts, clock.Now());
      if (!pause) throw;
      if (retrying) retrying(error.failure());
      if (!clock.Sleep(*pause, stop)) throw;
    }
  }
}

}  // namespace certwright::acme
