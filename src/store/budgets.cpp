#include "certwright/store/budgets.h"

#include "session.h"

namespace certwright::store {
namespace {

const std::string kSelect =
    "SELECT ca, limit_name, subject, arrival_ms, interval_ms, updated_at FROM ca_budget ";

Budget ReadBudget(Query& row) {
  Budget budget;
  budget.ca = row.Text();
  budget.limit = row.Text();
  budget.subject = row.Text();
  budget.arrival_ms = row.Int();
  budget.interval_ms = row.Int();
  budget.updated_at = row.Int();
  return budget;
}

}  // namespace

std::optional<Budget> FindBudget(Session& session, const std::string& ca, const std::string& limit,
                                 const std::string& subject) {
  Query rows(Of(session), kSelect + "WHERE ca = ? AND limit_name = ? AND subject = ?", ca, limit,
             subject);
  if (!rows.Step()) return std::nullopt;
  return ReadBudget(rows);
}

void SaveBudget(Session& session, const Budget& budget) {
  Query(Of(session),
        "INSERT INTO ca_budget (ca, limit_name, subject, arrival_ms, interval_ms, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (ca, limit_name, subject) DO UPDATE SET "
        "arrival_ms = excluded.arrival_ms, interval_ms = excluded.interval_ms, "
        "updated_at = excluded.updated_at",
        budget.ca, budget.limit, budget.subject, budget.arrival_ms, budget.interval_ms,
        budget.updated_at)
      .Run();
}

void DeleteBudget(Session& session, const std::string& ca, const std::string& limit,
                  const std::string& subject) {
  Query(Of(session), "DELETE FROM ca_budget WHERE ca = ? AND limit_name = ? AND subject = ?", ca,
        limit, subject)
      .Run();
}

std::vector<Budget> ListBudgets(Session& session) {
  Query rows(Of(session), kSelect + "ORDER BY ca, limit_name, subject");
  std::vector<Budget> budgets;
  while (rows.Step()) budgets.push_back(ReadBudget(rows));
  return budgets;
}

void PruneBudgets(Session& session, UnixSeconds now) {
  Query(Of(session), "DELETE FROM ca_budget WHERE arrival_ms <= ?", now * 1000).Run();
}

}  // namespace certwright::store
