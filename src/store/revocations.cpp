#include "certwright/store/revocations.h"

#include "certificate_rows.h"
#include "certwright/base/text.h"
#include "serial.h"
#include "session.h"

namespace certwright::store {
namespace {

std::optional<model::CertificateVersion> OptionalVersion(Query& rows) {
  if (!rows.Step()) return std::nullopt;
  return ReadVersion(rows);
}

}  // namespace

std::optional<model::CertificateVersion> FindVersion(Session& session, std::int64_t version_id) {
  Query rows(Of(session), "SELECT " + kVersionColumns + " FROM version v WHERE v.id = ?",
             version_id);
  return OptionalVersion(rows);
}

std::optional<model::CertificateVersion> FindVersionBySerial(Session& session,
                                                             const std::string& serial) {
  for (const std::string& hex : SerialsMeant(serial)) {
    Query rows(Of(session),
               "SELECT " + kVersionColumns +
                   " FROM version v WHERE v.serial_hex = ? AND v.certificate_id IS NOT NULL "
                   "ORDER BY v.is_current DESC, v.id DESC LIMIT 1",
               hex);
    if (auto version = OptionalVersion(rows)) return version;
  }
  return std::nullopt;
}

void WantRevoked(Session& session, std::int64_t version_id, const RevocationWish& wish) {
  Query(Of(session),
        "UPDATE version SET revocation_reason = ?, revoke_with_key = ?, revoke_replaced = ? "
        "WHERE id = ? AND revoked_at = 0",
        wish.reason, wish.with_key, wish.replaced, version_id)
      .Run();
  session.impl().saved_step = true;
}

void ForgetRevocation(Session& session, std::int64_t version_id) {
  WantRevoked(session, version_id, {});
}

void RecordRevoked(Session& session, std::int64_t version_id, UnixSeconds now) {
  Query(Of(session), "UPDATE version SET revoked_at = ? WHERE id = ?", now, version_id).Run();
  Query(Of(session),
        "INSERT INTO revoked (fingerprint, reason, revoked_at) "
        "SELECT fingerprint, revocation_reason, revoked_at FROM version WHERE id = ? "
        "ON CONFLICT (fingerprint) DO NOTHING",
        version_id)
      .Run();
  session.impl().saved_step = true;
}

bool IsRevoked(Session& session, const std::string& fingerprint) {
  Query rows(Of(session), "SELECT 1 FROM revoked WHERE fingerprint = ?", fingerprint);
  return rows.Step();
}

std::vector<model::CertificateVersion> ListToRevoke(Session& session) {
  // The condition is, word for word, that of the index version_to_revoke.
  Query rows(Of(session), "SELECT " + kVersionColumnsWithoutKey +
                              " FROM version v WHERE revocation_reason <> '' AND revoked_at = 0 "
                              "ORDER BY v.id");
  std::vector<model::CertificateVersion> versions;
  while (rows.Step()) versions.push_back(ReadVersion(rows));
  return versions;
}

void MakeCurrent(Session& session, std::int64_t version_id, UnixSeconds next_action_at,
                 UnixSeconds now) {
  Connection& connection = Of(session);
  const auto version = FindVersion(session, version_id);
  if (!version) {
    throw Error(FailureCode::kNotFound,
                Cat("version ", version_id, " is not in the store (any more)"));
  }
  Query(connection, "UPDATE version SET is_current = 0 WHERE certificate_id = ? AND is_current = 1",
        version->certificate_id)
      .Run();
  Query(connection, "UPDATE version SET is_current = 1 WHERE id = ?", version_id).Run();
  Query(connection,
        "UPDATE certificate SET next_action_at = ?, last_error = NULL, last_error_at = 0, "
        "failures = 0, preflight_good = NULL, preflight_saw = '', preflight_at = 0, "
        "updated_at = ? WHERE id = ?",
        next_action_at, now, version->certificate_id)
      .Run();
}

}  // namespace certwright::store
