#include "certwright/store/events.h"

#include "codec.h"
#include "session.h"

namespace certwright::store {
namespace {

constexpr std::int64_t kEventsKept = 10'000;

// Never one that a subscriber has not passed.
void PruneEvents(Connection& connection, std::int64_t newest) {
  Query(connection,
        "DELETE FROM event WHERE seq <= ? AND seq <= (SELECT min(seq) FROM feed_position)",
        newest - kEventsKept)
      .Run();
}

}  // namespace

std::int64_t AppendEvent(Session& session, const model::Event& event) {
  Connection& connection = Of(session);
  Query insert(connection,
               "INSERT INTO event (name, reason, names, certificate_id, not_after, failure, "
               "created_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING seq",
               event.name, event.reason, EncodeList(event.names), event.certificate_id,
               event.not_after, EncodeFailure(event.failure), event.created_at);
  insert.Step();
  const std::int64_t seq = insert.Int();
  insert.Run();
  if (seq > kEventsKept) PruneEvents(connection, seq);
  return seq;
}

std::int64_t AppendEvent(Session& session, std::string name, std::string reason,
                         std::vector<std::string> names, UnixSeconds now) {
  model::Event event;
  event.name = std::move(name);
  event.reason = std::move(reason);
  event.names = std::move(names);
  event.created_at = now;
  return AppendEvent(session, event);
}

std::vector<model::Event> ListEvents(Session& session, std::int64_t after, int limit) {
  Query rows(Of(session),
             "SELECT seq, name, reason, names, certificate_id, not_after, failure, created_at "
             "FROM event WHERE seq > ? ORDER BY seq LIMIT ?",
             after, limit);
  std::vector<model::Event> events;
  while (rows.Step()) {
    model::Event event;
    event.seq = rows.Int();
    event.name = rows.Text();
    event.reason = rows.Text();
    event.names = DecodeList(rows.Text());
    event.certificate_id = rows.Int();
    event.not_after = rows.Int();
    event.failure = DecodeFailure(rows.OptionalText());
    event.created_at = rows.Int();
    events.push_back(std::move(event));
  }
  return events;
}

std::int64_t LastEvent(Session& session) {
  Query rows(Of(session), "SELECT coalesce(max(seq), 0) FROM event");
  rows.Step();
  return rows.Int();
}

std::optional<std::int64_t> FindPosition(Session& session, const std::string& subscriber) {
  Query rows(Of(session), "SELECT seq FROM feed_position WHERE subscriber = ?", subscriber);
  if (!rows.Step()) return std::nullopt;
  return rows.Int();
}

void SavePosition(Session& session, const std::string& subscriber, std::int64_t seq,
                  UnixSeconds now) {
  Query(Of(session),
        "INSERT INTO feed_position (subscriber, seq, updated_at) VALUES (?, ?, ?) "
        "ON CONFLICT (subscriber) DO UPDATE SET seq = excluded.seq, "
        "updated_at = excluded.updated_at",
        subscriber, seq, now)
      .Run();
}

std::vector<std::string> ListSubscribers(Session& session) {
  Query rows(Of(session), "SELECT subscriber FROM feed_position ORDER BY subscriber");
  std::vector<std::string> subscribers;
  while (rows.Step()) subscribers.push_back(rows.Text());
  return subscribers;
}

void DeletePosition(Session& session, const std::string& subscriber) {
  Query(Of(session), "DELETE FROM feed_position WHERE subscriber = ?", subscriber).Run();
}

}  // namespace certwright::store
