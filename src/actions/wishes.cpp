#include "wishes.h"

#include <algorithm>

#include "certwright/store/routes.h"
#include "certwright/store/settings.h"

namespace certwright::actions {

Wishes::Wishes(store::Session& session) : default_set_(store::DefaultNameSet(session)) {
  for (const store::NameRequest& request : store::ListNameRequests(session)) {
    names_.insert(request.fqdn);
  }
  for (const model::Route& route : store::ListRoutes(session)) {
    if (route.lets_encrypt && !route.host.empty()) names_.insert(route.host);
  }
}

Purpose Wishes::PurposeOf(const model::ManagedCertificate& certificate) const {
  if (certificate.name_set == default_set_) return Purpose::kDefault;
  // An administrator's stand by themselves.
  if (certificate.owner.empty()) return Purpose::kAutomatic;
  const bool wanted = std::any_of(
      certificate.names.begin(), certificate.names.end(),
      [&](const model::Identifier& name) { return names_.contains(name.value); });
  return wanted ? Purpose::kAutomatic : Purpose::kObsolete;
}

}  // namespace certwright::actions
