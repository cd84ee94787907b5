// All that an issuance stands on, looked at in turn: the doctor.
#pragma once

#include <stop_token>
#include <vector>

#include "certwright/config/config.h"
#include "certwright/http/transport.h"
#include "certwright/issue/authorities.h"
#include "certwright/model/finding.h"
#include "certwright/model/identifier.h"
#include "certwright/traefik/publisher.h"
#include "outlook.h"

namespace certwright::app {

struct Examined {
  const config::Config& config;
  const issue::Authorities& authorities;
  const traefik::TraefikOptions& traefik;
  http::Transport& traefik_transport;
  Outlook& outlook;
};

// Disk and permissions; each CA, its clock and our account there; Traefik, and a token of our own
// through it; then each name as the CA will look at it. Orders nothing, changes nothing. Never throws
// for what it finds.
std::vector<model::Finding> Examine(const Examined& parts,
                                    const std::vector<model::Identifier>& names,
                                    std::stop_token stop);

}  // namespace certwright::app
