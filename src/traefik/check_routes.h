// What Traefik says of the routers of each route.
#pragma once

#include <stop_token>
#include <vector>

#include "api.h"
#include "certwright/model/route.h"
#include "certwright/traefik/publisher.h"

namespace certwright::traefik {

// Asks for both routers of each route. Throws Error(kCancelled); whatever else goes wrong is the
// route's problem, in words.
std::vector<ServedRoute> CheckRoutes(const Api& api, const std::vector<model::Route>& routes,
                                     std::stop_token stop);

}  // namespace certwright::traefik
