// Traefik's static configuration, as it fits Certwright's own.
#pragma once

#include <string>
#include <vector>

#include "certwright/base/file.h"

namespace certwright::traefik {

struct StaticConfiguration {
  std::string http_entrypoint = "http";
  std::string https_entrypoint = "https";
  std::string api;  // base URL; "" : http://127.0.0.1:8080
  Path dynamic_dir;
  std::vector<std::string> trusted_proxies;  // addresses whose X-Forwarded-For is believed
};

// JSON, which is YAML: a whole static file for ports 80 and 443. Throws Error(kProtocol) where `api`
// is no URL.
std::string RenderStatic(const StaticConfiguration& configuration);

}  // namespace certwright::traefik
