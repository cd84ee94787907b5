#include "certwright/store/events.h"

#include <algorithm>

#include "certwright/base/text.h"
#include "codec.h"
#include "session.h"

namespace certwright::store {
namespace {

// "certificate-changed certificate-failed"; no kind holds a blank or what LIKE knows.
std::string EncodeKinds(const Kinds& kinds) { return Join(kinds, " "); }

Kinds DecodeKinds(const std::string& text) { return text.empty() ? Kinds{} : Split(text, ' '); }

// Bound twice: as EncodeKinds has it, and between blanks.
constexpr char kOfKinds[] = "(? = '' OR ? LIKE '% ' || name || ' %') ";

std::string Padded(const std::string& kinds) { return Cat(" ", kinds, " "); }

std::int64_t NumberOr(Query& rows, std::int64_t otherwise) {
  return rows.Step() ? rows.Int() : otherwise;
}

// The first event that this subscriber has not had yet; `otherwise` where there is none.
std::int64_t NextFor(Session& session, const FeedPosition& position, std::int64_t otherwise) {
  const auto next = ListEvents(session, position.seq, 1, position.kinds);
  return next.empty() ? otherwise : next.front().seq;
}

}  // namespace

std::int64_t AppendEvent(Session& session, const model::Event& event) {
  Query insert(Of(session),
               "INSERT INTO event (name, reason, names, certificate_id, not_after, failure, "
               "created_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING seq",
               event.name, event.reason, EncodeList(event.names), event.certificate_id,
               event.not_after, EncodeFailure(event.failure), event.created_at);
  insert.Step();
  const std::int64_t seq = insert.Int();
  insert.Run();
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

std::vector<model::Event> ListEvents(Session& session, std::int64_t after, int limit,
                                     const Kinds& kinds) {
  const std::string wanted = EncodeKinds(kinds);
  Query rows(Of(session),
             Cat("SELECT seq, name, reason, names, certificate_id, not_after, failure, created_at "
                 "FROM event WHERE seq > ? AND ",
                 kOfKinds, "ORDER BY seq LIMIT ?"),
             after, wanted, Padded(wanted), limit);
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

std::int64_t CountEvents(Session& session, std::int64_t after, const Kinds& kinds) {
  const std::string wanted = EncodeKinds(kinds);
  Query rows(Of(session), Cat("SELECT count(*) FROM event WHERE seq > ? AND ", kOfKinds), after,
             wanted, Padded(wanted));
  return NumberOr(rows, 0);
}

std::int64_t EventBefore(Session& session, std::int64_t seq, const Kinds& kinds) {
  const std::string wanted = EncodeKinds(kinds);
  Query rows(Of(session),
             Cat("SELECT seq FROM event WHERE seq < ? AND ", kOfKinds,
                 "ORDER BY seq DESC LIMIT 1"),
             seq, wanted, Padded(wanted));
  return NumberOr(rows, 0);
}

std::int64_t FirstEvent(Session& session) {
  Query rows(Of(session), "SELECT coalesce(min(seq), 0) FROM event");
  return NumberOr(rows, 0);
}

std::int64_t LastEvent(Session& session) {
  Query rows(Of(session), "SELECT coalesce(max(seq), 0) FROM event");
  return NumberOr(rows, 0);
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
        "ON CONFLICT (subscriber) DO UPDATE SET seq = excluded.seq, failures = 0, "
        "failing_since = 0, next_try = 0, last_error = '', updated_at = excluded.updated_at",
        subscriber, seq, now)
      .Run();
}

void SaveKinds(Session& session, const std::string& subscriber, const Kinds& kinds) {
  const std::string wanted = EncodeKinds(kinds);
  Query(Of(session), "UPDATE feed_position SET kinds = ? WHERE subscriber = ? AND kinds <> ?",
        wanted, subscriber, wanted)
      .Run();
}

void RecordDeliveryFailure(Session& session, const std::string& subscriber,
                           const std::string& error, UnixSeconds next_try, UnixSeconds now) {
  Query(Of(session),
        "UPDATE feed_position SET "
        "failing_since = CASE WHEN failures = 0 THEN ? ELSE failing_since END, "
        "failures = failures + 1, next_try = ?, last_error = ?, updated_at = ? "
        "WHERE subscriber = ?",
        now, next_try, error, now, subscriber)
      .Run();
}

void DeletePosition(Session& session, const std::string& subscriber) {
  Query(Of(session), "DELETE FROM feed_position WHERE subscriber = ?", subscriber).Run();
}

std::vector<FeedPosition> ListPositions(Session& session) {
  Query rows(Of(session),
             "SELECT subscriber, seq, kinds, failures, failing_since, next_try, last_error "
             "FROM feed_position ORDER BY subscriber");
  std::vector<FeedPosition> positions;
  while (rows.Step()) {
    FeedPosition position;
    position.subscriber = rows.Text();
    position.seq = rows.Int();
    position.kinds = DecodeKinds(rows.Text());
    position.failures = static_cast<int>(rows.Int());
    position.failing_since = rows.Int();
    position.next_try = rows.Int();
    position.last_error = rows.Text();
    positions.push_back(std::move(position));
  }
  return positions;
}

std::vector<std::string> PruneEvents(Session& session, const Retention& retention,
                                     UnixSeconds now) {
  constexpr std::int64_t kKeptForTheSlow = 10;  // times the count
  Connection& connection = Of(session);
  const std::int64_t last = LastEvent(session);
  Query young(connection, "SELECT seq FROM event WHERE created_at >= ? ORDER BY seq LIMIT 1",
              now - retention.age);
  const std::int64_t old = NumberOr(young, last) - 1;
  const std::int64_t wanted = std::min(last - 1, std::max(last - retention.count, old));
  const std::int64_t always = std::min(last - 1, last - kKeptForTheSlow * retention.count);
  std::int64_t limit = wanted;
  std::vector<std::string> lost;
  for (const FeedPosition& position : ListPositions(session)) {
    const std::int64_t next = NextFor(session, position, last);
    limit = std::min(limit, next - 1);
    if (next <= always) lost.push_back(position.subscriber);
  }
  Query(connection, "DELETE FROM event WHERE seq <= ?", std::max(limit, always)).Run();
  return lost;
}

}  // namespace certwright::store
