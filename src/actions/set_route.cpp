#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/issue/routes.h"
#include "certwright/store/events.h"
#include "certwright/store/routes.h"
#include "handler.h"
#include "route_input.h"

namespace certwright::actions {

namespace {

constexpr int kExitAcme = 3;
constexpr Millis kCheckPatience{60'000};

// lets_encrypt_check: the certificate comes first, or nothing is changed.
void CheckCertificate(const Invocation& call, const model::Route& route) {
  const Context& context = call.context;
  if (!route.lets_encrypt || route.host.empty()) return;
  try {
    std::optional<issue::ObtainRequest> request;
    context.database.Read([&](store::Session& session) {
      if (store::IsCovered(session, route.host, context.clock.Now())) return;
      request = issue::RouteRequest(session, route.host);
    });
    if (request) ObtainNow(call, *request, kCheckPatience);
  } catch (const Error& error) {
    Forget(call, route.host);
    throw CheckFailed{kExitAcme,  "host",
                      "names",    route.host,
                      "newcert_acme_error", error.failure().detail,
                      error.failure()};
  }
}

// What a caller asks again for what is there already is no new wish: the scheduler retries it at its
// own pace, and the fuse is not spent by callers that repeat themselves.
bool IsNewWish(const std::optional<model::Route>& before, const model::Route& route) {
  return !before || !before->lets_encrypt || before->host != route.host;
}

struct Change {
  std::int64_t seq = 0;  // the last event to be served
  std::optional<issue::ObtainRequest> wanted;
};

Change Store(const Invocation& call, store::Session& session) {
  const Context& context = call.context;
  const UnixSeconds now = context.clock.Now();
  const auto before = store::FindRoute(session, call.input.String("instance"));
  const model::Route route = MergedRoute(before, call.input);
  store::SaveRoute(session, route, now);
  if (before && !before->host.empty()) {
    issue::GiveUpForRoute(session, context.jobs, before->host,
                          call.input.Bool("lets_encrypt_cleanup"), now);
  }
  Change change;
  change.wanted = issue::WantForRoute(session, route, context.obtainer.defaults(), now);
  if (!IsNewWish(before, route)) change.wanted.reset();
  change.seq = store::LastEvent(session);
  return change;
}

}  // namespace

void AwaitRoutes(const Invocation& call, std::int64_t seq) {
  constexpr Millis kPatience{11'000};
  call.context.feed.Notify();
  if (call.context.deliver(seq, kPatience, call.stop)) return;
  const std::string text =
      "it is stored, but Traefik does not serve it yet: that is tried again by itself";
  log::Warning(text);
  call.Note(text);
}

std::optional<json::Value> SetRoute(const Invocation& call) {
  const Context& context = call.context;
  if (call.input.Bool("lets_encrypt_check")) {
    CheckCertificate(call, context.database.Read([&](store::Session& session) {
      return MergedRoute(store::FindRoute(session, call.input.String("instance")), call.input);
    }));
  }
  const Change change =
      context.database.Write([&](store::Session& session) { return Store(call, session); });
  if (change.wanted && context.is_daemon) {
    try {
      context.jobs.Submit(*change.wanted);
    } catch (const Error& error) {
      // One with another policy is under way: what it gives will do.
      log::Info(Cat(call.input.String("host"), ": ", error.failure().detail));
    }
  }
  AwaitRoutes(call, change.seq);
  return std::nullopt;
}

}  // namespace certwright::actions
