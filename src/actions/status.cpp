#include "status.h"

#include <algorithm>
#include <array>

#include "certwright/base/text.h"

namespace certwright::actions {

namespace {

constexpr std::array<StatusPart, 6> kParts{DaemonStatus, CertificateStatus, FeedStatus,
                                           ExportStatus, AcknowledgementStatus, ServedStatus};

const char* NameOf(Health state) {
  switch (state) {
    case Health::kOk: return "ok";
    case Health::kWarning: return "warning";
    case Health::kCritical: return "critical";
  }
  return "critical";
}

void Look(StatusPart part, const Invocation& call, std::vector<Component>& components) {
  try {
    part(call, components);
  } catch (const Error& error) {
    components.push_back({"status", Health::kWarning,
                          Cat("a part of it cannot be looked at: ", error.what())});
  }
}

}  // namespace

void DaemonStatus(const Invocation& call, std::vector<Component>& components) {
  if (call.context.is_daemon) {
    components.push_back({"daemon", Health::kOk, "it answers"});
  } else {
    components.push_back({"daemon", Health::kWarning,
                          "none runs: nothing is renewed and nobody is told until a command does it"});
  }
}

std::vector<Component> LookAtAll(const Invocation& call) {
  std::vector<Component> components;
  for (const StatusPart part : kParts) Look(part, call, components);
  return components;
}

std::optional<json::Value> Status(const Invocation& call) {
  Health worst = Health::kOk;
  json::Value list = json::Array{};
  for (const Component& one : LookAtAll(call)) {
    worst = std::max(worst, one.state);
    list.Append(json::Value::Object({{"component", Printable(one.component)},
                                     {"state", NameOf(one.state)},
                                     {"detail", Printable(one.detail, 1000)}}));
  }
  return json::Value::Object({{"state", NameOf(worst)}, {"components", list}});
}

}  // namespace certwright::actions
