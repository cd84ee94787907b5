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
// Those with a number greater than `after`, in order.
std::vector<model::Event> ListEvents(Session& session, std::int64_t after, int limit);
std::int64_t LastEvent(Session& session);  // 0 where there is none

// nullopt where the subscriber was never seen.
std::optional<std::int64_t> FindPosition(Session& session, const std::string& subscriber);
void SavePosition(Session& session, const std::string& subscriber, std::int64_t seq,
                  UnixSeconds now);
std::vector<std::string> ListSubscribers(Session& session);
// As if it had never been seen: events are no longer kept for it.
void DeletePosition(Session& session, const std::string& subscriber);

}  // namespace certwright::store
