#include "audit.h"

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/store/audit.h"
#include "redact.h"

namespace certwright::actions {

namespace {

constexpr std::size_t kLongestName = 260;
constexpr int kEntriesAtOnce = 1000;

// What the call is about: the first of these that it names.
std::string SubjectOf(const json::Value& given) {
  const json::Value input = WithoutSecrets(given);
  for (const char* key : {"fqdn", "certificate", "instance", "host", "serial", "path", "file",
                          "task"}) {
    if (const auto text = input[key].AsString()) return Printable(*text, kLongestName);
  }
  return Printable(Join(input.Strings("names"), ","), kLongestName);
}

// Nobody checked it: what cannot be read names nothing.
json::Value Parsed(const std::string& input) {
  try {
    return json::Parse(input);
  } catch (const Error&) {
    return {};
  }
}

void Append(const Context& context, store::AuditEntry entry) {
  entry.at = context.clock.Now();
  entry.role = Printable(entry.role, 60);
  entry.caller = Printable(entry.caller, 100);
  const auto tell = entry.outcome == "denied" ? log::Warning : log::Info;
  tell(Cat("audit: ", entry.outcome, ": ", entry.action, " for '", entry.subject,
                "' by the role ", entry.role,
                entry.caller.empty() ? "" : Cat(" (caller ", entry.caller, ")")));
  // Not worth waiting for the disk at each look-up of a key: the end of the process undoes nothing.
  context.database.WriteSoon(
      [&](store::Session& session) { store::AppendAudit(session, entry); });
}

}  // namespace

void AuditDenied(const Context& context, const Call& call) {
  try {
    Append(context, {0, 0, call.role, call.caller, call.action, SubjectOf(Parsed(call.input)),
                     "denied"});
  } catch (const Error& error) {
    log::Error(Cat("the audit log cannot be written: ", Printable(error.what())));
  }
}

void AuditRelease(const Invocation& call) {
  Append(call.context,
         {0, 0, call.role, call.caller, call.action, SubjectOf(call.input), "released"});
}

std::optional<json::Value> ShowAudit(const Invocation& call) {
  const auto limit = static_cast<int>(call.input.Int("limit", kEntriesAtOnce));
  json::Value entries = json::Array{};
  call.context.database.Read([&](store::Session& session) {
    for (const auto& entry : store::ListAudit(session, call.input.Int("after"), limit)) {
      entries.Append(json::Value::Object({{"seq", entry.seq},
                                          {"time", FormatUtc(entry.at)},
                                          {"role", entry.role},
                                          {"caller", entry.caller},
                                          {"action", entry.action},
                                          {"subject", entry.subject},
                                          {"outcome", entry.outcome}}));
    }
  });
  return json::Value::Object({{"entries", entries}});
}

}  // namespace certwright::actions
