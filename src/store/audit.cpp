#include "certwright/store/audit.h"

#include "session.h"

namespace certwright::store {
namespace {

constexpr std::int64_t kPruneEvery = 256;

}  // namespace

std::int64_t AppendAudit(Session& session, const AuditEntry& entry) {
  Connection& connection = Of(session);
  Query insert(connection,
               "INSERT INTO audit (at, role, caller, action, subject, outcome) "
               "VALUES (?, ?, ?, ?, ?, ?) RETURNING seq",
               entry.at, entry.role, entry.caller, entry.action, entry.subject, entry.outcome);
  insert.Step();
  const std::int64_t seq = insert.Int();
  insert.Run();
  if (seq % kPruneEvery == 0) {
    Query(connection,
          "DELETE FROM audit WHERE seq <= ? AND at <= (SELECT max(at) FROM audit) - ?",
          seq - kAuditEntriesKept, kAuditKept)
        .Run();
  }
  return seq;
}

std::vector<AuditEntry> ListAudit(Session& session, std::int64_t after, int limit) {
  Query rows(Of(session),
             "SELECT seq, at, role, caller, action, subject, outcome FROM audit "
             "WHERE seq > ? ORDER BY seq LIMIT ?",
             after, limit);
  std::vector<AuditEntry> entries;
  while (rows.Step()) {
    AuditEntry entry;
    entry.seq = rows.Int();
    entry.at = rows.Int();
    entry.role = rows.Text();
    entry.caller = rows.Text();
    entry.action = rows.Text();
    entry.subject = rows.Text();
    entry.outcome = rows.Text();
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace certwright::store
