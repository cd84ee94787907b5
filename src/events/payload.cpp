#include "certwright/events/feed.h"
#include "certwright/json/failure.h"
#include "certwright/json/value.h"

namespace certwright::events {

std::string PayloadJson(const model::Event& event, int node_id, const std::string& module_id) {
  if (event.name == kHostsChanged) {
    return json::Write(json::Value::Object({{"node_id", std::to_string(node_id)}}));
  }
  json::Value payload = json::Value::Object({{"node_id", node_id},
                                             {"module_id", module_id},
                                             {"names", json::Value(event.names)},
                                             {"id", event.seq},
                                             {"reason", event.reason}});
  if (event.name == kCertificateChanged || event.name == kRoutesChanged ||
      event.name == kDefaultCertificateChanged) {
    return json::Write(payload);
  }
  const auto time_or_null = [](UnixSeconds time) {
    return time > 0 ? json::Value(FormatUtc(time)) : json::Value();
  };
  payload.Set("not_after", time_or_null(event.not_after))
      .Set("failure", event.failure ? json::ToJson(*event.failure) : json::Value())
      .Set("next_try", time_or_null(event.failure ? event.failure->retry_at : 0));
  return json::Write(payload);
}

}  // namespace certwright::events
