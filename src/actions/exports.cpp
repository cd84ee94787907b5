// list-exports and run-export: what is kept in step on disk.
#include "certwright/base/text.h"
#include "certwright/json/failure.h"
#include "handler.h"

namespace certwright::actions {

namespace {

using Keepers = std::vector<std::unique_ptr<exports::Keeper>>;

const Keepers& KeepersOf(const Context& context) {
  static const Keepers kNone;
  return context.exports == nullptr ? kNone : *context.exports;
}

struct Seen {
  exports::Status status;
  std::string state;
  std::string detail;
};

Seen LookAt(exports::Keeper& keeper) {
  Seen seen;
  try {
    seen.status = keeper.Look();
    seen.state = seen.status.Word();
    seen.detail = seen.status.Detail();
  } catch (const Error& error) {
    seen.state = "failed";
    seen.detail = error.failure().detail;
  }
  return seen;
}

json::Value ExportedJson(const std::vector<exports::Exported>& exported) {
  json::Value list = json::Array{};
  for (const exports::Exported& each : exported) {
    list.Append(json::Value::Object({{"name", each.name},
                                     {"serial", each.serial_hex},
                                     {"valid_to", FormatUtc(each.not_after)}}));
  }
  return list;
}

json::Value ExportJson(exports::Keeper& keeper) {
  const exports::Target& target = keeper.target();
  const Seen seen = LookAt(keeper);
  const store::ExportState& state = seen.status.state;
  return json::Value::Object(
      {{"name", target.name},
       {"names", target.names},
       {"format", exports::FormatName(target.format)},
       {"target", (target.dir.empty() ? target.path : target.dir).string()},
       {"owner", target.owner},
       {"group", target.group},
       {"reload", target.reload},
       {"state", seen.state},
       {"detail", seen.detail},
       {"certificates", ExportedJson(seen.status.exported)},
       {"waiting", seen.status.waiting},
       {"differences", seen.status.differences},
       {"written_at", TimeOrNull(state.written_at)},
       {"reload_due", state.reload_due},
       {"reloaded_at", TimeOrNull(state.reloaded_at)},
       {"failures", state.failures},
       {"last_error", state.failure ? json::ToJson(*state.failure) : json::Value()},
       {"last_error_at", TimeOrNull(state.failure ? state.failed_at : 0)}});
}

}  // namespace

std::vector<ExportState> StatesOfExports(const Context& context) {
  std::vector<ExportState> states;
  for (const auto& keeper : KeepersOf(context)) {
    const Seen seen = LookAt(*keeper);
    states.push_back({keeper->target().name, seen.state, seen.detail});
  }
  return states;
}

std::optional<json::Value> ListExports(const Invocation& call) {
  json::Value list = json::Array{};
  for (const auto& keeper : KeepersOf(call.context)) list.Append(ExportJson(*keeper));
  return json::Value::Object({{"exports", list}});
}

// The first failure ends the call, the others are tried all the same.
std::optional<json::Value> RunExport(const Invocation& call) {
  const std::string wanted = call.input.String("name");
  std::optional<Failure> failure;
  json::Value list = json::Array{};
  for (const auto& keeper : KeepersOf(call.context)) {
    if (!wanted.empty() && keeper->target().name != wanted) continue;
    try {
      keeper->Keep(call.stop);
    } catch (const Error& error) {
      if (!failure) failure = error.failure();
    }
    list.Append(ExportJson(*keeper));
  }
  if (failure) throw Error(*failure);
  if (!wanted.empty() && list.Items().empty()) {
    throw Error(FailureCode::kNotFound, Cat("there is no export ", Printable(wanted)),
                "'certwright exports' lists them");
  }
  return json::Value::Object({{"exports", list}});
}

}  // namespace certwright::actions
