#include "certwright/actions/runner.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <utility>

#include "certwright/base/embedded.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/json/failure.h"
#include "audit.h"
#include "handler.h"

namespace certwright::actions {

namespace embedded {
extern const EmbeddedFile kFiles[];
extern const std::size_t kFileCount;
}  // namespace embedded

namespace {

constexpr int kExitSchema = 10;
constexpr int kExitUnknownAction = 8;
constexpr int kExitDenied = 7;

struct Entry {
  std::string_view name;
  Handler handler;
  bool waits = false;  // for the CA, for Traefik
  std::size_t max_input = 1 << 20;
  bool has_keys = false;  // its input does
};
constexpr std::array kActions{
    Entry{"account-deactivate", AccountDeactivate, true},
    Entry{"account-register", AccountRegister, true},
    Entry{"account-rollover", AccountRollover, true},
    Entry{"account-show", AccountShow},
    Entry{"account-update", AccountUpdate, true},
    Entry{"ack", Acknowledge},
    Entry{"activate", Activate, true},
    Entry{"audit", ShowAudit},
    Entry{"backup", Backup, true},
    Entry{"cancel-task", CancelTask},
    Entry{"check-served", CheckServed, true},
    Entry{"delete", Delete, true},
    Entry{"delete-certificate", DeleteCertificate, true},
    Entry{"delete-route", DeleteRoute, true},
    Entry{"doctor", Doctor, true},
    Entry{"events", ListEvents},
    Entry{"export", Export},
    Entry{"get-acme-server", GetAcmeServer},
    Entry{"get-certificate", GetCertificate},
    Entry{"get-route", GetRoute},
    Entry{"get-trusted-proxies", GetTrustedProxies},
    Entry{"import", Import, true, 64 << 20, true},
    Entry{"issue", Issue, true},
    Entry{"ledger", ShowLedger},
    Entry{"list", List},
    Entry{"list-certificates", ListCertificates},
    Entry{"list-exports", ListExports},
    Entry{"list-routes", ListRoutes},
    Entry{"list-served", ListServed},
    Entry{"metrics", Metrics},
    Entry{"module-removed", ModuleRemoved, true},
    Entry{"plan", Plan},
    Entry{"renew", Renew, true},
    Entry{"replay-events", ReplayEvents},
    Entry{"revoke", Revoke, true},
    Entry{"run-export", RunExport, true},
    Entry{"set-acme-server", SetAcmeServer},
    Entry{"set-certificate", SetCertificate, true},
    Entry{"set-default-certificate", SetDefaultCertificate, true},
    Entry{"set-route", SetRoute, true},
    Entry{"set-trusted-proxies", SetTrustedProxies, true},
    Entry{"show", Show},
    Entry{"show-task", ShowTask},
    Entry{"status", Status},
    Entry{"tasks", ListTasks},
    Entry{"traefik-check", TraefikCheck, true},
    Entry{"traefik-render", TraefikRender},
    Entry{"upload-certificate", UploadCertificate, true, 1 << 20, true},
};

// contract.md, "Roles". The owner may do everything; a reader everything that only shows, but no
// key.
constexpr std::array kCertadm{"set-certificate", "set-default-certificate", "get-certificate",
                              "delete-certificate", "list-certificates"};
constexpr std::array kRouteadm{"set-route", "get-route", "delete-route", "list-routes"};
// Of tasks each caller sees and ends its own; who may hear of nothing else hears of events.
constexpr std::array kEverybody{"cancel-task", "events", "show-task", "tasks"};
constexpr std::array kReader{"list", "show", "plan", "ledger", "account-show", "metrics", "status",
                             "traefik-render", "traefik-check"};

const Entry* FindEntry(const std::string& action) {
  const auto entry = std::find_if(kActions.begin(), kActions.end(),
                                  [&](const Entry& known) { return known.name == action; });
  return entry == kActions.end() ? nullptr : entry;
}

constexpr const char* kOwner = "owner";
constexpr std::array kRoles{"reader", "certadm", "routeadm", "fulladm", kOwner};

template <std::size_t N>
bool Among(const std::array<const char*, N>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

json::Value ViolationJson(const json::SchemaViolation& violation, bool with_value = true) {
  return json::Value::Object({{"field", violation.field},
                              {"parameter", violation.parameter},
                              {"value", with_value ? violation.value : json::Value()},
                              {"error", violation.error}});
}

// The schema of an action whose input may be absent does not ask for an object.
json::Value NormalisedInput(const json::Value& input) {
  const bool nothing = input.IsNull() || input == json::Value("");
  return nothing ? json::Value::Object() : input;
}

Result Invalid(int exit_code, json::Value violations, std::string error) {
  Result result;
  result.exit_code = exit_code;
  result.output = std::move(violations);
  result.error = std::move(error);
  result.status = "validation-failed";
  return result;
}

Result FromCheck(const CheckFailed& check) {
  json::Value entry = json::Value::Object({{"field", check.field},
                                           {"parameter", check.parameter},
                                           {"value", check.value},
                                           {"error", check.error}});
  if (!check.details.empty()) entry.Set("details", PlainText(check.details));
  Result result = Invalid(check.exit_code, json::Value(json::Array{entry}),
                          PlainText(check.details.empty() ? check.error : check.details));
  result.failure = check.failure;
  return result;
}

Result Unknown(const std::string& action, const std::vector<std::string>& known) {
  Failure failure;
  failure.code = FailureCode::kNotFound;
  failure.detail = Cat("Action ", Printable(action, 60), " is not defined");
  failure.advice = Cat("the actions are: ", Join(known, ", "));
  Result result = FromFailure(failure);
  result.exit_code = kExitUnknownAction;
  return result;
}

// "certadm, fulladm or owner": the roles that may run this action.
std::string RolesFor(const std::string& action) {
  std::string text;
  for (const char* role : kRoles) {
    if (role != kOwner && IsAllowed(role, action)) text += Cat(text.empty() ? "" : ", ", role);
  }
  return Cat(text, text.empty() ? "" : " or ", kOwner);
}

Result Denied(const Call& call) {
  Failure failure;
  failure.code = FailureCode::kDenied;
  failure.detail = Cat("the role ", Printable(call.role, 60), " may not run ", call.action);
  failure.advice = Cat("it needs the role ", RolesFor(call.action));
  return FromFailure(failure);
}

// A handler's output against its own schema: a mismatch is our bug, told as such.
void CheckOutput(const std::string& action, const std::optional<json::Value>& output) {
  const json::Schema* schema = FindSchema(action, "output");
  if (schema == nullptr || !output) return;
  const auto violations = schema->Check(*output);
  if (violations.empty()) return;
  throw Error(FailureCode::kInternal,
              Cat("the output of ", action, " breaks its schema at ", violations.front().field,
                  ": ", violations.front().error));
}

}  // namespace

const json::Schema* FindSchema(const std::string& action, const std::string& kind) {
  static std::mutex mutex;
  static std::map<std::string, json::Schema> parsed;  // one by one: a command needs two of them
  const std::string name = Cat(action, ".", kind, ".json");
  const std::lock_guard guard(mutex);
  if (const auto found = parsed.find(name); found != parsed.end()) return &found->second;
  for (std::size_t i = 0; i < embedded::kFileCount; ++i) {
    if (embedded::kFiles[i].name != name) continue;
    return &parsed.emplace(name, json::Schema(embedded::kFiles[i].text)).first->second;
  }
  return nullptr;
}

std::optional<json::Value> SchemaDocument(const std::string& name, const std::string& kind) {
  const std::string file = kind.empty() ? Cat(name, ".json") : Cat(name, ".", kind, ".json");
  for (std::size_t i = 0; i < embedded::kFileCount; ++i) {
    if (embedded::kFiles[i].name == file) return json::Parse(embedded::kFiles[i].text);
  }
  return std::nullopt;
}

std::string PlainText(const std::string& text) {
  std::string plain = Printable(text, 2000);
  std::replace(plain.begin(), plain.end(), '"', '\'');
  std::replace(plain.begin(), plain.end(), '\\', '/');
  return plain;
}

Failure PlainFailure(Failure failure) {
  failure.detail = PlainText(failure.detail);
  failure.advice = PlainText(failure.advice);
  for (std::string& identifier : failure.identifiers) identifier = PlainText(identifier);
  for (Subproblem& sub : failure.subproblems) {
    sub = {PlainText(sub.type), PlainText(sub.detail), PlainText(sub.identifier)};
  }
  return failure;
}

Result FromFailure(const Failure& failure) {
  Result result;
  result.exit_code = ExitCodeOf(failure.code);
  result.status = "aborted";
  result.error = PlainText(failure.detail);
  result.failure = failure;
  return result;
}

int ExitCodeOf(FailureCode code) {
  switch (code) {
    case FailureCode::kUsage:
    case FailureCode::kInput: return 64;   // EX_USAGE
    case FailureCode::kConfig: return 78;  // EX_CONFIG
    case FailureCode::kNotFound:
    case FailureCode::kGone: return 2;
    case FailureCode::kDenied: return kExitDenied;
    case FailureCode::kRefused:
    case FailureCode::kRateLimited:
    case FailureCode::kFuse:
    case FailureCode::kNetwork:
    case FailureCode::kUntrusted:
    case FailureCode::kProtocol:
    case FailureCode::kServer:
    case FailureCode::kTimeout:
    case FailureCode::kCancelled:
    case FailureCode::kTraefik: return 3;  // not obtained, or not served
    case FailureCode::kBusy: return 75;    // EX_TEMPFAIL
    case FailureCode::kDamaged:
    case FailureCode::kDisk: return 74;        // EX_IOERR
    case FailureCode::kPermission: return 77;  // EX_NOPERM
    case FailureCode::kInternal: return 70;    // EX_SOFTWARE
  }
  return 70;
}

bool ReleasesKey(const std::string& action, const std::optional<json::Value>& output) {
  return output && (action == "get-certificate" || output->Bool("has_key"));
}

bool MayWait(const std::string& action) {
  return std::any_of(kActions.begin(), kActions.end(), [&](const Entry& entry) {
    return entry.waits && entry.name == action;
  });
}

bool IsRole(const std::string& role) {
  return Among(kRoles, role);
}

bool IsAllowed(const std::string& role, const std::string& action) {
  if (role == kOwner) return true;
  if (Among(kEverybody, action)) return IsRole(role);
  if (action == "ack") return IsAllowed(role, "get-certificate");  // whoever may load one
  if (role == "certadm") return Among(kCertadm, action);
  if (role == "routeadm") return Among(kRouteadm, action);
  if (role == "fulladm") return Among(kCertadm, action) || Among(kRouteadm, action);
  if (role == "reader") {
    if (action == "get-certificate") return false;  // it gives the key
    return Among(kReader, action) || action.starts_with("get-") || action.starts_with("list-");
  }
  return false;
}

json::Value Result::ToJson() const {
  json::Value value = json::Value::Object({{"exit_code", exit_code}, {"status", status}});
  if (output) value.Set("output", *output);
  value.Set("error", error);
  if (failure) value.Set("failure", json::ToJson(*failure));
  return value;
}

Result Result::FromJson(const json::Value& value) {
  if (!value["exit_code"].IsInt()) {
    throw Error(FailureCode::kProtocol, "the daemon gave an answer without an exit code",
                "daemon and command may be of different versions: restart the daemon");
  }
  Result result;
  result.exit_code = static_cast<int>(value.Int("exit_code"));
  result.status = value.String("status");
  if (value.Has("output")) result.output = value["output"];
  result.error = value.String("error");
  if (value["failure"].IsObject()) result.failure = json::FailureFromJson(value["failure"]);
  return result;
}

Result CheckInput(const std::string& name, const std::string& text, std::size_t max_bytes) {
  json::ParseLimits limits;
  limits.max_bytes = max_bytes;
  Result result;
  try {
    const bool nothing = Trim(text).empty();
    result.output = NormalisedInput(nothing ? json::Value() : json::Parse(text, limits));
  } catch (const Error& error) {
    return Invalid(kExitSchema,
                   json::Value(json::Array{ViolationJson(
                       {"(root)", "(root)", json::Value(), "(root)_invalid_json"})}),
                   PlainText(Cat("the input is no JSON: ", error.what())));
  }
  const json::Schema* schema = FindSchema(name, "input");
  if (schema == nullptr) return result;
  // What may hold a key is not said again; a task may be of such an action.
  const Entry* entry = FindEntry(name);
  const bool with_values = entry != nullptr && !entry->has_keys;
  json::Value list = json::Array{};
  for (const auto& violation : schema->Check(*result.output)) {
    list.Append(ViolationJson(violation, with_values));
  }
  if (list.Items().empty()) return result;
  return Invalid(kExitSchema, list, PlainText(Cat("Validation errors: ", json::Write(list))));
}

Runner::Runner(Context context) : context_(std::move(context)) {}
Runner::~Runner() = default;

bool Runner::AwaitEvent(std::int64_t seq, Millis timeout, std::stop_token stop) const {
  return context_.feed.WaitWritten(seq, timeout, std::move(stop));
}

std::vector<std::string> Runner::action_names() const {
  std::vector<std::string> names;
  for (const Entry& entry : kActions) names.emplace_back(entry.name);
  return names;
}

std::optional<Result> Runner::Refuse(const Call& call) const {
  if (FindEntry(call.action) == nullptr) return Unknown(call.action, action_names());
  if (IsAllowed(call.role, call.action)) return std::nullopt;
  AuditDenied(context_, call);
  return Denied(call);
}

Result Runner::Run(const Call& call, const model::ProgressSink& progress, std::stop_token stop,
                   const std::function<void()>& begins) const {
  if (auto refused = Refuse(call)) return *std::move(refused);
  const Entry* entry = FindEntry(call.action);
  try {
    Result result = CheckInput(call.action, call.input, entry->max_input);
    if (result.exit_code != 0) return result;
    if (begins) begins();
    const json::Value input = *std::exchange(result.output, std::nullopt);
    const std::string upload_verify = call.role == kOwner ? call.upload_verify : "";
    std::string note;
    const Invocation invocation{context_,      input,    call.action, call.role, call.caller,
                                upload_verify, progress, stop,        note};
    result.output = entry->handler(invocation);
    result.error = PlainText(note);
    CheckOutput(call.action, result.output);
    if (ReleasesKey(call.action, result.output)) AuditRelease(invocation);
    return result;
  } catch (const CheckFailed& check) {
    return FromCheck(check);
  } catch (...) {
    return FromFailure(CurrentFailure());
  }
}

}  // namespace certwright::actions
