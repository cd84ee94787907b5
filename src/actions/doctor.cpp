#include <algorithm>
#include <set>

#include "certwright/base/text.h"
#include "certwright/store/uploads.h"
#include "handler.h"

namespace certwright::actions {

namespace {

constexpr std::size_t kMostNames = 100;

// What a CA is asked for, in the order of the list.
std::vector<model::Identifier> NamesAskedFor(store::Session& session) {
  std::vector<model::Identifier> names;
  std::set<std::string> seen;
  for (const store::HeldCertificate& held : store::ListWithoutChains(session)) {
    if (store::UploadLabel(held.certificate)) continue;
    for (const model::Identifier& name : held.certificate.names) {
      if (names.size() < kMostNames && seen.insert(name.value).second) names.push_back(name);
    }
  }
  return names;
}

model::Finding ExportFinding(const ExportState& one) {
  using State = model::Finding::State;
  if (one.state == "in-step") return {"export", one.name, State::kOk, "its files are in step", ""};
  if (one.state == "waiting") return {"export", one.name, State::kUnknown, one.detail, ""};
  return {"export", one.name, State::kProblem, Cat(one.state, ": ", one.detail),
          Cat("'certwright exports run ", one.name, "' does it now and says what hinders")};
}

}  // namespace

std::optional<json::Value> Doctor(const Invocation& call) {
  const Context& context = call.context;
  const std::vector<std::string> given = call.input.Strings("names");
  const std::vector<model::Identifier> names =
      given.empty() ? context.database.Read(NamesAskedFor) : model::ParseIdentifiers(given);
  bool ok = true;
  json::Value list = json::Array{};
  std::vector<model::Finding> findings = context.examine(names, call.stop);
  for (const ExportState& one : StatesOfExports(context)) findings.push_back(ExportFinding(one));
  for (const model::Finding& one : findings) {
    ok = ok && one.state != model::Finding::State::kProblem;
    list.Append(json::Value::Object({{"check", one.check},
                                     {"subject", Printable(one.subject, 300)},
                                     {"state", model::StateName(one.state)},
                                     {"saw", Printable(one.saw, 1000)},
                                     {"advice", Printable(one.advice, 1000)}}));
  }
  return json::Value::Object({{"ok", ok}, {"findings", list}});
}

}  // namespace certwright::actions
