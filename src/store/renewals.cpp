#include "certwright/store/renewals.h"

#include "certificate_rows.h"
#include "session.h"

namespace certwright::store {
namespace {

const std::string kSelectDue =
    "SELECT c.id, c.next_action_at, coalesce(v.ca, '') FROM certificate c" + kJoinCurrent;

std::vector<DueRow> ReadDueRows(Query& rows) {
  std::vector<DueRow> due;
  while (rows.Step()) {
    DueRow row;
    row.certificate_id = rows.Int();
    row.at = rows.Int();
    row.ca = rows.Text();
    due.push_back(std::move(row));
  }
  return due;
}

const std::string kSelectInfo =
    "SELECT ari_id, window_start, window_end, explanation_url, chosen_at, check_at "
    "FROM renewal_info ";

model::RenewalInfo ReadInfo(Query& row) {
  model::RenewalInfo info;
  info.ari_id = row.Text();
  info.start = row.Int();
  info.end = row.Int();
  info.explanation_url = row.Text();
  info.chosen_at = row.Int();
  info.check_at = row.Int();
  return info;
}

}  // namespace

std::optional<model::RenewalInfo> FindRenewalInfo(Session& session, const std::string& ari_id) {
  Query rows(Of(session), kSelectInfo + "WHERE ari_id = ?", ari_id);
  if (!rows.Step()) return std::nullopt;
  return ReadInfo(rows);
}

std::map<std::string, model::RenewalInfo> ListRenewalInfo(Session& session) {
  Query rows(Of(session), kSelectInfo);
  std::map<std::string, model::RenewalInfo> all;
  while (rows.Step()) {
    model::RenewalInfo info = ReadInfo(rows);
    all.emplace(info.ari_id, std::move(info));
  }
  return all;
}

void SaveRenewalInfo(Session& session, std::int64_t version_id, const model::RenewalInfo& info,
                     UnixSeconds now) {
  Query(Of(session),
        "INSERT INTO renewal_info (ari_id, version_id, window_start, window_end, explanation_url, "
        "chosen_at, check_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (ari_id) DO UPDATE SET version_id = excluded.version_id, "
        "window_start = excluded.window_start, window_end = excluded.window_end, "
        "explanation_url = excluded.explanation_url, chosen_at = excluded.chosen_at, "
        "check_at = excluded.check_at, updated_at = excluded.updated_at",
        info.ari_id, version_id, info.start, info.end, info.explanation_url, info.chosen_at,
        info.check_at, now)
      .Run();
}

void SavePreflight(Session& session, std::int64_t certificate_id, std::optional<bool> good,
                   const std::string& saw, UnixSeconds now) {
  const std::optional<std::int64_t> verdict =
      good ? std::optional<std::int64_t>(*good ? 1 : 0) : std::nullopt;
  Query(Of(session),
        "UPDATE certificate SET preflight_good = ?, preflight_saw = ?, preflight_at = ? "
        "WHERE id = ? AND failures > 0",
        verdict, saw, now, certificate_id)
      .Run();
}

void SetExpiryTold(Session& session, std::int64_t version_id, int told) {
  Query(Of(session), "UPDATE version SET expiry_told = ? WHERE id = ?", told, version_id).Run();
}

void MakeOpenOrdersDue(Session& session, UnixSeconds now) {
  Query(Of(session),
        "UPDATE certificate SET next_action_at = ?, updated_at = ? "
        "WHERE (next_action_at = 0 OR next_action_at > ?) AND id IN (SELECT certificate_id "
        "FROM acme_order WHERE state NOT IN ('done', 'failed'))",
        now, now, now)
      .Run();
}

void SetDiscard(Session& session, std::int64_t certificate_id, bool discard) {
  Query(Of(session), "UPDATE certificate SET discard = ? WHERE id = ? AND discard <> ?", discard,
        certificate_id, discard)
      .Run();
}

void SetNextAction(Session& session, std::int64_t certificate_id, UnixSeconds at, UnixSeconds now) {
  Query(Of(session), "UPDATE certificate SET next_action_at = ?, updated_at = ? WHERE id = ?", at,
        now, certificate_id)
      .Run();
}

UnixSeconds NextActionOfAll(Session& session) {
  Query rows(Of(session),
             "SELECT next_action_at FROM certificate WHERE next_action_at > 0 "
             "ORDER BY next_action_at, id LIMIT 1");
  return rows.Step() ? rows.Int() : 0;
}

// SQLite begins to read the index at the first bound that it meets: the one that says most comes first,
// and the one that only names the partial index last.
UnixSeconds NextActionAfter(Session& session, UnixSeconds now) {
  Query rows(Of(session),
             "SELECT next_action_at FROM certificate WHERE next_action_at > ? "
             "AND next_action_at > 0 ORDER BY next_action_at, id LIMIT 1",
             now);
  return rows.Step() ? rows.Int() : 0;
}

std::vector<DueRow> ListDueRows(Session& session, UnixSeconds now, const DueRow& after, int limit) {
  Query rows(Of(session),
             kSelectDue +
                 "WHERE (c.next_action_at, c.id) > (?, ?) AND c.next_action_at <= ? "
                 "AND c.next_action_at > 0 ORDER BY c.next_action_at, c.id LIMIT ?",
             after.at, after.certificate_id, now, limit);
  return ReadDueRows(rows);
}

std::vector<DueRow> ListWrittenAfter(Session& session, UnixSeconds now, int limit) {
  // The plus keeps the index of due rows out of it: of that, nearly all would be read.
  Query rows(Of(session),
             kSelectDue +
                 "WHERE c.updated_at > ? AND +c.next_action_at > ? ORDER BY c.updated_at LIMIT ?",
             now, now, limit);
  return ReadDueRows(rows);
}

}  // namespace certwright::store
