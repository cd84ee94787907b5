#include "restore_merge.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "certwright/base/text.h"
#include "certwright/model/event.h"
#include "certwright/store/events.h"
#include "codec.h"
#include "copy.h"
#include "session.h"

namespace certwright::store {
namespace {

// In this order: ids first, so that the events to come have numbers of their own.
constexpr const char* kCarryOver[] = {
    // AUTOINCREMENT: no id is given away twice.
    "UPDATE main.sqlite_sequence SET seq = max(seq, (SELECT p.seq FROM present.sqlite_sequence p "
    "WHERE p.name = main.sqlite_sequence.name)) "
    "WHERE name IN (SELECT name FROM present.sqlite_sequence)",
    "INSERT INTO main.sqlite_sequence (name, seq) SELECT name, seq FROM present.sqlite_sequence "
    "WHERE name NOT IN (SELECT name FROM main.sqlite_sequence)",
    // I4, and the CA's limits.
    "INSERT INTO main.order_ledger (name_set, order_id, created_at) "
    "SELECT name_set, order_id, created_at FROM present.order_ledger WHERE true "
    "ON CONFLICT DO NOTHING",
    "INSERT INTO main.ca_budget (ca, limit_name, subject, arrival_ms, interval_ms, "
    "updated_at) SELECT ca, limit_name, subject, arrival_ms, interval_ms, updated_at FROM present.ca_budget WHERE true "
    "ON CONFLICT (ca, limit_name, subject) DO UPDATE SET "
    "interval_ms = CASE WHEN excluded.arrival_ms > arrival_ms THEN excluded.interval_ms "
    "ELSE interval_ms END, arrival_ms = max(arrival_ms, excluded.arrival_ms), "
    "updated_at = max(updated_at, excluded.updated_at)",
    // The CA knows one key of an account, the latest; and one that was given up is gone.
    "INSERT INTO main.account (directory, key_pem, url, contact, status, terms, created_at, "
    "next_key_pem) SELECT directory, key_pem, url, contact, status, terms, created_at, "
    "next_key_pem FROM present.account WHERE true ON CONFLICT (directory) DO UPDATE SET "
    "key_pem = excluded.key_pem, url = excluded.url, contact = excluded.contact, "
    "status = excluded.status, terms = excluded.terms, created_at = excluded.created_at, "
    "next_key_pem = excluded.next_key_pem WHERE excluded.url <> '' OR url = ''",
    // I2: what is under way at a CA is carried on, as it stands by now and with its key. Where the
    // certificate is not in the backup nobody wants it any more.
    "DELETE FROM main.acme_order WHERE state NOT IN ('done', 'failed') AND EXISTS (SELECT 1 "
    "FROM present.acme_order o JOIN present.certificate p ON p.id = o.certificate_id "
    "JOIN main.certificate c ON c.name_set = p.name_set WHERE o.state NOT IN ('done', 'failed') "
    "AND c.id = main.acme_order.certificate_id AND o.directory = main.acme_order.directory)",
    "INSERT INTO main.acme_order (certificate_id, directory, identifiers, profile, "
    "preferred_chain, replaces, key_pem, state, url, finalize_url, certificate_url, "
    "authorizations, chain_pem, attempts, failure, forced, leftover, counted, created_at, "
    "updated_at) SELECT c.id, o.directory, o.identifiers, o.profile, o.preferred_chain, "
    "o.replaces, o.key_pem, o.state, o.url, o.finalize_url, o.certificate_url, o.authorizations, "
    "o.chain_pem, o.attempts, o.failure, o.forced, o.leftover, o.counted, o.created_at, "
    "o.updated_at FROM present.acme_order o JOIN present.certificate p ON p.id = o.certificate_id "
    "JOIN main.certificate c ON c.name_set = p.name_set WHERE o.state NOT IN ('done', 'failed')",
    // I3: what was told is not told again, what comes now is.
    "INSERT INTO main.event (seq, name, reason, names, certificate_id, not_after, failure, "
    "created_at) SELECT seq, name, reason, names, certificate_id, not_after, failure, created_at "
    "FROM present.event WHERE seq > (SELECT coalesce(max(seq), 0) FROM main.event)",
    "INSERT INTO main.feed_position (subscriber, seq, kinds, updated_at) "
    "SELECT subscriber, seq, kinds, updated_at FROM present.feed_position WHERE true "
    "ON CONFLICT (subscriber) DO UPDATE SET seq = excluded.seq, kinds = excluded.kinds, "
    "updated_at = excluded.updated_at",
    // Nobody gets rid of what the audit log says by a restore.
    "INSERT INTO main.audit (seq, at, role, caller, action, subject, outcome) "
    "SELECT seq, at, role, caller, action, subject, outcome FROM present.audit "
    "WHERE seq > (SELECT coalesce(max(seq), 0) FROM main.audit)",
    "INSERT INTO main.task (seq, id, action, data, secret, role, caller, upload_verify, parent, "
    "extra, status, progress, attempts, exit_code, result, created_at, started_at, ended_at) "
    "SELECT seq, id, action, data, secret, role, caller, upload_verify, parent, extra, status, "
    "progress, attempts, exit_code, result, created_at, started_at, ended_at FROM present.task",
    // What is revoked, and what is about to be.
    "INSERT INTO main.revoked (fingerprint, reason, revoked_at) "
    "SELECT fingerprint, reason, revoked_at FROM present.revoked WHERE true "
    "ON CONFLICT DO NOTHING",
    "UPDATE main.version SET revocation_reason = p.revocation_reason, "
    "revoke_with_key = p.revoke_with_key, revoke_replaced = p.revoke_replaced "
    "FROM present.version p WHERE p.fingerprint = version.fingerprint "
    "AND p.revocation_reason <> '' AND version.revoked_at = 0",
    "UPDATE main.version SET revocation_reason = r.reason, revoked_at = r.revoked_at "
    "FROM main.revoked r WHERE r.fingerprint = version.fingerprint AND version.revoked_at = 0",
    // Without a current version one that is still wanted is ordered anew; what was removed with its
    // revocation stays removed.
    "DELETE FROM main.certificate WHERE name_set NOT IN (SELECT name_set FROM present.certificate) "
    "AND id IN (SELECT certificate_id FROM main.version WHERE is_current = 1 AND revoked_at > 0)",
    "UPDATE main.version SET is_current = 0 WHERE is_current = 1 AND revoked_at > 0",
    // What is on disk and what others have loaded is as it is, whatever is held now.
    "DELETE FROM main.export",
    "INSERT INTO main.export (name, made_of, content, written_at, reload_due, reloaded_at, "
    "failures, failure, failed_at) SELECT name, made_of, content, written_at, reload_due, "
    "reloaded_at, failures, failure, failed_at FROM present.export",
    "DELETE FROM main.acknowledgement",
    "INSERT INTO main.acknowledgement (consumer, name, serial, acknowledged_at) "
    "SELECT consumer, name, serial, acknowledged_at FROM present.acknowledgement",
    "DELETE FROM main.served",
    "INSERT INTO main.served (endpoint, name, state, wanted, seen, problem, since, wrong_since, "
    "looked_at) SELECT endpoint, name, state, wanted, seen, problem, since, wrong_since, looked_at "
    "FROM present.served",
};

struct Current {
  std::int64_t certificate_id = 0;
  std::string fingerprint;
  std::vector<std::string> names;
  UnixSeconds not_after = 0;
};

// By name set.
std::map<std::string, Current> CurrentVersions(Connection& connection, const std::string& schema) {
  Query rows(connection, Cat("SELECT c.name_set, c.id, v.fingerprint, v.names, v.not_after FROM ",
                             schema, ".certificate c JOIN ", schema,
                             ".version v ON v.certificate_id = c.id AND v.is_current = 1"));
  std::map<std::string, Current> found;
  while (rows.Step()) {
    const std::string name_set = rows.Text();
    Current& current = found[name_set];
    current.certificate_id = rows.Int();
    current.fingerprint = rows.Text();
    current.names = model::Names(DecodeIdentifiers(rows.Text()));
    current.not_after = rows.Int();
  }
  return found;
}

void Tell(Session& session, const Current& current, UnixSeconds not_after, UnixSeconds now) {
  model::Event event;
  event.name = "certificate-changed";
  event.reason = "restored";
  event.names = current.names;
  event.certificate_id = current.certificate_id;
  event.not_after = not_after;
  event.created_at = now;
  AppendEvent(session, event);
}

std::vector<std::string> TellDifferences(Session& session,
                                         const std::map<std::string, Current>& before,
                                         UnixSeconds now) {
  std::vector<std::string> differing;
  const std::map<std::string, Current> after = CurrentVersions(Of(session), "main");
  for (const auto& [name_set, current] : after) {
    const auto was = before.find(name_set);
    if (was != before.end() && was->second.fingerprint == current.fingerprint) continue;
    Tell(session, current, current.not_after, now);
    differing.push_back(name_set);
  }
  for (const auto& [name_set, was] : before) {
    if (after.contains(name_set)) continue;
    Tell(session, was, 0, now);
    differing.push_back(name_set);
  }
  return differing;
}

std::vector<std::string> RouteHosts(Connection& connection, const std::string& schema) {
  Query rows(connection, Cat("SELECT DISTINCT host FROM ", schema,
                             ".route WHERE host <> '' ORDER BY host"));
  std::vector<std::string> hosts;
  while (rows.Step()) hosts.push_back(rows.Text());
  return hosts;
}

// What is told in process only (routes-changed and the like) needs no event: nobody runs now, and
// who starts brings the world up to date first.
void TellHosts(Session& session, const std::vector<std::string>& before, UnixSeconds now) {
  const std::vector<std::string> after = RouteHosts(Of(session), "main");
  model::Event event;
  std::set_symmetric_difference(before.begin(), before.end(), after.begin(), after.end(),
                                std::back_inserter(event.names));
  if (event.names.empty()) return;
  event.name = "hosts-changed";
  event.reason = "restored";
  event.created_at = now;
  AppendEvent(session, event);
}

}  // namespace

std::vector<std::string> CarryOver(Connection& next, const Path* present, UnixSeconds now) {
  if (present != nullptr) {
    next.Execute(Cat("ATTACH DATABASE ", QuoteLiteral(present->string()), " AS present"));
  }
  std::vector<std::string> differing;
  next.Execute("BEGIN IMMEDIATE");
  try {
    std::map<std::string, Current> before;
    std::vector<std::string> hosts;
    next.Execute("DELETE FROM main.task");  // what was to be done then is not asked for now
    if (present != nullptr) {
      before = CurrentVersions(next, "present");
      hosts = RouteHosts(next, "present");
      for (const char* sql : kCarryOver) next.Execute(sql);
    }
    Session::Impl inside{next};
    Session session(inside);
    differing = TellDifferences(session, before, now);
    TellHosts(session, hosts, now);
    next.Execute("COMMIT");
  } catch (...) {
    sqlite3_exec(next.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
  return differing;
}

}  // namespace certwright::store
