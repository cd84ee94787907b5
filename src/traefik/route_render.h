// A route as Traefik's routers, middlewares and services.
#pragma once

#include <string>

#include "certwright/json/value.h"
#include "certwright/model/route.h"
#include "certwright/traefik/dynamic.h"

namespace certwright::traefik {

// The maps below "http". Names end with what they are ("mail1-http", "mail1-strip"), so that no two
// routes share one, and none has one of Certwright's own.
struct HttpParts {
  json::Members routers;
  json::Members middlewares;
  json::Members services;
  json::Members transports;  // "serversTransports"
};

std::string HttpRouterName(const model::Route& route);
std::string HttpsRouterName(const model::Route& route);

// Adds what `configuration.routes` need, in their order. Throws Error for a route that ProblemOf
// does not let pass.
void AddRoutes(const DynamicConfiguration& configuration, HttpParts& parts);

}  // namespace certwright::traefik
