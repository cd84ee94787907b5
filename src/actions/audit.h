// The audit log (contract.md, "Roles"): who was denied something, and who was given a private key.
#pragma once

#include "handler.h"

namespace certwright::actions {

// A call that is refused is refused also where that cannot be written down (then the log says so).
void AuditDenied(const Context& context, const Call& call);
// Before the key leaves. Throws Error where it cannot be written down: then the key stays.
void AuditRelease(const Invocation& call);

}  // namespace certwright::actions
