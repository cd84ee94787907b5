// Managed certificates and their versions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "certwright/model/certificate.h"
#include "certwright/store/database.h"

namespace certwright::store {

// A managed certificate with its current version, where it has one.
struct HeldCertificate {
  model::ManagedCertificate certificate;
  std::optional<model::CertificateVersion> current;
};

// The managed certificate of this exact set of names; made where it is missing. `policy` and `owner`
// of an existing one are replaced.
model::ManagedCertificate EnsureManaged(Session& session, const model::ManagedCertificate& wanted,
                                        UnixSeconds now);

std::optional<HeldCertificate> FindByNameSet(Session& session, const std::string& name_set);
std::optional<HeldCertificate> FindById(Session& session, std::int64_t certificate_id);
// By the serial of any version, hex (either case, colons and leading zeros ignored) or decimal.
std::optional<HeldCertificate> FindBySerial(Session& session, const std::string& serial);
// Where it is the serial of the current version, and that is of this origin: an upload and what a CA
// issued may be the same certificate.
std::optional<HeldCertificate> FindCurrentBySerial(Session& session, const std::string& serial,
                                                   model::Origin origin);
// All that cover the host: their current version's names hold it exactly or by one-label wildcard. One indexed
// query; wildcard matches first, then the newest not_after.
std::vector<HeldCertificate> FindCovering(Session& session, const std::string& host);
// The same, best first, as get-certificate gives them (contract.md): what was uploaded before what a CA
// issued, then a wildcard, then the default certificate; what is not valid at `now` after all else.
std::vector<HeldCertificate> FindRanked(Session& session, const std::string& host,
                                        UnixSeconds now);
// Whether one of them is valid at `now`: reads no chain and no key.
bool IsCovered(Session& session, const std::string& host, UnixSeconds now);
// All, ordered by name set. `with_keys` false leaves key_pem empty.
std::vector<HeldCertificate> ListCertificates(Session& session, bool with_keys);
// The current version of each certificate, in the order of the certificates' ids; chains and keys
// left out: what there is, at the price of a list.
std::vector<model::CertificateVersion> ListCurrentVersions(Session& session);
// With chain; `with_key` false leaves key_pem empty.
std::optional<model::CertificateVersion> FindVersion(Session& session, std::int64_t version_id,
                                                     bool with_key);
// The same with neither keys nor chains: what a list of ten thousand needs.
std::vector<HeldCertificate> ListWithoutChains(Session& session);
// Newest first; keys left out.
std::vector<model::CertificateVersion> ListVersions(Session& session, std::int64_t certificate_id);

// Adds a version and makes it the current one; clears last_error, failures and preflight; sets next_action_at.
// Call in the same transaction as AppendEvent (invariant I3). Gives the version's id.
std::int64_t AddCurrentVersion(Session& session, const model::CertificateVersion& version,
                               UnixSeconds next_action_at, UnixSeconds now);

// Writes down a failed attempt: last_error, failures + 1, next_action_at.
void RecordFailure(Session& session, std::int64_t certificate_id, const Failure& failure,
                   UnixSeconds next_action_at, UnixSeconds now);

// The last failure stays what it was, and is tried again no earlier than `retry_at`.
void KeepFailure(Session& session, std::int64_t certificate_id, UnixSeconds retry_at,
                 UnixSeconds next_action_at, UnixSeconds now);

// Removes it with its versions and orders; false where it was not there.
bool DeleteCertificate(Session& session, std::int64_t certificate_id);

// Due rows only (an index), earliest first.
std::vector<model::ManagedCertificate> ListDue(Session& session, UnixSeconds now, int limit);

}  // namespace certwright::store
