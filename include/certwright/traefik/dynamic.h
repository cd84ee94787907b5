// What is written for Traefik's file provider: one file, always valid (invariant I5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "certwright/base/file.h"
#include "certwright/model/route.h"

namespace certwright::traefik {

// One certificate as Traefik loads it: paths of versioned files.
struct CertificateFiles {
  Path cert;
  Path key;
};

struct DynamicConfiguration {
  std::string generation;  // of the marker: [a-z0-9]+
  std::string http_entrypoint = "http";
  std::string https_entrypoint = "https";
  std::string challenge_url;                   // "http://127.0.0.1:9180": the responder
  std::vector<CertificateFiles> certificates;  // in a deterministic order
  CertificateFiles default_certificate;        // always there
  std::vector<model::Route> routes;            // those that ProblemOf lets pass
  int forwarded_depth = 0;  // which entry of X-Forwarded-For is the client, from the right; 0: the
                            // peer is
};

// JSON (a subset of YAML as Traefik's parser takes it): no empty object, "{" inside strings as
// \u007b so that nothing is a Go template, no raw control characters. Same input, same bytes. The
// marker's name stands before any value of the configuration.
std::string Render(const DynamicConfiguration& configuration);

// The router of HTTP-01 on the http entrypoint, and the service behind it.
inline constexpr char kChallengeName[] = "certwright-acme";

// The name of the unused middleware that says which generation Traefik serves.
std::string MarkerName(std::string_view generation);

}  // namespace certwright::traefik
