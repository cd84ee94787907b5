#include "certwright/events/feed.h"
#include "certwright/json/value.h"

namespace certwright::events {

std::string PayloadJson(const model::Event& event, int node_id, const std::string& module_id) {
  return json::Write(json::Value::Object({{"node_id", node_id},
                                          {"module_id", module_id},
                                          {"names", json::Value(event.names)},
                                          {"id", event.seq},
                                          {"reason", event.reason}}));
}

}  // namespace certwright::events
