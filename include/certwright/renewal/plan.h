// When a certificate is renewed, and when a failure is tried again. Pure functions: time and chance
// are handed in (invariant I7), nothing is read or written.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "certwright/base/clock.h"
#include "certwright/base/error.h"
#include "certwright/base/random.h"
#include "certwright/model/certificate.h"
#include "certwright/model/renewal.h"

namespace certwright::renewal {

enum class Reason {
  kNever,     // nothing will ever be due: uploaded, or not ours to renew
  kMissing,   // there is no version yet
  kExpired,   // its time is over
  kWindow,    // the instant chosen in the CA's window (RFC 9773)
  kBackstop,  // two thirds of the lifetime are gone (half, where it is shorter than ten days)
  kRetry,     // the last try failed: the ladder
  kParked,    // it keeps failing: seldom
};
std::string_view ReasonName(Reason reason);  // "missing", "window" ...

// `renew_at` is when an order is to be made; `look_at` when the scheduler must look next: the same,
// or earlier, to ask the CA for its window. 0 in both: never.
struct Due {
  UnixSeconds renew_at = 0;
  UnixSeconds look_at = 0;
  Reason reason = Reason::kNever;
};

// Two thirds of the lifetime (half under ten days), plus the certificate's own jitter of at most a
// twentieth of the lifetime, made of its fingerprint: a thousand certificates issued together do not
// renew together, and one and the same is always due at the same instant.
UnixSeconds Backstop(const model::CertificateVersion& version);

// What is kept of an answer: a window that changed gives a new instant, uniform in it (RFC 9773
// section 4.2), an unchanged one never does. `end <= start` is no answer: the rest stays as it was.
// Asks again after its Retry-After, 6 h where it says none, between 1 min and 24 h.
model::RenewalInfo Keep(const model::RenewalInfo& known, const model::RenewalWindow& seen, UnixSeconds now,
                        Random& random);
// The same after a failure to get one: asked again in 6 h, everything else stays.
model::RenewalInfo KeepAfterFailure(const model::RenewalInfo& known, UnixSeconds now);

// Whether the CA is to be asked for its window now: it has ARI, the certificate is not expired, and
// check_at has come (within `now`), or nothing was asked yet.
bool IsWindowWanted(const model::CertificateVersion& version, const model::RenewalInfo& known,
                    UnixSeconds now);

// When `certificate` is to be renewed: the earlier of window and backstop, at once where there is no
// valid version; after failures not before last_error->retry_at. `look_at` is never in the past of a
// known check_at: it is the earlier of renew_at and the time to ask for the window. An uploaded or
// self-signed version is never renewed.
Due Plan(const model::ManagedCertificate& certificate,
         const std::optional<model::CertificateVersion>& current, const model::RenewalInfo& known,
         UnixSeconds now);

// How long after failure number `failures` (1: the first) in a row the next try is made.
//   network, CA's fault, Traefik:  1 min, 10 min, 100 min, then daily
//   refused for what was asked (rejectedIdentifier, caa, malformed, unsupportedIdentifier), and a
//   certificate that is not what was asked for: daily
//   rate limited: its retry_at, else an hour; the fuse: its retry_at
//   ours (disk, config, permission): 10 min, then hourly
// From the tenth in a row on it is parked: daily, from the twentieth weekly. A retry_at of the
// failure that is later than the ladder is obeyed, up to 7 days. Each with up to a tenth of jitter on
// top. Clamped before it is shifted.
UnixSeconds RetryDelay(const Failure& failure, int failures, UnixSeconds now, Random& random);

// Whether a row of failures is so long that its certificate counts as parked.
bool IsParked(int failures);

}  // namespace certwright::renewal
