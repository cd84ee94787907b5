// Whether Traefik is set up so that challenges come through: what its API tells of its static
// configuration, and of what it took from us.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "certwright/http/transport.h"
#include "certwright/model/finding.h"
#include "certwright/traefik/publisher.h"

namespace certwright::traefik {

struct HostPort {
  std::string host;  // an address
  int port = 0;
};

struct Health {
  std::vector<model::Finding> findings;
  // Where its entry points listen, as seen from this machine; port 0: not known.
  HostPort http;
  HostPort https;
};

// Reads the directory and asks the API; never throws. A `stop` makes the rest unknown.
Health LookAtTraefik(const TraefikOptions& options, http::Transport& transport,
                     std::stop_token stop);

}  // namespace certwright::traefik
