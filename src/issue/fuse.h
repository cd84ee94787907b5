// The fuse (invariant I4).
#pragma once

#include "certwright/issue/obtain.h"
#include "certwright/store/database.h"

namespace certwright::issue {

// Throws Error(kFuse) where one more order for this exact set would be too many, with the time when
// the next may be made. Call in the transaction that writes the order down.
void CheckFuse(store::Session& session, const Fuse& fuse,
               const std::vector<model::Identifier>& names, UnixSeconds now);

}  // namespace certwright::issue
