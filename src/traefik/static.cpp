#include "certwright/traefik/static.h"

#include "certwright/base/text.h"
#include "certwright/http/client.h"
#include "yaml_json.h"

namespace certwright::traefik {
namespace {

using json::Value;

// As an address to listen on.
std::string AddressOf(const std::string& api) {
  const http::Url url = http::ParseUrl(api.empty() ? "http://127.0.0.1:8080" : api);
  const bool is_v6 = url.host.find(':') != std::string::npos;
  return is_v6 ? Cat('[', url.host, "]:", url.port) : Cat(url.host, ':', url.port);
}

Value EntryPoint(const std::string& address, const std::vector<std::string>& trusted_proxies) {
  // A resolver of Traefik's own must not take the challenges that are ours.
  Value entry_point = Value::Object({{"address", address}, {"allowACMEByPass", true}});
  if (!trusted_proxies.empty()) {
    entry_point.Set("forwardedHeaders", Value::Object({{"trustedIPs", trusted_proxies}}));
  }
  return entry_point;
}

}  // namespace

std::string RenderStatic(const StaticConfiguration& configuration) {
  Value entry_points = Value::Object();
  entry_points.Set(configuration.http_entrypoint,
                   EntryPoint(":80", configuration.trusted_proxies));
  entry_points.Set(configuration.https_entrypoint,
                   EntryPoint(":443", configuration.trusted_proxies));
  // The name that api.insecure uses. It asks nobody who they are: its address is not for others.
  entry_points.Set("traefik", Value::Object({{"address", AddressOf(configuration.api)}}));
  const Value file =
      Value::Object({{"directory", configuration.dynamic_dir.string()}, {"watch", true}});
  return WriteYamlJson(Value::Object(
      {{"entryPoints", entry_points},
       {"api", Value::Object({{"insecure", true}, {"dashboard", false}})},
       {"providers", Value::Object({{"file", file}, {"providersThrottleDuration", "100ms"}})},
       {"global", Value::Object({{"checkNewVersion", false}, {"sendAnonymousUsage", false}})}}));
}

}  // namespace certwright::traefik
