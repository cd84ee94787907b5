// When a request that failed is sent again within the same run.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>

#include "certwright/base/clock.h"
#include "certwright/base/error.h"

namespace certwright::acme {

// The pause before the next try after `attempts` failures in a row of the same step (1 after the
// first), or nullopt where this run should give up: the failure is not transient, was met too
// often, or the CA asks for a longer pause than a run may wait (60 s). A pure function.
std::optional<Millis> StepRetryDelay(const Failure& failure, int attempts, UnixSeconds now);

// Calls `request` until it returns or StepRetryDelay gives up; then its Error goes on up.
// `retrying` (may be empty) is told each failure that is tried again.
void WithRetries(Clock& clock, std::stop_token stop, const std::function<void()>& request,
                 const std::function<void(const Failure&)>& retrying = {});

}  // namespace certwright::acme
