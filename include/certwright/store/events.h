// The outbox: numbered events, and how far each subscriber has come (invariant I3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "certwright/model/event.h"
#include "certwright/store/database.h"

namespace certwright::store {

// Gives the event's number. Call in the transaction that makes the change.
std::int64_t AppendEvent(Session& session, const model::Event& event);
// The same for one that has nothing but names.
std::int64_t AppendEvent(Session& session, std::string name, std::string reason,
                         std::vector<std::string> names, UnixSeconds now);

// Kinds of events; none: all.
using Kinds = std::vector<std::string>;

// Those with a number greater than `after`, in order.
std::vector<model::Event> ListEvents(Session& session, std::int64_t after, int limit,
                                     const Kinds& kinds = {});
// How many there are of these.
std::int64_t CountEvents(Session& session, std::int64_t after, const Kinds& kinds);
// The number of the last event of these kinds before event `seq`; 0: there is none.
std::int64_t EventBefore(Session& session, std::int64_t seq, const Kinds& kinds);
std::int64_t FirstEvent(Session& session);  // of those that are kept; 0 where there is none
std::int64_t LastEvent(Session& session);   // 0 where there is none

// nullopt where the subscriber was never seen.
std::optional<std::int64_t> FindPosition(Session& session, const std::string& subscriber);
// It has had every event up to `seq`, and does not fail (any more).
void SavePosition(Session& session, const std::string& subscriber, std::int64_t seq,
                  UnixSeconds now);
// What a subscriber that was seen is told of: events of other kinds are not kept for it.
void SaveKinds(Session& session, const std::string& subscriber, const Kinds& kinds);
// One more failure of the event that is next for it.
void RecordDeliveryFailure(Session& session, const std::string& subscriber,
                           const std::string& error, UnixSeconds next_try, UnixSeconds now);
// As if it had never been seen: events are no longer kept for it.
void DeletePosition(Session& session, const std::string& subscriber);

struct FeedPosition {
  std::string subscriber;
  std::int64_t seq = 0;
  Kinds kinds;
  int failures = 0;  // in a row; 0: it does not fail
  UnixSeconds failing_since = 0;
  UnixSeconds next_try = 0;
  std::string last_error;
};
std::vector<FeedPosition> ListPositions(Session& session);  // by name

// How long events are kept: not more than `count` of them, and none that is older than `age`. But all
// are kept that a subscriber has not had yet, up to ten times `count`; and the last one is.
struct Retention {
  std::int64_t count = 10'000;
  std::int64_t age = 30 * 86'400;  // seconds
};
// Deletes the others. Gives the subscribers that lost something.
std::vector<std::string> PruneEvents(Session& session, const Retention& retention,
                                     UnixSeconds now);

}  // namespace certwright::store
