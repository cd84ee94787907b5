#include "certwright/traefik/dynamic.h"

#include <algorithm>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/json/value.h"
#include "route_render.h"
#include "route_rule.h"
#include "yaml_json.h"

namespace certwright::traefik {
namespace {

using json::Value;

constexpr char kChallengeRule[] = "PathPrefix(`/.well-known/acme-challenge/`)";

Value ChallengeRouter(const std::string& entrypoint) {
  return Value::Object({{"entryPoints", std::vector<std::string>{entrypoint}},
                        {"rule", kChallengeRule},
                        {"priority", kChallengePriority},
                        {"service", kChallengeName}});
}

void AddChallenge(const DynamicConfiguration& configuration, HttpParts& parts) {
  // The twin is for an entrypoint-wide redirect: the CA follows it to https, where any certificate
  // will do.
  Value twin = ChallengeRouter(configuration.https_entrypoint);
  twin.Set("tls", Value::Object());
  parts.routers.emplace_back(kChallengeName, ChallengeRouter(configuration.http_entrypoint));
  parts.routers.emplace_back(Cat(kChallengeName, "-tls"), std::move(twin));

  const Value server = Value::Object({{"url", configuration.challenge_url}});
  Value balancer = Value::Object({{"servers", json::Array{server}}});
  parts.services.emplace_back(kChallengeName,
                              Value::Object({{"loadBalancer", std::move(balancer)}}));
}

// No router uses it: it only has to be there.
void AddMarker(const DynamicConfiguration& configuration, HttpParts& parts) {
  parts.middlewares.emplace_back(
      MarkerName(configuration.generation),
      Value::Object({{"addPrefix", Value::Object({{"prefix", "/"}})}}));
}

Value Http(const DynamicConfiguration& configuration) {
  HttpParts parts;
  AddMarker(configuration, parts);
  AddChallenge(configuration, parts);
  AddRoutes(configuration, parts);
  json::Members http;
  // First, and in it the marker: no value of a caller stands before it.
  http.emplace_back("middlewares", Value::FromMembers(std::move(parts.middlewares)));
  http.emplace_back("routers", Value::FromMembers(std::move(parts.routers)));
  http.emplace_back("services", Value::FromMembers(std::move(parts.services)));
  http.emplace_back("serversTransports", Value::FromMembers(std::move(parts.transports)));
  return Value::FromMembers(std::move(http));
}

Value Pair(const CertificateFiles& files) {
  return Value::Object({{"certFile", files.cert.string()}, {"keyFile", files.key.string()}});
}

Value Tls(const DynamicConfiguration& configuration) {
  Value tls = Value::Object();
  if (!configuration.certificates.empty()) {
    json::Array pairs;
    for (const auto& files : configuration.certificates) pairs.push_back(Pair(files));
    tls.Set("certificates", std::move(pairs));
  }
  // Without one, Traefik makes a new key and certificate at every change.
  Value store = Value::Object({{"defaultCertificate", Pair(configuration.default_certificate)}});
  tls.Set("stores", Value::Object({{"default", std::move(store)}}));
  return tls;
}

}  // namespace

std::string MarkerName(std::string_view generation) { return Cat("certwright-gen-", generation); }

std::string Render(const DynamicConfiguration& configuration) {
  const auto& generation = configuration.generation;
  const bool good =
      !generation.empty() && std::all_of(generation.begin(), generation.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      });
  if (!good) throw Error(FailureCode::kInternal, "a generation for Traefik is not [a-z0-9]+");
  json::Members all;
  all.emplace_back("http", Http(configuration));
  all.emplace_back("tls", Tls(configuration));
  return WriteYamlJson(Value::FromMembers(std::move(all)));
}

}  // namespace certwright::traefik
