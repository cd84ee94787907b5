// The look from outside (a pre-flight) at certificates whose names the CA could not validate, and at
// parked ones: it costs the CA nothing, so it is taken often, and tells when an order is worth while.
// All but the look itself is pure.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/model/certificate.h"

namespace certwright::renewal {

struct Preflight {
  std::optional<bool> good;  // none: it cannot be told from here
  std::string saw;           // one sentence for people: of what is wrong, or not known
};
// Looks as the CA would. Must not throw; ends soon on `stop`.
using PreflightCheck =
    std::function<Preflight(const std::vector<model::Identifier>& names, std::stop_token stop)>;

// Whether a pre-flight says anything about its next try: the CA did not see what proves a name, or
// it is parked.
bool IsWatched(const model::ManagedCertificate& certificate);

// When the next look is to be taken, where one was taken now: after as long as it has been failing,
// between a minute and an hour. 0: it is not watched.
UnixSeconds WatchAt(const model::ManagedCertificate& certificate, UnixSeconds now);

// Whether a look that says `good` now makes its next try at once: the one before said that it is bad.
// Not within the ladder's first steps (at most an hour) after the last failure, and never past a
// limit.
bool TurnedGood(const model::ManagedCertificate& certificate, std::optional<bool> good,
                UnixSeconds now);

}  // namespace certwright::renewal
