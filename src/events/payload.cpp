#include "certwright/events/payload.h"

#include <algorithm>

#include "certwright/base/text.h"
#include "certwright/json/failure.h"
#include "certwright/model/identifier.h"

namespace certwright::events {

namespace {

// Callers write the node's number as a number or as text.
std::string TextOf(const json::Value& value) {
  if (const auto number = value.AsInt()) return Cat(*number);
  return value.AsString().value_or("");
}

}  // namespace

json::Value Payload(const model::Event& event, const Node& node) {
  if (event.name == kHostsChanged) {
    return json::Value::Object({{"node_id", std::to_string(node.id)}});
  }
  json::Value payload = json::Value::Object({{"node_id", node.id},
                                             {"module_id", node.module_id},
                                             {"names", json::Value(event.names)},
                                             {"id", event.seq},
                                             {"reason", event.reason}});
  if (event.name == kCertificateChanged || event.name == kRoutesChanged ||
      event.name == kDefaultCertificateChanged) {
    return payload;
  }
  payload.Set("not_after", json::TimeOrNull(event.not_after))
      .Set("failure", event.failure ? json::ToJson(*event.failure) : json::Value())
      .Set("next_try", json::TimeOrNull(event.failure ? event.failure->retry_at : 0));
  return payload;
}

json::Value FeedEntry(const model::Event& event, const Node& node) {
  return json::Value::Object({{"id", event.seq},
                              {"type", event.name},
                              {"timestamp", FormatUtc(event.created_at)},
                              {"data", Payload(event, node)}});
}

bool Concerns(const json::Value& event, std::string_view node_id, std::string_view fqdn) {
  const json::Value& payload = event["data"].IsObject() ? event["data"] : event;
  if (TextOf(payload["node_id"]) != node_id) return false;
  const std::string host = ToLower(fqdn);
  const std::vector<std::string> names = payload.Strings("names");
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return model::Covers(ToLower(name), host);
  });
}

}  // namespace certwright::events
