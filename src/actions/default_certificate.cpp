#include <algorithm>

#include "certwright/base/text.h"
#include "certwright/store/routes.h"
#include "certwright/store/settings.h"
#include "handler.h"
#include "wishes.h"

namespace certwright::actions {

namespace {

constexpr int kExitSchema = 10;
constexpr int kExitConflict = 2;
constexpr int kExitAcme = 3;

[[noreturn]] void Fail(const Invocation& call, int exit_code, const char* error,
                       const Failure& failure) {
  throw CheckFailed{exit_code, "names", "names", call.input["names"], error, failure.detail,
                    failure};
}

struct Asked {
  std::vector<std::string> names;  // as they are stored: the leading one first, none twice
  std::vector<model::Identifier> identifiers;
};

Asked AskedNames(const Invocation& call) {
  std::vector<std::string> names = call.input.Strings("names");
  if (call.input.Bool("merge")) {
    for (const std::string& name : call.context.database.Read(
             [](store::Session& session) { return store::FindDefaultNames(session); })) {
      names.push_back(name);
    }
  }
  Asked asked;
  try {
    for (const std::string& text : names) {
      const std::string name = model::ParseIdentifier(text).value;
      if (std::find(asked.names.begin(), asked.names.end(), name) == asked.names.end()) {
        asked.names.push_back(name);
      }
    }
    asked.identifiers = model::ParseIdentifiers(asked.names);
  } catch (const Error& error) {
    Fail(call, kExitSchema, "names_format", error.failure());
  }
  return asked;
}

void CheckRoutes(const Invocation& call, const std::vector<std::string>& names) {
  if (!call.input.Bool("check_routes", true)) return;
  call.context.database.Read([&](store::Session& session) {
    for (const std::string& name : names) {
      if (!store::RouteWantsCertificate(session, name)) continue;
      throw CheckFailed{kExitConflict, "names", "names", name, "name_route_conflict",
                        Cat("a route asks for a certificate of its own for ", name), {}};
    }
  });
}

}  // namespace

std::optional<json::Value> SetDefaultCertificate(const Invocation& call) {
  const Context& context = call.context;
  const Asked asked = AskedNames(call);
  CheckRoutes(call, asked.names);
  issue::ObtainRequest request;
  request.identifiers = asked.identifiers;
  request.owner = kDefaultOwner;
  issue::ObtainResult result;
  try {
    // One that is held already stays whose it is.
    const auto held = context.database.Read([&](store::Session& session) {
      return store::FindByNameSet(session, model::NameSetKey(request.identifiers));
    });
    if (held) request.owner = held->certificate.owner;
    result = ObtainNow(call, request, std::chrono::seconds(call.input.Int("sync_timeout", 60)));
  } catch (const Error& error) {
    Fail(call, kExitAcme, "newcert_acme_error", error.failure());
  }
  const std::int64_t seq = context.database.Write([&](store::Session& session) {
    return store::SaveDefaultNames(session, asked.names, context.clock.Now());
  });
  if (seq > 0) context.feed.Notify();
  AwaitServedOrTell(call, *result.held.current, std::max(seq, result.event_seq));
  return std::nullopt;
}

}  // namespace certwright::actions
