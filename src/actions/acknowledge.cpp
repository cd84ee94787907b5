// ack: what consumers have loaded.
#include <algorithm>

#include "certwright/base/text.h"
#include "certwright/store/revocations.h"
#include "handler.h"

namespace certwright::actions {

namespace {

std::string ConsumerOf(const Invocation& call) {
  const std::string consumer = call.input.String("consumer", call.caller);
  if (consumer.empty()) {
    throw Error(FailureCode::kInput, "who has loaded it is not said",
                "name the consumer: --consumer NAME");
  }
  if (store::IsExportConsumer(consumer)) {
    throw Error(FailureCode::kInput,
                Cat(Printable(consumer), " is an export: it acknowledges for itself"),
                "take a name that does not begin with \"export:\"");
  }
  return consumer;
}

// Of a consumer that has loaded this, against what is held now.
ConsumerState StateOf(store::Session& session, const store::Acknowledgement& said,
                      UnixSeconds now) {
  ConsumerState state{said, "", 0, false};
  const auto ranked = store::FindRanked(session, said.name, now);
  if (ranked.empty()) return state;
  state.wanted_serial = ranked.front().current->serial_hex;
  state.wanted_since = ranked.front().current->created_at;
  state.behind = !said.serial.empty() && said.serial != state.wanted_serial;
  return state;
}

// The version with this serial, which must be of a certificate for the name.
model::CertificateVersion VersionFor(store::Session& session, const std::string& name,
                                     const std::string& serial) {
  auto version = store::FindVersionBySerial(session, serial);
  const bool covers =
      version && std::any_of(version->names.begin(), version->names.end(), [&](const auto& held) {
        return model::Covers(held.value, name);
      });
  if (covers) return *std::move(version);
  throw Error(FailureCode::kNotFound,
              Cat("no certificate for ", name, " with the serial ", Printable(serial, 100),
                  " is held"),
              "'certwright show NAME' lists the versions with their serials");
}

json::Value ConsumerJson(const ConsumerState& state) {
  return json::Value::Object({{"consumer", state.said.consumer},
                              {"name", state.said.name},
                              {"serial", state.said.serial},
                              {"acknowledged_at", FormatUtc(state.said.acknowledged_at)},
                              {"wanted_serial", state.wanted_serial},
                              {"behind", state.behind}});
}

}  // namespace

std::optional<json::Value> Acknowledge(const Invocation& call) {
  const std::string consumer = ConsumerOf(call);
  const std::string name = model::ParseIdentifier(call.input.String("name")).value;
  const UnixSeconds now = call.context.clock.Now();
  return call.context.database.Write([&](store::Session& session) {
    store::Acknowledgement said{consumer, name, "", now};
    if (call.input.Bool("forget")) {
      if (!store::DeleteAcknowledgement(session, consumer, name)) {
        throw Error(FailureCode::kNotFound,
                    Cat(Printable(consumer), " has acknowledged nothing for ", name));
      }
    } else {
      said.serial = VersionFor(session, name, call.input.String("serial")).serial_hex;
      store::SaveAcknowledgement(session, said);
    }
    return ConsumerJson(StateOf(session, said, now));
  });
}

std::vector<ConsumerState> StatesOfConsumers(store::Session& session, UnixSeconds now) {
  std::vector<ConsumerState> states;
  for (const store::Acknowledgement& said : store::ListAcknowledgements(session)) {
    states.push_back(StateOf(session, said, now));
  }
  return states;
}

json::Value ConsumersJson(store::Session& session, const std::vector<std::string>& names,
                          UnixSeconds now) {
  json::Value list = json::Array{};
  for (const ConsumerState& state : StatesOfConsumers(session, now)) {
    const bool concerned = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return model::Covers(name, state.said.name);
    });
    if (concerned) list.Append(ConsumerJson(state));
  }
  return list;
}

}  // namespace certwright::actions
