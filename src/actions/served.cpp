// list-served and check-served: whether endpoints show what is held.
#include "certwright/served/watch.h"
#include "certwright/store/served.h"
#include "handler.h"

namespace certwright::actions {

namespace {

json::Value ServedJson(const store::ServedState& state) {
  return json::Value::Object({{"endpoint", state.endpoint},
                              {"name", state.name},
                              {"state", state.state},
                              {"since", TimeOrNull(state.since)},
                              {"wanted_serial", state.wanted},
                              {"seen_serial", state.seen},
                              {"problem", state.problem},
                              {"wrong_since", TimeOrNull(state.wrong_since)},
                              {"looked_at", TimeOrNull(state.looked_at)}});
}

}  // namespace

std::optional<json::Value> ListServed(const Invocation& call) {
  json::Value list = json::Array{};
  for (const auto& state : call.context.database.Read(store::ListServed)) {
    list.Append(ServedJson(state));
  }
  return json::Value::Object({{"served", list}});
}

std::optional<json::Value> CheckServed(const Invocation& call) {
  if (call.context.watch != nullptr) call.context.watch->LookAtAll(call.stop);
  return ListServed(call);
}

}  // namespace certwright::actions
