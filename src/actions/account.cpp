// The accounts at the CAs.
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

// That of the first CA, or of the one that is named.
issue::AccountKeeper& KeeperOf(const Invocation& call) {
  const issue::Authorities& authorities = call.context.authorities;
  const std::string ca = call.input.String("ca");
  if (ca.empty()) return authorities.Primary().accounts;
  if (const issue::Authority* authority = authorities.Find(ca)) return authority->accounts;
  std::vector<std::string> known;
  for (const issue::Authority* one : authorities.all()) known.push_back(one->directory());
  throw Error(FailureCode::kNotFound, Cat("'", Printable(ca, 200), "' is no CA of ours"),
              Cat("those that are configured are: ", Join(known, ", ")));
}

}  // namespace

std::optional<json::Value> AccountShow(const Invocation& call) {
  return AccountJson(KeeperOf(call).Stored());
}

std::optional<json::Value> AccountRegister(const Invocation& call) {
  return AccountJson(KeeperOf(call).Register(call.progress, call.stop));
}

std::optional<json::Value> AccountUpdate(const Invocation& call) {
  std::optional<std::string> email;
  if (call.input.Has("email")) email = call.input.String("email");
  return AccountJson(KeeperOf(call).Update(email, call.progress, call.stop));
}

std::optional<json::Value> AccountRollover(const Invocation& call) {
  return AccountJson(KeeperOf(call).Rollover(call.progress, call.stop));
}

std::optional<json::Value> AccountDeactivate(const Invocation& call) {
  return AccountJson(KeeperOf(call).Deactivate(call.progress, call.stop));
}

}  // namespace certwright::actions
