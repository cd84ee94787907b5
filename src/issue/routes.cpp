#include "certwright/issue/routes.h"

#include <algorithm>

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/issue/housekeeping.h"
#include "certwright/store/orders.h"
#include "certwright/store/renewals.h"
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

// Managed, due now; one that is there already stays as it is.
void Manage(store::Session& session, const std::vector<model::Identifier>& names,
            const char* owner, const model::CertificatePolicy& defaults, UnixSeconds now) {
  if (store::FindByNameSet(session, model::NameSetKey(names))) return;
  model::ManagedCertificate wanted;
  wanted.names = names;
  wanted.policy = defaults;
  wanted.owner = owner;
  wanted.next_action_at = now;
  store::EnsureManaged(session, wanted, now);
}

std::optional<ObtainRequest> WantForHost(store::Session& session, const std::string& host,
                                         const model::CertificatePolicy& defaults,
                                         UnixSeconds now) {
  if (!CanHaveOne(host) || store::IsCovered(session, host, now)) return std::nullopt;
  ObtainRequest request = RouteRequest(session, host);
  Manage(session, request.identifiers, model::kRouteOwner, defaults, now);
  return request;
}

// One with exactly these names, an upload too, is shown as the default.
bool IsHeld(store::Session& session, const std::vector<model::Identifier>& names, UnixSeconds now) {
  const std::string name_set = model::NameSetKey(names);
  const auto covering = store::FindCovering(session, names.front().value);
  return std::any_of(covering.begin(), covering.end(), [&](const HeldCertificate& held) {
    return model::NameSetKey(held.current->names) == name_set &&
           model::IsValidAt(*held.current, now);
  });
}

void WantDefault(store::Session& session, const model::CertificatePolicy& defaults,
                 UnixSeconds now) {
  const std::vector<std::string> texts = store::FindDefaultNames(session);
  if (texts.empty() || !std::all_of(texts.begin(), texts.end(), CanHaveOne)) return;
  const auto names = model::ParseIdentifiers(texts);
  if (!IsHeld(session, names, now)) Manage(session, names, model::kDefaultOwner, defaults, now);
}

// The module that asked for it has asked for another name since, and has that.
bool IsSuperseded(store::Session& session, const model::ManagedCertificate& certificate) {
  const auto standing = store::FindNameRequest(session, certificate.owner);
  return standing && standing->fqdn != certificate.name_set &&
         standing->created_at > certificate.created_at;
}

bool IsStillAskedFor(store::Session& session, const HeldCertificate& held) {
  const std::string& name_set = held.certificate.name_set;
  return held.certificate.owner.empty() || store::IsNameRequested(session, name_set) ||
         store::RouteWantsCertificate(session, name_set) ||
         name_set == store::DefaultNameSet(session);
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
  // Where it cannot go now, it goes later.
  store::SetDiscard(session, held->certificate.id, cleanup);
  if (jobs.IsUnderWay(host)) return 0;
  if (held->current && !cleanup) return 0;
  try {
    return RemoveTold(session, *held, "deleted", now);
  } catch (const Error& error) {
    log::Warning(Cat("a route has given up ", host, ": ", error.failure().detail));
    store::SetNextAction(session, held->certificate.id, now, now);
    return 0;
  }
}

void WantWhatIsMissing(store::Database& database, const model::CertificatePolicy& defaults,
                       UnixSeconds now) {
  database.Write([&](store::Session& session) {
    for (const std::string& host : store::ListHostsWithoutCertificate(session)) {
      WantForHost(session, host, defaults, now);
    }
    WantDefault(session, defaults, now);
  });
}

std::optional<std::int64_t> DropForsaken(store::Session& session, const HeldCertificate& held,
                                         UnixSeconds now) {
  const model::ManagedCertificate& certificate = held.certificate;
  const bool never_came =
      !held.current &&
      (certificate.owner == model::kRouteOwner || certificate.owner == model::kDefaultOwner ||
       IsSuperseded(session, certificate));
  if (!never_came && !certificate.discard) return std::nullopt;
  if (IsStillAskedFor(session, held)) {
    store::SetDiscard(session, certificate.id, false);
    return std::nullopt;
  }
  if (!store::FindOpenOrders(session, certificate.id).empty()) return std::nullopt;
  try {
    return RemoveTold(session, held, "deleted", now);
  } catch (const Error& error) {
    if (error.failure().code != FailureCode::kTimeout) throw;
    return std::nullopt;  // a version is to be revoked yet
  }
}

}  // namespace certwright::issue
