// Whose a failure is: told to people, and what its pace follows.
#pragma once

#include <string_view>

#include "certwright/base/error.h"

namespace certwright::renewal {

enum class FailureClass {
  kInput,       // what was asked for cannot be had until somebody changes it (rejectedIdentifier, caa ...)
  kValidation,  // the CA looked for the proof at a name and did not see it (dns, connection ...)
  kCa,          // the CA's own fault, or an answer of it that cannot be used
  kNetwork,     // on the way to the CA
  kRateLimit,   // the CA's limits, and our own fuse
  kOurs,        // this machine: disk, settings, Traefik, a bug
};
// "input", "validation", "ca", "network", "rate-limit", "ours": stable, for programs.
std::string_view FailureClassName(FailureClass which);

// A problem with subproblems (RFC 8555 section 6.7.1) is of the worst of them: kInput before
// kValidation.
FailureClass ClassOf(const Failure& failure);

}  // namespace certwright::renewal
