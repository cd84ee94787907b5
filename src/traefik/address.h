// Where an entry point listens, as seen from this machine.
#pragma once

#include <optional>
#include <string>

#include "certwright/traefik/health.h"

namespace certwright::traefik {

// "host:port" as written or as Traefik says it: "/tcp" at the end, and no host or an "any" address
// where it listens on all.
std::optional<HostPort> ParseAddress(std::string text);

}  // namespace certwright::traefik
