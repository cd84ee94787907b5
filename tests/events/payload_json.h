// A payload as handlers get it on stdin.
#pragma once

#include <string>

#include "certwright/events/payload.h"

namespace certwright::events {

inline std::string PayloadJson(const model::Event& event, int node_id,
                               const std::string& module_id) {
  return json::Write(Payload(event, {node_id, module_id}));
}

}  // namespace certwright::events
