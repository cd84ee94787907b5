#include "certwright/store/served.h"

#include <algorithm>
#include <tuple>

#include "session.h"

namespace certwright::store {

namespace {

const std::string kSelect =
    "SELECT endpoint, name, state, wanted, seen, problem, since, wrong_since, looked_at "
    "FROM served ";

ServedState Read(Query& row) {
  ServedState state;
  state.endpoint = row.Text();
  state.name = row.Text();
  state.state = row.Text();
  state.wanted = row.Text();
  state.seen = row.Text();
  state.problem = row.Text();
  state.since = row.Int();
  state.wrong_since = row.Int();
  state.looked_at = row.Int();
  return state;
}

}  // namespace

std::optional<ServedState> FindServed(Session& session, const std::string& endpoint,
                                      const std::string& name) {
  Query rows(Of(session), kSelect + "WHERE endpoint = ? AND name = ?", endpoint, name);
  if (!rows.Step()) return std::nullopt;
  return Read(rows);
}

void SaveServed(Session& session, const ServedState& state) {
  Query(Of(session),
        "INSERT INTO served (endpoint, name, state, wanted, seen, problem, since, wrong_since, "
        "looked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (endpoint, name) DO UPDATE SET "
        "state = excluded.state, wanted = excluded.wanted, seen = excluded.seen, "
        "problem = excluded.problem, since = excluded.since, wrong_since = excluded.wrong_since, "
        "looked_at = excluded.looked_at",
        state.endpoint, state.name, state.state, state.wanted, state.seen, state.problem,
        state.since, state.wrong_since, state.looked_at)
      .Run();
}

void DeleteServed(Session& session, const std::string& endpoint, const std::string& name) {
  Query(Of(session), "DELETE FROM served WHERE endpoint = ? AND name = ?", endpoint, name).Run();
}

std::vector<ServedState> ListServed(Session& session) {
  Query rows(Of(session), kSelect);
  std::vector<ServedState> states;
  while (rows.Step()) states.push_back(Read(rows));
  std::sort(states.begin(), states.end(), [](const auto& a, const auto& b) {
    return std::tie(a.endpoint, a.name) < std::tie(b.endpoint, b.name);
  });
  return states;
}

}  // namespace certwright::store
