// Old versions are kept, and can be made current again.
#pragma once

#include <cstdint>
#include <string>

#include "certwright/base/clock.h"
#include "certwright/events/feed.h"
#include "certwright/store/certificates.h"
#include "certwright/store/database.h"

namespace certwright::issue {

struct BroughtBack {
  store::HeldCertificate held;
  std::int64_t event_seq = 0;  // 0: it is the current version already
};

// The version with this serial becomes the current one of its certificate, in one transaction with
// the event that tells so (reason "restored"); when to renew is planned by who looks at it next.
// Throws Error(kNotFound), and Error(kRefused) where it is not valid now, is revoked or about to
// be, or its key does not belong to it.
BroughtBack BringBack(store::Database& database, events::Feed& feed, Clock& clock,
                      const std::string& serial);

}  // namespace certwright::issue
