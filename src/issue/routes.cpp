#include "certwright/issue/routes.h"

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/issue/housekeeping.h"
#include "certwright/store/orders.h"
#include "certwright/store/routes.h"
#include "certwright/store/settings.h"

namespace certwright::issue {

namespace {

using store::HeldCertificate;

// Besides routes: by its owner, or by a request that stands.
bool IsAskedForByOthers(store::Session& session, const HeldCertificate& held) {
  const std::string& owner = held.certificate.owner;
  if (owner == model::kRouteOwner) return store::IsNameRequested(session, held.certificate.name_set);
  // A module's request is written down once it has the certificate.
  return owner.empty() || !held.current || store::IsNameRequested(session, held.certificate.name_set);
}

// HTTP-01 proves no wildcard; and routes that were taken over may have a host that is no name.
bool CanHaveOne(const std::string& host) {
  try {
    return model::ParseIdentifier(host).value == host && !host.starts_with("*.");
  } catch (const Error&) {
    return false;
  }
}

std::optional<ObtainRequest> WantForHost(store::Session& session, const std::string& host,
                                         const model::CertificatePolicy& defaults,
                                         UnixSeconds now) {
  if (!CanHaveOne(host) || store::IsCovered(session, host, now)) return std::nullopt;
  ObtainRequest request = RouteRequest(session, host);
  if (!store::FindByNameSet(session, host)) {
    model::ManagedCertificate wanted;
    wanted.names = request.identifiers;
    wanted.policy = defaults;
    wanted.owner = model::kRouteOwner;
    wanted.next_action_at = now;
    store::EnsureManaged(session, wanted, now);
  }
  return request;
}

}  // namespace

bool IsAskedFor(store::Session& session, const std::string& name) {
  if (store::RouteWantsCertificate(session, name) || store::IsNameRequested(session, name)) return true;
  // A module's name is asked for as long as its request stands; an administrator's as it is.
  const auto held = store::FindByNameSet(session, name);
  return held && held->certificate.owner.empty();
}

ObtainRequest RouteRequest(store::Session& session, const std::string& host) {
  ObtainRequest request;
  request.identifiers = {model::ParseIdentifier(host)};
  const auto held = store::FindByNameSet(session, host);
  request.owner = held ? held->certificate.owner : model::kRouteOwner;
  return request;
}

std::optional<ObtainRequest> WantForRoute(store::Session& session, const model::Route& route,
                                          const model::CertificatePolicy& defaults,
                                          UnixSeconds now) {
  if (!route.lets_encrypt) return std::nullopt;
  return WantForHost(session, route.host, defaults, now);
}

std::int64_t GiveUpForRoute(store::Session& session, Jobs& jobs, const std::string& host,
                            bool cleanup, UnixSeconds now) {
  const auto held = store::FindByNameSet(session, host);
  if (!held || store::RouteWantsCertificate(session, host)) return 0;
  if (IsAskedForByOthers(session, *held) || host == store::DefaultNameSet(session)) return 0;
  if (jobs.IsUnderWay(host)) return 0;
  if (held->current && !cleanup) return 0;
  try {
    return RemoveTold(session, *held, "deleted", now);
  } catch (const Error& error) {
    log::Warning(Cat("a route has given up ", host, ": ", error.failure().detail));
    return 0;
  }
}

void WantForAllRoutes(store::Database& database, const model::CertificatePolicy& defaults,
                      UnixSeconds now) {
  database.Write([&](store::Session& session) {
    for (const std::string& host : store::ListHostsWithoutCertificate(session)) {
      WantForHost(session, host, defaults, now);
    }
  });
}

bool IsForsaken(store::Session& session, const HeldCertificate& held) {
  const model::ManagedCertificate& certificate = held.certificate;
  return certificate.owner == model::kRouteOwner && !held.current &&
         !store::RouteWantsCertificate(session, certificate.name_set) &&
         !store::IsNameRequested(session, certificate.name_set) &&
         store::FindOpenOrders(session, certificate.id).empty();
}

}  // namespace certwright::issue
