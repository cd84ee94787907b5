// Metrics on a port of this machine, for a Prometheus that speaks to no UNIX socket.
#pragma once

#include <memory>
#include <string>

#include "certwright/actions/runner.h"
#include "certwright/http/responder.h"

namespace certwright::app {

// GET /metrics at `listen`, as a reader sees them; a few callers, one after the other. Listens at once.
// Throws as http::Responder.
std::unique_ptr<http::Responder> ServeMetrics(const std::string& listen,
                                              const actions::Runner& runner);

}  // namespace certwright::app
