// account and traefik: what the administrator looks at.
#include "certwright/base/text.h"
#include "handler.h"

namespace certwright::actions {

namespace {

json::Value AccountJson(const model::Account& account) {
  return json::Value::Object({{"directory", account.directory},
                              {"url", account.url},
                              {"status", account.status},
                              {"contact", account.contact},
                              {"terms", account.terms},
                              {"created_at", FormatUtc(account.created_at)}});
}

traefik::Publisher& NeedTraefik(const Invocation& call) {
  if (call.context.traefik != nullptr) return *call.context.traefik;
  throw Error(FailureCode::kConfig, "Traefik is not configured",
              "set traefik.dynamic_dir (and traefik.api) in the configuration");
}

}  // namespace

std::optional<json::Value> AccountShow(const Invocation& call) {
  const issue::Authority& authority = call.context.authorities.Primary();
  const std::optional<model::Account> account = authority.accounts.Find();
  if (!account) {
    throw Error(FailureCode::kNotFound, Cat("there is no account at ", authority.directory(), " yet"),
                "'certwright account register' makes one; so does the first issuance");
  }
  return AccountJson(*account);
}

std::optional<json::Value> AccountRegister(const Invocation& call) {
  return AccountJson(call.context.authorities.Primary().accounts.Register(call.progress, call.stop));
}

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
  return json::Value::Object({{"ok", ok},
                              {"written", report.written},
                              {"live", report.live},
                              {"problem", report.problem},
                              {"certificates", certificates},
                              {"notes", report.notes}});
}

}  // namespace certwright::actions
