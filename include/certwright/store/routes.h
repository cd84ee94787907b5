// Routes through Traefik, by instance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "certwright/model/route.h"
#include "certwright/store/database.h"

namespace certwright::store {

std::optional<model::Route> FindRoute(Session& session, const std::string& instance);
// All, ordered by instance.
std::vector<model::Route> ListRoutes(Session& session);
// Whether a route with this host wants a certificate of a CA for it (an index).
bool RouteWantsCertificate(Session& session, const std::string& host);
// The hosts of routes that want one while no certificate of exactly that name is managed (another
// may cover it); each once.
std::vector<std::string> ListHostsWithoutCertificate(Session& session);

// Makes it or takes the place of the one of that instance, and writes its events with it (invariant
// I3): "routes-changed", and "hosts-changed" where the set of host names in routes is another one.
// Gives the last event's number; 0 where it was so already (times apart), and nothing was written.
// `created_at` of one that was there is kept.
std::int64_t SaveRoute(Session& session, const model::Route& route, UnixSeconds now);
// The same for taking it away; 0 where it was not there.
std::int64_t DeleteRoute(Session& session, const std::string& instance, UnixSeconds now);

}  // namespace certwright::store
