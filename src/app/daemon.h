// certwright serve.
#pragma once

#include <functional>

#include "certwright/config/config.h"

namespace certwright::app {

// Serves until SIGTERM or SIGINT. SIGHUP calls `reload`: a good configuration takes the old one's
// place (orders under way are carried on by the new one), a bad one is logged and changes nothing.
// Throws Error where it cannot start; another process that holds the store is waited for, 5 s.
void Serve(config::Config config, const std::function<config::Config()>& reload);

}  // namespace certwright::app
