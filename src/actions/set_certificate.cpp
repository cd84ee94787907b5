#include <set>

#include "certwright/base/text.h"
#include "certwright/issue/housekeeping.h"
#include "certwright/store/routes.h"
#include "certwright/store/settings.h"
#include "handler.h"
#include "wishes.h"

namespace certwright::actions {

namespace {

constexpr int kExitSchema = 10;
constexpr int kExitAcme = 3;

bool IsModule(const std::string& caller) { return caller.starts_with("module/"); }

[[noreturn]] void FailName(const std::string& fqdn, int exit_code, std::string error,
                           const Failure& failure) {
  throw CheckFailed{exit_code, "fqdn", "fqdn", fqdn, std::move(error), failure.detail, failure};
}

model::Identifier ParseName(const std::string& fqdn) {
  try {
    const model::Identifier identifier = model::ParseIdentifier(fqdn);
    if (identifier.type == model::IdentifierType::kDns) return identifier;
    FailName(fqdn, kExitSchema, "fqdn_format",
             Error(FailureCode::kInput, Cat(fqdn, ": a host name is expected, not an address"))
                 .failure());
  } catch (const Error& error) {
    FailName(fqdn, kExitSchema, "fqdn_format", error.failure());
  }
}

// Whether the certificate of exactly this name goes with the caller who gives it up: it stays as
// long as another module, a route or the default wants it. Of an administrator's a module gives up
// its own wish only.
bool GoesAlong(store::Session& session, const store::HeldCertificate& held, const Invocation& call,
               bool recorded) {
  const std::string& name_set = held.certificate.name_set;
  if (store::RouteWantsCertificate(session, name_set)) return false;
  if (name_set == store::DefaultNameSet(session)) return false;
  for (const store::NameRequest& request : store::ListNameRequests(session)) {
    if (request.fqdn == held.certificate.name_set) return false;
  }
  if (!IsModule(call.caller)) return true;
  const std::string& owner = held.certificate.owner;
  return owner == call.caller || (recorded && (IsModule(owner) || owner == model::kRouteOwner));
}

// Given up by whose it was: from now on it is somebody else's.
void LeaveTo(const std::string& other, store::Session& session, const store::HeldCertificate& held,
             const Invocation& call) {
  const std::string& owner = held.certificate.owner;
  if (owner != call.caller && (IsModule(call.caller) || IsModule(owner))) return;
  model::ManagedCertificate left = held.certificate;
  left.owner = other;
  store::EnsureManaged(session, left, call.context.clock.Now());
}

// lets_encrypt: false gives up what the caller had recorded, and what it asks for in vain; an
// administrator's names stand by themselves, so there the name itself is meant.
void GiveUp(const Invocation& call, const std::string& name) {
  const Context& context = call.context;
  const auto certificates = context.database.Write([&](store::Session& session) {
    std::string recorded;
    if (IsModule(call.caller)) {
      if (const auto request = store::FindNameRequest(session, call.caller)) {
        recorded = request->fqdn;
      }
      store::DeleteNameRequest(session, call.caller);
    }
    std::vector<std::int64_t> found;
    for (const std::string& given_up : std::set<std::string>{recorded, name}) {
      const auto held = store::FindByNameSet(session, given_up);
      if (!held) continue;
      if (const auto other = context.jobs.Leave(given_up, call.caller)) {
        LeaveTo(*other, session, *held, call);  // who waits for the same order goes on waiting
      } else if (GoesAlong(session, *held, call, given_up == recorded)) {
        found.push_back(held->certificate.id);
      } else if (store::RouteWantsCertificate(session, given_up)) {
        LeaveTo(model::kRouteOwner, session, *held, call);
      }
    }
    return found;
  });
  for (const std::int64_t certificate : certificates) {
    const std::int64_t seq =
        issue::Remove(context.database, context.feed, context.clock, certificate);
    if (seq > 0) context.deliver(seq, Millis(15'000), call.stop);
  }
}

// What was a module's or a route's is wanted for itself from now on.
void MakeAdministrators(store::Session& session, const std::string& name, UnixSeconds now) {
  auto held = store::FindByNameSet(session, name);
  if (!held || held->certificate.owner.empty()) return;
  held->certificate.owner.clear();
  store::EnsureManaged(session, held->certificate, now);
}

}  // namespace

std::optional<json::Value> SetCertificate(const Invocation& call) {
  const Context& context = call.context;
  const model::Identifier identifier = ParseName(call.input.String("fqdn"));
  if (!call.input.Bool("lets_encrypt", true)) {
    GiveUp(call, identifier.value);
    return json::Value::Object({{"obtained", false}});
  }
  const UnixSeconds now = context.clock.Now();
  const bool held = context.database.Write([&](store::Session& session) {
    if (!store::IsCovered(session, identifier.value, now)) return false;
    if (IsModule(call.caller)) {
      store::SaveNameRequest(session, {call.caller, identifier.value, now});
    } else {
      MakeAdministrators(session, identifier.value, now);
    }
    return true;
  });
  if (held) return json::Value::Object({{"obtained", true}});

  issue::ObtainRequest request;
  request.identifiers = {identifier};
  request.asked_at = now;
  if (IsModule(call.caller)) request.owner = call.caller;
  try {
    const Millis timeout = std::chrono::seconds(call.input.Int("sync_timeout", 60));
    const issue::ObtainResult result = ObtainNow(call, request, timeout);
    AwaitServedOrTell(call, *result.held.current, result.event_seq);
  } catch (const Error& error) {
    FailName(call.input.String("fqdn"), kExitAcme, "newcert_acme_error", error.failure());
  }
  return json::Value::Object({{"obtained", true}});
}

}  // namespace certwright::actions
