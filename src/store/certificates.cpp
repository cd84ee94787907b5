#include "certwright/store/certificates.h"

#include <algorithm>

#include "certificate_rows.h"
#include "certwright/base/text.h"
#include "codec.h"
#include "serial.h"
#include "session.h"

namespace certwright::store {
namespace {

const std::string kHeldColumns = kCertificateColumns + ", " + kVersionColumns;
const std::string kSelectHeld = "SELECT " + kHeldColumns + " FROM certificate c" + kJoinCurrent;

std::optional<HeldCertificate> OptionalHeld(Query& rows) {
  if (!rows.Step()) return std::nullopt;
  return ReadHeld(rows);
}

}  // namespace

model::ManagedCertificate ReadCertificate(Query& row) {
  model::ManagedCertificate certificate;
  certificate.id = row.Int();
  certificate.name_set = row.Text();
  certificate.names = DecodeIdentifiers(row.Text());
  certificate.policy.key_type = model::KeyTypeFromName(row.Text());
  certificate.policy.reuse_key = row.Int() != 0;
  certificate.policy.profile = row.Text();
  certificate.policy.preferred_chain = row.Text();
  certificate.owner = row.Text();
  certificate.current_version = row.OptionalInt();
  certificate.next_action_at = row.Int();
  certificate.last_error = DecodeFailure(row.OptionalText());
  certificate.last_error_at = row.Int();
  certificate.failures = static_cast<int>(row.Int());
  certificate.created_at = row.Int();
  certificate.updated_at = row.Int();
  if (const auto good = row.OptionalInt()) certificate.preflight_good = *good != 0;
  certificate.preflight_saw = row.Text();
  certificate.preflight_at = row.Int();
  certificate.discard = row.Int() != 0;
  return certificate;
}

HeldCertificate ReadHeld(Query& row) {
  HeldCertificate held;
  held.certificate = ReadCertificate(row);
  if (held.certificate.current_version) held.current = ReadVersion(row);
  return held;
}

model::ManagedCertificate EnsureManaged(Session& session, const model::ManagedCertificate& wanted,
                                        UnixSeconds now) {
  Connection& connection = Of(session);
  const std::string name_set =
      wanted.name_set.empty() ? model::NameSetKey(wanted.names) : wanted.name_set;
  Query upsert(connection,
               "INSERT INTO certificate (name_set, names, key_type, reuse_key, profile, "
               "preferred_chain, owner, next_action_at, last_error_at, failures, created_at, "
               "updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?) "
               "ON CONFLICT (name_set) DO UPDATE SET names = excluded.names, "
               "key_type = excluded.key_type, "
               "reuse_key = excluded.reuse_key, profile = excluded.profile, "
               "preferred_chain = excluded.preferred_chain, owner = excluded.owner, "
               "updated_at = excluded.updated_at RETURNING id",
               name_set, EncodeIdentifiers(wanted.names),
               model::KeyTypeName(wanted.policy.key_type), wanted.policy.reuse_key,
               wanted.policy.profile, wanted.policy.preferred_chain, wanted.owner,
               wanted.next_action_at, now, now);
  upsert.Step();
  const std::int64_t id = upsert.Int();
  upsert.Run();
  return FindById(session, id)->certificate;
}

std::optional<HeldCertificate> FindByNameSet(Session& session, const std::string& name_set) {
  Query rows(Of(session), kSelectHeld + "WHERE c.name_set = ?", name_set);
  return OptionalHeld(rows);
}

std::optional<HeldCertificate> FindById(Session& session, std::int64_t certificate_id) {
  Query rows(Of(session), kSelectHeld + "WHERE c.id = ?", certificate_id);
  return OptionalHeld(rows);
}

std::optional<HeldCertificate> FindBySerial(Session& session, const std::string& serial) {
  for (const std::string& hex : SerialsMeant(serial)) {
    Query rows(Of(session),
               "SELECT certificate_id FROM version WHERE serial_hex = ? AND certificate_id IS NOT "
               "NULL ORDER BY is_current DESC, id DESC LIMIT 1",
               hex);
    if (rows.Step()) return FindById(session, rows.Int());
  }
  return std::nullopt;
}

std::optional<HeldCertificate> FindCurrentBySerial(Session& session, const std::string& serial,
                                                   model::Origin origin) {
  for (const std::string& hex : SerialsMeant(serial)) {
    Query rows(Of(session),
               "SELECT certificate_id FROM version WHERE serial_hex = ? AND is_current = 1 AND "
               "origin = ? AND certificate_id IS NOT NULL ORDER BY id DESC LIMIT 1",
               hex, OriginName(origin));
    if (rows.Step()) return FindById(session, rows.Int());
  }
  return std::nullopt;
}

std::vector<HeldCertificate> FindCovering(Session& session, const std::string& host) {
  const std::string wildcard = model::WildcardFor(host);
  Query rows(Of(session),
             "SELECT " + kHeldColumns +
                 " FROM version_name n JOIN version v ON v.id = n.version_id AND v.is_current = 1 "
                 "JOIN certificate c ON c.id = v.certificate_id WHERE n.name IN (?, ?) "
                 "ORDER BY n.name = ? DESC, v.not_after DESC, v.id DESC",
             host, wildcard, wildcard);
  std::vector<HeldCertificate> found;
  while (rows.Step()) {
    HeldCertificate held = ReadHeld(rows);
    // It may hold both the name and the wildcard.
    const bool known = std::any_of(found.begin(), found.end(), [&](const HeldCertificate& other) {
      return other.certificate.id == held.certificate.id;
    });
    if (!known) found.push_back(std::move(held));
  }
  return found;
}

bool IsCovered(Session& session, const std::string& host, UnixSeconds now) {
  return Query(Of(session),
               "SELECT 1 FROM version_name n JOIN version v ON v.id = n.version_id "
               "AND v.is_current = 1 WHERE n.name IN (?, ?) AND v.certificate_id IS NOT NULL "
               "AND v.not_before <= ? AND ? < v.not_after LIMIT 1",
               host, model::WildcardFor(host), now, now)
      .Step();
}

std::vector<HeldCertificate> ListCertificates(Session& session, bool with_keys) {
  Query rows(Of(session),
             with_keys ? kSelectHeld + "ORDER BY c.name_set"
                       : "SELECT " + kCertificateColumns + ", " + kVersionColumnsWithoutKey +
                             " FROM certificate c" + kJoinCurrent + "ORDER BY c.name_set");
  std::vector<HeldCertificate> all;
  while (rows.Step()) all.push_back(ReadHeld(rows));
  return all;
}

std::vector<HeldCertificate> ListWithoutChains(Session& session) {
  Query rows(Of(session), "SELECT " + kCertificateColumns + ", " + kVersionColumnsWithoutChain +
                              " FROM certificate c" + kJoinCurrent + "ORDER BY c.name_set");
  std::vector<HeldCertificate> all;
  while (rows.Step()) all.push_back(ReadHeld(rows));
  return all;
}

void RecordFailure(Session& session, std::int64_t certificate_id, const Failure& failure,
                   UnixSeconds next_action_at, UnixSeconds now) {
  Query(Of(session),
        "UPDATE certificate SET last_error = ?, last_error_at = ?, failures = failures + 1, "
        "next_action_at = ?, updated_at = ? WHERE id = ?",
        SerializeFailure(failure), now, next_action_at, now, certificate_id)
      .Run();
}

void KeepFailure(Session& session, std::int64_t certificate_id, UnixSeconds retry_at,
                 UnixSeconds next_action_at, UnixSeconds now) {
  const auto held = FindById(session, certificate_id);
  if (!held || !held->certificate.last_error) return;
  Failure failure = *held->certificate.last_error;
  failure.retry_at = std::max(failure.retry_at, retry_at);
  Query(Of(session),
        "UPDATE certificate SET last_error = ?, next_action_at = ?, updated_at = ? WHERE id = ?",
        SerializeFailure(failure), next_action_at, now, certificate_id)
      .Run();
}

bool DeleteCertificate(Session& session, std::int64_t certificate_id) {
  const bool deleted =
      Query(Of(session), "DELETE FROM certificate WHERE id = ?", certificate_id).Run() > 0;
  if (deleted) session.impl().deleted_keys = true;
  return deleted;
}

std::vector<model::ManagedCertificate> ListDue(Session& session, UnixSeconds now, int limit) {
  Query rows(Of(session),
             "SELECT " + kCertificateColumns + " FROM certificate c" + kJoinCurrent +
                 "WHERE c.next_action_at > 0 AND c.next_action_at <= ? "
                 "ORDER BY c.next_action_at, c.id LIMIT ?",
             now, limit);
  std::vector<model::ManagedCertificate> due;
  while (rows.Step()) due.push_back(ReadCertificate(rows));
  return due;
}

}  // namespace certwright::store
