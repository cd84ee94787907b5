#include <set>

#include "certificate_rows.h"
#include "certwright/base/text.h"
#include "codec.h"
#include "session.h"

namespace certwright::store {
namespace {

// Former versions are kept to be brought back: the last five, and every one of the last 30 days. One
// that is still to be revoked stays until it is.
constexpr int kFormerVersionsKept = 5;
constexpr UnixSeconds kFormerVersionsKeptFor = 30 * 24 * 3600;

int PruneFormerVersions(Connection& connection, std::int64_t certificate_id, UnixSeconds now) {
  return Query(connection,
               "DELETE FROM version WHERE certificate_id = ? AND is_current = 0 AND created_at < ? "
               "AND (revocation_reason = '' OR revoked_at > 0) "
               "AND id NOT IN (SELECT id FROM version WHERE certificate_id = ? AND is_current = 0 "
               "ORDER BY id DESC LIMIT ?)",
               certificate_id, now - kFormerVersionsKeptFor, certificate_id, kFormerVersionsKept)
      .Run();
}

}  // namespace

model::CertificateVersion ReadVersion(Query& row) {
  model::CertificateVersion version;
  version.id = row.Int();
  version.certificate_id = row.Int();  // NULL reads as 0
  version.chain_pem = row.Text();
  version.serial_hex = row.Text();
  version.fingerprint = row.Text();
  version.subject = row.Text();
  version.issuer = row.Text();
  version.names = DecodeIdentifiers(row.Text());
  version.not_before = row.Int();
  version.not_after = row.Int();
  version.ari_id = row.Text();
  version.ca = row.Text();
  version.origin = OriginFromName(row.Text());
  version.created_at = row.Int();
  version.expiry_told = static_cast<int>(row.Int());
  version.revocation_reason = row.Text();
  version.revoke_with_key = row.Int() != 0;
  version.revoke_replaced = row.Int() != 0;
  version.revoked_at = row.Int();
  version.key_pem = Secret(row.Text());
  return version;
}

std::int64_t InsertVersion(Connection& connection, const model::CertificateVersion& version,
                           bool is_current) {
  const std::optional<std::int64_t> certificate_id =
      version.certificate_id == 0 ? std::nullopt : std::optional(version.certificate_id);
  Query insert(connection,
               "INSERT INTO version (certificate_id, is_current, chain_pem, key_pem, serial_hex, "
               "fingerprint, subject, issuer, names, not_before, not_after, ari_id, ca, origin, "
               "created_at, expiry_told, revocation_reason, revoke_with_key, revoke_replaced, "
               "revoked_at) "
               "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
               certificate_id, is_current, version.chain_pem, version.key_pem, version.serial_hex,
               version.fingerprint, version.subject, version.issuer,
               EncodeIdentifiers(version.names), version.not_before, version.not_after,
               version.ari_id, version.ca, OriginName(version.origin), version.created_at,
               version.expiry_told, version.revocation_reason, version.revoke_with_key,
               version.revoke_replaced, version.revoked_at);
  insert.Step();
  const std::int64_t id = insert.Int();
  insert.Run();
  std::set<std::string> names;
  for (const auto& name : version.names) names.insert(name.value);
  for (const std::string& name : names) {
    Query(connection, "INSERT INTO version_name (name, version_id) VALUES (?, ?)", name, id).Run();
  }
  return id;
}

std::vector<model::CertificateVersion> ListCurrentVersions(Session& session) {
  // The words of the partial index.
  Query rows(Of(session), "SELECT " + kVersionColumnsWithoutPem +
                              " FROM version v WHERE v.is_current = 1 AND v.certificate_id > 0 "
                              "ORDER BY v.certificate_id");
  std::vector<model::CertificateVersion> versions;
  while (rows.Step()) versions.push_back(ReadVersion(rows));
  return versions;
}

std::optional<model::CertificateVersion> FindVersion(Session& session, std::int64_t version_id,
                                                     bool with_key) {
  Query rows(Of(session),
             "SELECT " + (with_key ? kVersionColumns : kVersionColumnsWithoutKey) +
                 " FROM version v WHERE v.id = ?",
             version_id);
  if (!rows.Step()) return std::nullopt;
  return ReadVersion(rows);
}

std::vector<model::CertificateVersion> ListVersions(Session& session,
                                                    std::int64_t certificate_id) {
  Query rows(Of(session),
             "SELECT " + kVersionColumnsWithoutKey +
                 " FROM version v WHERE v.certificate_id = ? ORDER BY v.id DESC",
             certificate_id);
  std::vector<model::CertificateVersion> versions;
  while (rows.Step()) versions.push_back(ReadVersion(rows));
  return versions;
}

std::int64_t AddCurrentVersion(Session& session, const model::CertificateVersion& version,
                               UnixSeconds next_action_at, UnixSeconds now) {
  Connection& connection = Of(session);
  const std::int64_t certificate_id = version.certificate_id;
  const int changed =
      Query(connection,
            "UPDATE certificate SET next_action_at = ?, last_error = NULL, last_error_at = 0, "
            "failures = 0, preflight_good = NULL, preflight_saw = '', preflight_at = 0, "
            "updated_at = ? WHERE id = ?",
            next_action_at, now, certificate_id)
          .Run();
  if (changed == 0) {
    throw Error(FailureCode::kNotFound,
                Cat("certificate ", certificate_id, " is not in the store (any more)"),
                "it was deleted meanwhile; ask for it again");
  }
  Query(connection, "UPDATE version SET is_current = 0 WHERE certificate_id = ? AND is_current = 1",
        certificate_id)
      .Run();
  const std::int64_t id = InsertVersion(connection, version, true);
  if (PruneFormerVersions(connection, certificate_id, now) > 0) session.impl().deleted_keys = true;
  return id;
}

}  // namespace certwright::store
