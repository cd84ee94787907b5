// What status tells of those who use certificates: exports, consumers, and what endpoints show.
#include <map>

#include "certwright/base/text.h"
#include "certwright/store/served.h"
#include "status.h"

namespace certwright::actions {

namespace {

// Whoever loads a certificate has this long for it, before status tells of them.
constexpr UnixSeconds kTimeToLoad = 600;

}  // namespace

// One line for all that is well, one for each that is not.
void ExportStatus(const Invocation& call, std::vector<Component>& components) {
  int well = 0;
  for (const ExportState& state : StatesOfExports(call.context)) {
    if (state.state == "in-step") {
      ++well;
    } else {
      components.push_back({store::ExportConsumer(state.name), Health::kWarning,
                            Cat(state.state, ": ", state.detail)});
    }
  }
  if (well > 0) components.push_back({"exports", Health::kOk, Cat(well, " in step")});
}

// Exports tell of themselves.
void AcknowledgementStatus(const Invocation& call, std::vector<Component>& components) {
  const UnixSeconds now = call.context.clock.Now();
  const auto states = call.context.database.Read(
      [&](store::Session& session) { return StatesOfConsumers(session, now); });
  int well = 0;
  for (const ConsumerState& state : states) {
    if (store::IsExportConsumer(state.said.consumer)) continue;
    if (!state.behind || now - state.wanted_since < kTimeToLoad) {
      ++well;
      continue;
    }
    components.push_back(
        {Cat("consumer:", state.said.consumer), Health::kWarning,
         Cat("behind for ", state.said.name, ": has loaded ", state.said.serial, ", and ",
             state.wanted_serial, " is held since ", FormatUtc(state.wanted_since))});
  }
  if (well > 0) components.push_back({"consumers", Health::kOk, Cat(well, " have what is held")});
}

// One line an endpoint.
void ServedStatus(const Invocation& call, std::vector<Component>& components) {
  struct Endpoint {
    int names = 0;
    int wrong = 0;
    std::string first;
  };
  std::map<std::string, Endpoint> endpoints;
  for (const auto& state : call.context.database.Read(store::ListServed)) {
    Endpoint& endpoint = endpoints[state.endpoint];
    ++endpoint.names;
    if (!store::IsMismatch(state)) continue;
    if (endpoint.wrong++ > 0) continue;
    endpoint.first =
        Cat(state.name, " since ", FormatUtc(state.since), ": ", state.problem);
  }
  for (const auto& [name, endpoint] : endpoints) {
    if (endpoint.wrong == 0) {
      components.push_back({Cat("served:", name), Health::kOk,
                            Cat("shows what is held for ", endpoint.names,
                                endpoint.names == 1 ? " name" : " names")});
    } else {
      components.push_back({Cat("served:", name), Health::kWarning,
                            Cat("does not show what is held for ", endpoint.wrong, " of ",
                                endpoint.names, " names; ", endpoint.first)});
    }
  }
}

}  // namespace certwright::actions
