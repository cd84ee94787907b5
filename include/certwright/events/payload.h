// Events as other programs see them: schema/json/KIND.event.json, and around it entry of
// schema/json/events.output.json.
#pragma once

#include <string>
#include <string_view>

#include "certwright/json/value.h"
#include "certwright/model/event.h"

namespace certwright::events {

inline constexpr char kCertificateChanged[] = "certificate-changed";
inline constexpr char kRoutesChanged[] = "routes-changed";
inline constexpr char kDefaultCertificateChanged[] = "default-certificate-changed";
inline constexpr char kHostsChanged[] = "hosts-changed";

// What events say of this node.
struct Node {
  int id = 1;
  std::string module_id;
};

// The payload of contract.md: node_id, module_id, names, and our id and reason; of what tells of a
// certificate without changing it also not_after, failure and next_try; of hosts-changed node_id
// alone, as text.
json::Value Payload(const model::Event& event, const Node& node);

// {id, type, timestamp, data}: the event's number, its kind, when it was written, and its payload.
json::Value FeedEntry(const model::Event& event, const Node& node);

// Whether an event (a payload, or a feed entry) is of the node `node_id` and has the name `fqdn`, or
// its one-label wildcard, among its names. Compares as hosts are compared: case does not count.
bool Concerns(const json::Value& event, std::string_view node_id, std::string_view fqdn);

}  // namespace certwright::events
