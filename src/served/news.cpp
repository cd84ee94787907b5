#include "news.h"

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/served/watch.h"
#include "certwright/store/events.h"

namespace certwright::served {

void News::Add(Tell tell, const store::ServedState& state, const model::CertificateVersion& held) {
  if (tell == Tell::kNothing) return;
  const bool again = tell == Tell::kServedAgain;
  const std::string reason = again ? "again" : state.state;
  const auto [at, is_new] = events_.try_emplace({state.endpoint, reason});
  model::Event& event = at->second;
  event.names.push_back(state.name);
  if (!is_new) return;
  event.name = again ? kCertificateServed : kCertificateNotServed;
  event.reason = reason;
  event.certificate_id = held.certificate_id;
  event.not_after = held.not_after;
  if (again) return;
  Failure failure;
  failure.code = state.endpoint == kTraefikEndpoint ? FailureCode::kTraefik : FailureCode::kNetwork;
  failure.transient = true;
  failure.detail = Cat(state.endpoint, ", asked for ", state.name, ": ", state.problem);
  failure.advice = "have the server load its certificate again; 'certwright served' tells of all";
  event.failure = failure;
}

void News::Append(store::Session& session, UnixSeconds now) {
  for (auto& [key, event] : events_) {
    event.created_at = now;
    if (event.failure) event.failure->identifiers = event.names;
    store::AppendEvent(session, event);
    const std::string names = Printable(Join(event.names, ", "), 200);
    if (event.failure) {
      log::Warning(Cat("served: ", Printable(event.failure->detail)));
    } else {
      log::Info(Cat("served: ", Printable(key.first), " shows what is held for ", names, " again"));
    }
  }
}

}  // namespace certwright::served
