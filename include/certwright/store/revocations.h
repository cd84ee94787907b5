// Versions that are to be revoked, those that were, and former versions that become current again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "certwright/model/certificate.h"
#include "certwright/store/database.h"

namespace certwright::store {

// Of any certificate, with its key.
std::optional<model::CertificateVersion> FindVersion(Session& session, std::int64_t version_id);
// By its serial, as FindBySerial reads it; the current or the newest where several have it.
std::optional<model::CertificateVersion> FindVersionBySerial(Session& session,
                                                             const std::string& serial);

struct RevocationWish {
  std::string reason;     // RFC 5280 section 5.3.1, by name
  bool with_key = false;  // the certificate's own key asks for it
  bool replaced = false;  // not before another version has taken its place
};
// Written down before the CA is asked. Another wish takes the former one's place.
void WantRevoked(Session& session, std::int64_t version_id, const RevocationWish& wish);
// The CA does not revoke it: as if nobody had wanted it.
void ForgetRevocation(Session& session, std::int64_t version_id);
// It is revoked; remembered by its fingerprint also when version and certificate are gone.
void RecordRevoked(Session& session, std::int64_t version_id, UnixSeconds now);
bool IsRevoked(Session& session, const std::string& fingerprint);
// Wanted and not done yet, oldest first, without keys. One look at an index.
std::vector<model::CertificateVersion> ListToRevoke(Session& session);

// Makes a version that is kept the current one of its certificate; clears last_error and failures;
// sets next_action_at. Call in the same transaction as AppendEvent (invariant I3).
void MakeCurrent(Session& session, std::int64_t version_id, UnixSeconds next_action_at,
                 UnixSeconds now);

}  // namespace certwright::store
