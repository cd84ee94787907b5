// One route of the old module: from what it wrote for Traefik back to what was asked for.
#pragma once

#include <string>

#include "certwright/json/value.h"

namespace certwright::migrate {

// `config` is the content of configs/INSTANCE.yml. Gives the input of set-route. Throws
// Error(kInput) where it is not what the module's set-route writes: a person's own routers are not
// guessed at.
json::Value RouteRequest(const std::string& instance, const json::Value& config, bool user_created);

}  // namespace certwright::migrate
