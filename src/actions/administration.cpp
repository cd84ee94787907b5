// traefik: what the administrator looks at.
#include "certwright/base/text.h"
#include "handler.h"

namespace certwright::actions {

namespace {

traefik::Publisher& NeedTraefik(const Invocation& call) {
  if (call.context.traefik != nullptr) return *call.context.traefik;
  throw Error(FailureCode::kConfig, "Traefik is not configured",
              "set traefik.dynamic_dir (and traefik.api) in the configuration");
}

}  // namespace

std::optional<json::Value> TraefikRender(const Invocation& call) {
  return json::Value::Object({{"configuration", NeedTraefik(call).RenderText()}});
}

std::optional<json::Value> TraefikCheck(const Invocation& call) {
  const traefik::CheckReport report = NeedTraefik(call).Check(call.stop);
  json::Value certificates = json::Array{};
  bool ok = report.problem.empty();
  for (const traefik::ServedCertificate& entry : report.certificates) {
    ok = ok && entry.problem.empty();
    certificates.Append(json::Value::Object({{"name", entry.name},
                                             {"wanted_serial", entry.wanted_serial},
                                             {"served_serial", entry.served_serial},
                                             {"loaded", entry.loaded},
                                             {"served", entry.served},
                                             {"problem", entry.problem}}));
  }
  json::Value routes = json::Array{};
  for (const traefik::ServedRoute& entry : report.routes) {
    ok = ok && entry.problem.empty();
    routes.Append(json::Value::Object(
        {{"instance", entry.instance}, {"rule", entry.rule}, {"problem", entry.problem}}));
  }
  return json::Value::Object({{"ok", ok},
                              {"written", report.written},
                              {"live", report.live},
                              {"problem", report.problem},
                              {"certificates", certificates},
                              {"routes", routes},
                              {"notes", report.notes}});
}

}  // namespace certwright::actions
