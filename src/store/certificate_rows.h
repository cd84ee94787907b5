// Columns and rows of certificate and version, for the queries of several repositories.
#pragma once

#include <string>

#include "certwright/store/certificates.h"
#include "sqlite.h"

namespace certwright::store {

// Of `certificate c LEFT JOIN version v`: see kJoinCurrent.
inline const std::string kCertificateColumns =
    "c.id, c.name_set, c.names, c.key_type, c.reuse_key, c.profile, c.preferred_chain, c.owner, "
    "v.id, c.next_action_at, c.last_error, c.last_error_at, c.failures, c.created_at, "
    "c.updated_at, c.preflight_good, c.preflight_saw, c.preflight_at, c.discard";
inline const std::string kJoinCurrent =
    " LEFT JOIN version v ON v.certificate_id = c.id AND v.is_current = 1 ";

inline const std::string kVersionColumns =
    "v.id, v.certificate_id, v.chain_pem, v.serial_hex, v.fingerprint, v.subject, v.issuer, "
    "v.names, v.not_before, v.not_after, v.ari_id, v.ca, v.origin, v.created_at, "
    "v.expiry_told, v.revocation_reason, v.revoke_with_key, v.revoke_replaced, v.revoked_at, "
    "v.key_pem";
// The same without keys.
inline const std::string kVersionColumnsWithoutKey =
    "v.id, v.certificate_id, v.chain_pem, v.serial_hex, v.fingerprint, v.subject, v.issuer, "
    "v.names, v.not_before, v.not_after, v.ari_id, v.ca, v.origin, v.created_at, "
    "v.expiry_told, v.revocation_reason, v.revoke_with_key, v.revoke_replaced, v.revoked_at, ''";
// With neither keys nor chains.
inline const std::string kVersionColumnsWithoutChain =
    "v.id, v.certificate_id, '', v.serial_hex, v.fingerprint, v.subject, v.issuer, "
    "v.names, v.not_before, v.not_after, v.ari_id, v.ca, v.origin, v.created_at, "
    "v.expiry_told, v.revocation_reason, v.revoke_with_key, v.revoke_replaced, v.revoked_at, ''";

// The same without keys and chains.
inline const std::string kVersionColumnsWithoutPem =
    "v.id, v.certificate_id, '', v.serial_hex, v.fingerprint, v.subject, v.issuer, "
    "v.names, v.not_before, v.not_after, v.ari_id, v.ca, v.origin, v.created_at, "
    "v.expiry_told, v.revocation_reason, v.revoke_with_key, v.revoke_replaced, v.revoked_at, ''";

// Read the columns above, in this order, from a row.
model::ManagedCertificate ReadCertificate(Query& row);
model::CertificateVersion ReadVersion(Query& row);
// kCertificateColumns, then kVersionColumns.
HeldCertificate ReadHeld(Query& row);

// Inserts a version with its names; `certificate_id` 0 of it means none.
std::int64_t InsertVersion(Connection& connection, const model::CertificateVersion& version,
                           bool is_current);

}  // namespace certwright::store
