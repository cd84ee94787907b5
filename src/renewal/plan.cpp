#include "certwright/renewal/plan.h"

#include <algorithm>
#include <charconv>

#include "certwright/renewal/watch.h"
#include "pace.h"

namespace certwright::renewal {

using model::CertificateVersion;
using model::ManagedCertificate;
using model::RenewalInfo;

namespace {

constexpr UnixSeconds kShortLived = 10 * kDay;
constexpr UnixSeconds kAskAgain = 6 * kHour;
constexpr UnixSeconds kLongestRetryAfter = kDay;
constexpr UnixSeconds kPauseWhileBad = 2 * kDay;

// A SHA-256 is as good as chance, and the same for ever: its first 64 bits.
std::uint64_t OwnNumber(std::string_view fingerprint) {
  std::uint64_t number = 0;
  const std::string_view head = fingerprint.substr(0, 16);
  std::from_chars(head.data(), head.data() + head.size(), number, 16);
  return number;
}

UnixSeconds RetryAfterSeconds(const model::RenewalWindow& seen) {
  if (!seen.retry_after) return kAskAgain;
  const Millis pause = std::clamp<Millis>(*seen.retry_after, std::chrono::seconds(kMinute),
                                          std::chrono::seconds(kLongestRetryAfter));
  return std::chrono::ceil<std::chrono::seconds>(pause).count();
}

bool IsExpired(const CertificateVersion& version, UnixSeconds now) {
  return now >= version.not_after;
}

bool MayAsk(const CertificateVersion& version, UnixSeconds now) {
  return version.origin == model::Origin::kAcme && !version.ari_id.empty() &&
         !IsExpired(version, now);
}

// What is known belongs to one certID: a window of the version before would renew this one at once.
bool IsOf(const RenewalInfo& known, const CertificateVersion& version) {
  return known.ari_id.empty() || known.ari_id == version.ari_id;
}

UnixSeconds AskAt(const CertificateVersion& version, const RenewalInfo& known, UnixSeconds now) {
  const bool wrong_clock = known.check_at > now + kLongestRetryAfter;
  if (wrong_clock || !IsOf(known, version)) return now;
  return std::max(known.check_at, now);
}

// To be revoked, and its certificate removed with it.
bool IsAboutToGo(const std::optional<CertificateVersion>& current) {
  return current && !current->revocation_reason.empty() && !current->revoke_replaced;
}

// When it is to be renewed if nothing fails.
Due Planned(const std::optional<CertificateVersion>& current, const RenewalInfo& known,
            UnixSeconds now) {
  if (!current) return {now, now, Reason::kMissing};
  if (IsExpired(*current, now)) return {now, now, Reason::kExpired};
  if (current->revoke_replaced) return {now, now, Reason::kRevoked};
  Due due{Backstop(*current), 0, Reason::kBackstop};
  if (IsOf(known, *current) && known.chosen_at > 0 && known.chosen_at <= due.renew_at) {
    due = {known.chosen_at, 0, Reason::kWindow};
  }
  due.renew_at = std::max(due.renew_at, now);
  return due;
}

}  // namespace

std::string_view ReasonName(Reason reason) {
  switch (reason) {
    case Reason::kNever: return "never";
    case Reason::kMissing: return "missing";
    case Reason::kExpired: return "expired";
    case Reason::kRevoked: return "revoked";
    case Reason::kWindow: return "window";
    case Reason::kBackstop: return "backstop";
    case Reason::kRetry: return "retry";
    case Reason::kParked: return "parked";
  }
  return "never";
}

UnixSeconds Backstop(const CertificateVersion& version) {
  const UnixSeconds end = Sane(version.not_after);
  const UnixSeconds start = std::min(Sane(version.not_before), end);
  const auto most_jitter = static_cast<std::uint64_t>((end - start) / 20);
  const auto jitter = static_cast<UnixSeconds>(OwnNumber(version.fingerprint) % (most_jitter + 1));
  const UnixSeconds lifetime = end - start;
  return start + (lifetime < kShortLived ? lifetime / 2 : lifetime / 3 * 2) + jitter;
}

RenewalInfo Keep(const RenewalInfo& known, const model::RenewalWindow& seen, UnixSeconds now,
                 Random& random) {
  if (seen.end <= seen.start) return KeepAfterFailure(known, now);
  RenewalInfo kept = known;
  kept.explanation_url = seen.explanation_url;
  kept.check_at = Sane(now) + RetryAfterSeconds(seen);
  if (seen.start == known.start && seen.end == known.end && known.chosen_at > 0) return kept;
  kept.start = seen.start;
  kept.end = seen.end;
  const UnixSeconds first = Sane(seen.start);
  const UnixSeconds length = std::max<UnixSeconds>(Sane(seen.end) - first, 1);
  kept.chosen_at =
      first + static_cast<UnixSeconds>(random.Below(static_cast<std::uint64_t>(length)));
  return kept;
}

RenewalInfo KeepAfterFailure(const RenewalInfo& known, UnixSeconds now) {
  RenewalInfo kept = known;
  kept.check_at = Sane(now) + kAskAgain;
  return kept;
}

bool IsWindowWanted(const CertificateVersion& version, const RenewalInfo& known, UnixSeconds now) {
  now = Sane(now);
  return MayAsk(version, now) && AskAt(version, known, now) == now;
}

// Further ahead than the longest pause, a time was read off a clock that was wrong: waiting for it
// could take years.
UnixSeconds RetryAt(const ManagedCertificate& certificate, UnixSeconds now) {
  if (!certificate.last_error) return 0;
  const Failure& failure = *certificate.last_error;
  const UnixSeconds named = failure.retry_at <= now + kLongestPause ? failure.retry_at : 0;
  const UnixSeconds failed_at = certificate.last_error_at;
  if (failed_at > now) return named;
  UnixSeconds pause = BasePause(failure, certificate.failures, failed_at);
  // Not never: behind a router that does not lead back, every look from here is bad.
  if (certificate.preflight_good == false && IsWatched(certificate)) {
    pause = std::max(pause, kPauseWhileBad);
  }
  return std::max(named, failed_at + pause);
}

Due Plan(const ManagedCertificate& certificate, const std::optional<CertificateVersion>& current,
         const RenewalInfo& known, UnixSeconds now) {
  if (current && current->origin != model::Origin::kAcme) return {};
  now = Sane(now);
  // Looked at again, should the CA not revoke it.
  if (IsAboutToGo(current)) {
    return {0, now + kDay, Reason::kRevoked};
  }
  Due due = Planned(current, known, now);
  const UnixSeconds retry_at = RetryAt(certificate, now);
  if (retry_at > due.renew_at) {
    due.renew_at = retry_at;
    due.reason = IsParked(certificate.failures) ? Reason::kParked : Reason::kRetry;
  }
  due.look_at = due.renew_at;
  if (current && MayAsk(*current, now)) {
    due.look_at = std::min(due.renew_at, AskAt(*current, known, now));
  }
  return due;
}

UnixSeconds NextTryOfOpen(const ManagedCertificate& certificate,
                          const std::optional<CertificateVersion>& current,
                          const std::vector<model::OrderRecord>& open, UnixSeconds now) {
  if (IsAboutToGo(current)) return 0;  // not to be renewed
  UnixSeconds next_try = 0;
  for (const model::OrderRecord& order : open) {
    if (order.created_at > certificate.last_error_at) return 1;  // the failure is not of it
    next_try = std::max<UnixSeconds>(RetryAt(certificate, now), 1);
  }
  return next_try;
}

Due Plan(const ManagedCertificate& certificate, const std::optional<CertificateVersion>& current,
         const RenewalInfo& known, const std::vector<model::OrderRecord>& open, UnixSeconds now) {
  Due due = Plan(certificate, current, known, now);
  const UnixSeconds goes_on = NextTryOfOpen(certificate, current, open, now);
  const UnixSeconds next_try = std::max(goes_on, Sane(now));
  if (goes_on == 0 || (due.renew_at > 0 && due.renew_at <= next_try)) return due;
  due.renew_at = next_try;
  due.look_at = due.look_at > 0 ? std::min(due.look_at, due.renew_at) : due.renew_at;
  due.reason = IsParked(certificate.failures) ? Reason::kParked : Reason::kRetry;
  return due;
}

}  // namespace certwright::renewal
