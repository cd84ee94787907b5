#include <algorithm>

#include "certwright/base/text.h"
#include "certwright/store/renewals.h"
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

// `former`: the names that it is merged with.
Asked AskedNames(const Invocation& call, const std::vector<std::string>& former) {
  std::vector<std::string> names = call.input.Strings("names");
  names.insert(names.end(), former.begin(), former.end());
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

issue::ObtainResult Obtain(const Invocation& call, const Asked& asked, Millis timeout) {
  const Context& context = call.context;
  issue::ObtainRequest request;
  request.identifiers = asked.identifiers;
  request.owner = model::kDefaultOwner;
  try {
    // One that is held already stays whose it is.
    const auto held = context.database.Read([&](store::Session& session) {
      return store::FindByNameSet(session, model::NameSetKey(request.identifiers));
    });
    if (held) request.owner = held->certificate.owner;
    return ObtainNow(call, request, timeout);
  } catch (const Error& error) {
    Forget(call, model::NameSetKey(request.identifiers));
    Fail(call, kExitAcme, "newcert_acme_error", error.failure());
  }
}

// nullopt where they were merged with names that are others by now: then what came for them goes.
std::optional<std::int64_t> Save(const Invocation& call, const std::vector<std::string>& names,
                                 const std::vector<std::string>& former,
                                 const issue::ObtainResult& result) {
  const UnixSeconds now = call.context.clock.Now();
  return call.context.database.Write([&](store::Session& session) -> std::optional<std::int64_t> {
    if (!call.input.Bool("merge") || store::FindDefaultNames(session) == former) {
      return store::SaveDefaultNames(session, names, now);
    }
    if (result.issued && result.held.certificate.owner == model::kDefaultOwner) {
      store::SetDiscard(session, result.held.certificate.id, true);
      store::SetNextAction(session, result.held.certificate.id, now, now);
    }
    return std::nullopt;
  });
}

}  // namespace

std::optional<json::Value> SetDefaultCertificate(const Invocation& call) {
  const Context& context = call.context;
  const Steady end =
      context.clock.SteadyNow() + std::chrono::seconds(call.input.Int("sync_timeout", 60));
  for (;;) {
    std::vector<std::string> former;
    if (call.input.Bool("merge")) former = context.database.Read(store::FindDefaultNames);
    const Asked asked = AskedNames(call, former);
    CheckRoutes(call, asked.names);
    const auto left = std::chrono::duration_cast<Millis>(end - context.clock.SteadyNow());
    const issue::ObtainResult result = Obtain(call, asked, std::max(left, Millis{0}));
    const std::optional<std::int64_t> seq = Save(call, asked.names, former, result);
    if (!seq) continue;
    if (*seq > 0) context.feed.Notify();
    AwaitServedOrTell(call, *result.held.current, std::max(*seq, result.event_seq));
    return std::nullopt;
  }
}

}  // namespace certwright::actions
