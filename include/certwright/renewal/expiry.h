// The warnings that a certificate is about to expire. Pure: time is handed in, nothing is read or
// written.
#pragma once

#include <string_view>

#include "certwright/base/clock.h"
#include "certwright/model/certificate.h"

namespace certwright::renewal {

// What the event certificate-expiring is to say now, and when to look again.
struct ExpiryWarning {
  // "third", "tenth" (so much of the lifetime is left), "days" (three are); "": nothing is told now.
  std::string_view reason;
  int told = 0;         // what the version's expiry_told is to be; as it is where nothing is told
  UnixSeconds next = 0;  // when the next warning comes up; 0: there is none

  bool operator==(const ExpiryWarning&) const = default;
};

// Each warning is told once for a version, in the order of time (for nine days and less, three days
// are more than a tenth); one that would come up at not_before or earlier does not exist. Of several that have
// come up since the last look only the last is told: the others count as told. Told of what nobody
// renews (uploaded), and of what fails: of a managed certificate without a failure nothing is told and
// nothing counts as told, for its renewal is planned before the first warning or made in the same
// look. Never of a self-signed one.
ExpiryWarning WarnOf(const model::CertificateVersion& version, int failures, UnixSeconds now);

}  // namespace certwright::renewal
