// What is done with certificates besides obtaining them.
#pragma once

#include <cstdint>
#include <string>

#include "certwright/base/clock.h"
#include "certwright/events/feed.h"
#include "certwright/store/certificates.h"
#include "certwright/store/database.h"
#include "certwright/store/settings.h"

namespace certwright::issue {

// Remembers the name that a module asked for and has. One that it asked for later stays in its
// place.
void RememberName(store::Session& session, const store::NameRequest& asked, UnixSeconds now);

// Removes a certificate with its versions, and the requests of modules for its names that nothing
// else covers, and appends the event that tells it; gives its number, 0 where there was no current version. Throws
// Error(kTimeout) where another version of it is still to be revoked: that would be forgotten.
std::int64_t RemoveTold(store::Session& session, const store::HeldCertificate& held,
                        const std::string& reason, UnixSeconds now);

// The same, and nobody asks for it any more: routes with one of its names, nor the default where it was
// that. (An upload answers no such wish.) Gives the last event's number.
std::int64_t RemoveWithWishes(store::Session& session, const store::HeldCertificate& held,
                              const std::string& reason, UnixSeconds now);

// Removes a certificate with its versions and tells it (reason "deleted"); gives the event's
// number, 0 where it was not there.
std::int64_t Remove(store::Database& database, events::Feed& feed, Clock& clock,
                    std::int64_t certificate_id);

// The node's own self-signed pair: made where it is missing or about to expire (within 30 days).
void EnsureSelfSigned(store::Database& database, Clock& clock, const std::string& host_name);

}  // namespace certwright::issue
