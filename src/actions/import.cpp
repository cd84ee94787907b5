#include "certwright/migrate/import.h"

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/issue/routes.h"
#include "certwright/migrate/document.h"
#include "certwright/store/settings.h"
#include "handler.h"
#include "route_input.h"

namespace certwright::actions {

namespace {

constexpr Millis kPatience{30'000};  // Traefik reads all of them at once

json::Value ToJson(const migrate::AccountOutcome& account) {
  json::Value value = json::Value::Object({{"from", account.from},
                                           {"directory", account.directory},
                                           {"fate", migrate::FateName(account.fate)}});
  if (!account.why.empty()) value.Set("why", account.why);
  return value;
}

json::Value ToJson(const migrate::CertificateOutcome& certificate) {
  json::Value value = json::Value::Object({{"from", certificate.from},
                                           {"names", certificate.names},
                                           {"directory", certificate.directory},
                                           {"valid_to", TimeOrNull(certificate.not_after)},
                                           {"fate", migrate::FateName(certificate.fate)}});
  if (!certificate.why.empty()) value.Set("why", certificate.why);
  return value;
}

json::Value ToJson(const migrate::RouteOutcome& route) {
  json::Value value = json::Value::Object({{"from", route.from},
                                           {"instance", route.instance},
                                           {"fate", migrate::FateName(route.fate)}});
  if (!route.why.empty()) value.Set("why", route.why);
  return value;
}

json::Value ToJson(const migrate::SettingOutcome& setting) {
  return json::Value::Object(
      {{"name", setting.name}, {"fate", migrate::FateName(setting.fate)}});
}

json::Value ToJson(const migrate::LeftOut& entry) {
  return json::Value::Object({{"from", entry.from}, {"why", entry.why}});
}

template <typename Entry>
json::Value ListOf(const std::vector<Entry>& entries) {
  json::Value list = json::Array{};
  for (const Entry& entry : entries) list.Append(ToJson(entry));
  return list;
}

// As set-route would take it: schema and all that it checks.
model::Route ReadRoute(const json::Value& request) {
  const auto violations = FindSchema("set-route", "input")->Check(request);
  if (!violations.empty()) {
    throw Error(FailureCode::kInput, Cat("set-route refuses it: ", violations.front().error));
  }
  try {
    return MergedRoute(std::nullopt, request);
  } catch (const CheckFailed& check) {
    throw Error(FailureCode::kInput,
                Cat("set-route refuses it: ", check.error,
                    check.details.empty() ? "" : Cat(": ", check.details)));
  }
}

// Where nobody has set one. Whichever challenge it was: port 80 of the same Traefik is open too.
// Gives why it cannot be; "": it is set, or was not to be.
std::string SetAcmeServer(const Context& context, const migrate::FoundSettings& settings,
                          bool dry_run, json::Value& outcomes) {
  if (settings.acme_url.empty()) return "";
  const store::AcmeServer server{settings.acme_url, settings.acme_email, "HTTP-01"};
  const bool is_set = context.database.Read(
      [](store::Session& session) { return store::FindAcmeServer(session).has_value(); });
  const bool same = context.acme_server() == server;
  try {
    if (!is_set && !same && !dry_run) context.use_acme_server(server);
  } catch (const Error& error) {
    if (error.failure().code != FailureCode::kInput) throw;
    return error.failure().detail;
  }
  const migrate::Fate fate = same     ? migrate::Fate::kPresent
                             : is_set ? migrate::Fate::kKept
                                      : migrate::Fate::kImported;
  outcomes.Append(
      json::Value::Object({{"name", "acme-server"}, {"fate", migrate::FateName(fate)}}));
  return "";
}

void WriteDown(const migrate::ImportReport& report) {
  for (const migrate::CertificateOutcome& certificate : report.certificates) {
    if (certificate.fate != migrate::Fate::kImported) continue;
    log::Info(Cat("certificate imported: ", Join(certificate.names, ",")));
  }
}

}  // namespace

std::optional<json::Value> Import(const Invocation& call) {
  const Context& context = call.context;
  migrate::ImportOptions options;
  options.now = context.clock.Now();
  options.dry_run = call.input.Bool("dry_run");
  options.defaults = context.obtainer.defaults();
  options.read_route = ReadRoute;
  const migrate::Found found = migrate::FromDocument(call.input);
  migrate::ImportReport report = migrate::Import(context.database, found, options);
  json::Value settings = ListOf(report.settings);
  const std::string wrong =
      SetAcmeServer(context, found.settings, options.dry_run, settings);
  if (!wrong.empty()) report.left_out.push_back({"acme-server", wrong});
  json::Value output = json::Value::Object({{"dry_run", options.dry_run},
                                            {"accounts", ListOf(report.accounts)},
                                            {"certificates", ListOf(report.certificates)},
                                            {"uploads", ListOf(report.uploads)},
                                            {"routes", ListOf(report.routes)},
                                            {"settings", settings},
                                            {"left_out", ListOf(report.left_out)}});
  if (report.last_event == 0) return output;
  WriteDown(report);
  issue::WantWhatIsMissing(context.database, options.defaults, options.now);
  context.feed.Notify();
  // A command without a daemon delivers when it is done.
  if (context.is_daemon && !context.deliver(report.last_event, kPatience, call.stop)) {
    output.Set("warning", "Traefik does not serve all of them yet; it is given them again");
  }
  return output;
}

}  // namespace certwright::actions
