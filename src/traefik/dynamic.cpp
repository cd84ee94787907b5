#include "certwright/traefik/dynamic.h"

#include <algorithm>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/json/value.h"
#include "yaml_json.h"

namespace certwright::traefik {
namespace {

using json::Value;

constexpr char kChallengeName[] = "certwright-acme";
constexpr char kChallengeRule[] = "PathPrefix(`/.well-known/acme-challenge/`)";
// Above any rule's length (the default priority) and below what Traefik keeps for itself.
constexpr int kChallengePriority = 1'000'000;

Value ChallengeRouter(const std::string& entrypoint) {
  return Value::Object({{"entryPoints", std::vector<std::string>{entrypoint}},
                        {"rule", kChallengeRule},
                        {"priority", kChallengePriority},
                        {"service", kChallengeName}});
}

Value Http(const DynamicConfiguration& configuration) {
  // The twin is for an entrypoint-wide redirect: the CA follows it to https, where any certificate
  // will do.
  Value twin = ChallengeRouter(configuration.https_entrypoint);
  twin.Set("tls", Value::Object());
  Value routers = Value::Object();
  routers.Set(kChallengeName, ChallengeRouter(configuration.http_entrypoint));
  routers.Set(Cat(kChallengeName, "-tls"), std::move(twin));

  Value servers;
  servers.Append(Value::Object({{"url", configuration.challenge_url}}));
  Value services = Value::Object();
  services.Set(kChallengeName,
               Value::Object({{"loadBalancer", Value::Object({{"servers", std::move(servers)}})}}));

  // No router uses it: it only has to be there.
  Value middlewares = Value::Object();
  middlewares.Set(MarkerName(configuration.generation),
                  Value::Object({{"addPrefix", Value::Object({{"prefix", "/"}})}}));

  return Value::Object({{"routers", std::move(routers)},
                        {"services", std::move(services)},
                        {"middlewares", std::move(middlewares)}});
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
  return WriteYamlJson(Value::Object({{"http", Http(configuration)}, {"tls", Tls(configuration)}}));
}

}  // namespace certwright::traefik
