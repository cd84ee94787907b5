// When a certificate is renewed, and when a failure is tried again. Pure functions: time and chance
// are handed in (invariant I7), nothing is read or written. Any value is taken: a time outside the
// years 1970 to 9999 counts as the nearest in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/error.h"
#include "certwright/base/random.h"
#include "certwright/model/certificate.h"
#include "certwright/model/order.h"
#include "certwright/model/renewal.h"

namespace certwright::renewal {

enum class Reason {
  kNever,     // nothing will ever be due: uploaded, or not ours to renew
  kMissing,   // there is no version yet
  kExpired,   // its time is over
  kRevoked,   // it is to be revoked: at once where a replacement is wanted first, else never
  kWindow,    // the instant chosen in the CA's window (RFC 9773)
  kBackstop,  // two thirds of the lifetime are gone (half, where it is shorter than ten days)
  kRetry,     // due, but the last try failed: the ladder
  kParked,    // the same, and it keeps failing: seldom
};
std::string_view ReasonName(Reason reason);  // "missing", "window" ...

// `renew_at` is when an order is to be made, `now` where it is due; `look_at` when the scheduler
// must look next: the same, or earlier, to ask the CA for its window. Neither is in the past; 0 in
// both: never.
struct Due {
  UnixSeconds renew_at = 0;
  UnixSeconds look_at = 0;
  Reason reason = Reason::kNever;

  bool operator==(const Due&) const = default;
};

// Two thirds of the lifetime (half under ten days), plus the certificate's own jitter of at most a
// twentieth of the lifetime, made of its fingerprint: a thousand certificates issued together do
// not renew together, and one and the same is always due at the same instant. Before
// not_after, where that is after not_before.
UnixSeconds Backstop(const model::CertificateVersion& version);

// What is kept of an answer: a window that changed gives a new instant, uniform in it (RFC 9773
// section 4.2), an unchanged one never does. Asks again after its Retry-After, 6 h where it says
// none, between 1 min and 24 h (section 4.3.2). `end <= start` is a failure to get one. ari_id
// stays as it is: the caller fills it in before it keeps anything.
model::RenewalInfo Keep(const model::RenewalInfo& known, const model::RenewalWindow& seen,
                        UnixSeconds now, Random& random);
// The same after a failure to get one, also where the CA has no renewalInfo: asked again in 6 h
// (section 4.3.3), everything else stays.
model::RenewalInfo KeepAfterFailure(const model::RenewalInfo& known, UnixSeconds now);

// Whether the CA is to be asked for its window now: an ACME certificate with a certID that is not
// expired, and check_at has come or nothing was asked yet. What is known of another certID counts
// as nothing; so does a check_at that is more than 24 h ahead, read off a clock that was wrong.
bool IsWindowWanted(const model::CertificateVersion& version, const model::RenewalInfo& known,
                    UnixSeconds now);

// When `certificate` is to be renewed: the earlier of window and backstop; at once where there is
// no version or its time is over. One that is not valid yet waits for the same two: the CA's clock
// was checked when it came, so it is ours that is behind. One that is to be revoked is due at once
// where a replacement is to come first; else it is about to go, and looked at again in a day.
// look_at: the earlier of renew_at and the time to ask for the window. An uploaded or self-signed
// version is never renewed. After a failure not before last_error->retry_at, nor before RetryDelay
// without its jitter has passed since last_error_at: what was recorded without a time of its own is
// not tried in a loop. Two days at least, where it is watched and the look from outside was bad
// (watch.h). Either is left out where it lies further ahead than could have been written by a right
// clock. A failure never makes a renewal earlier.
Due Plan(const model::ManagedCertificate& certificate,
         const std::optional<model::CertificateVersion>& current, const model::RenewalInfo& known,
         UnixSeconds now);

// The same where orders were left open, those of CAs that are configured: the renewal that one of them
// began goes on at its next try, though nothing else is due yet.
Due Plan(const model::ManagedCertificate& certificate,
         const std::optional<model::CertificateVersion>& current, const model::RenewalInfo& known,
         const std::vector<model::OrderRecord>& open, UnixSeconds now);

// When an order that was left open goes on: at once where it is younger than the last failure, else
// when that is tried again. 0: none does.
UnixSeconds NextTryOfOpen(const model::ManagedCertificate& certificate,
                          const std::optional<model::CertificateVersion>& current,
                          const std::vector<model::OrderRecord>& open, UnixSeconds now);

// The earliest instant for the next try of what failed, as Plan takes it; 0: nothing failed.
UnixSeconds RetryAt(const model::ManagedCertificate& certificate, UnixSeconds now);

// How long after failure number `failures` (1: the first; less counts as 1) in a row the next try
// is made, in seconds; at least a minute.
//   network, CA's fault, Traefik, a bug: 1 min, 10 min, 100 min, then daily
//   a name that could not be validated: 1 min, then daily (sooner where a look from outside turns
//       good: watch.h)
//   what somebody must change first: a value of ours or of the caller that cannot be ordered
//   (rejectedIdentifier, caa, malformed, unsupportedIdentifier, a CSR, key or profile that the CA
//   does not take, terms and external account), an answer that is not safe to take, a certificate
//   that is not what was asked for: daily
//   rate limited and the fuse: its retry_at, else an hour
//   ours (disk, config, permission): 10 min, then hourly
// From the tenth in a row on it is parked: daily, from the twentieth weekly. A retry_at of the
// failure that is later than that is obeyed, up to 7 days. Each with up to a tenth of jitter on
// top.
UnixSeconds RetryDelay(const Failure& failure, int failures, UnixSeconds now, Random& random);

// Whether a row of failures is so long that its certificate counts as parked.
bool IsParked(int failures);

}  // namespace certwright::renewal
