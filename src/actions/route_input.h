// A route as callers write it and read it (contract.md, set-route and get-route).
#pragma once

#include <optional>

#include "certwright/json/value.h"
#include "certwright/model/route.h"

namespace certwright::actions {

// The request over what is stored: what it does not name stays as it is. Throws CheckFailed where
// what comes out is no route that can be served.
model::Route MergedRoute(const std::optional<model::Route>& stored, const json::Value& request);

// The switches with their defaults; everything else only where it was given.
json::Value RouteJson(const model::Route& route);

}  // namespace certwright::actions
