#include "certwright/renewal/watch.h"

#include <algorithm>

#include "certwright/renewal/failure_class.h"
#include "certwright/renewal/plan.h"
#include "pace.h"

namespace certwright::renewal {

bool IsWatched(const model::ManagedCertificate& certificate) {
  if (!certificate.last_error) return false;
  return IsParked(certificate.failures) ||
         ClassOf(*certificate.last_error) == FailureClass::kValidation;
}

UnixSeconds WatchAt(const model::ManagedCertificate& certificate, UnixSeconds now) {
  if (!IsWatched(certificate)) return 0;
  now = Sane(now);
  return now + std::clamp(now - Sane(certificate.last_error_at), kMinute, kHour);
}

bool TurnedGood(const model::ManagedCertificate& certificate, std::optional<bool> good,
                UnixSeconds now) {
  if (!IsWatched(certificate) || good != true || certificate.preflight_good != false) return false;
  const Failure& failure = *certificate.last_error;
  if (ClassOf(failure) == FailureClass::kRateLimit) return false;
  const UnixSeconds failed_at = Sane(certificate.last_error_at);
  const UnixSeconds pause = std::min(BasePause(failure, certificate.failures, failed_at), kHour);
  return failed_at > Sane(now) || Sane(now) >= failed_at + pause;
}

}  // namespace certwright::renewal
