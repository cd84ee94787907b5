#include "route_render.h"

#include "certwright/base/text.h"
#include "route_rule.h"

namespace certwright::traefik {
namespace {

using json::Value;

// Shared by the routes that need them.
constexpr char kToHttps[] = "certwright-to-https";
constexpr char kUnverified[] = "certwright-unverified";

Value HeaderMap(const model::HeaderValues& headers) {
  json::Members members;
  for (const auto& [name, value] : headers) members.emplace_back(name, value);
  return Value::FromMembers(std::move(members));
}

Value AllowList(const std::vector<std::string>& networks, int depth) {
  Value list = Value::Object({{"sourceRange", networks}});
  // Behind proxies the client is what the last trusted one of them saw.
  if (depth > 0) list.Set("ipStrategy", Value::Object({{"depth", depth}}));
  return list;
}

// Traefik matches against the whole URL; "$1" in the replacement is what it found.
Value SlashRedirect(const std::string& prefix) {
  return Value::Object({{"regex", Cat("^(https?://[^/?]+", QuoteRegex(prefix), ")(\\?.*)?$")},
                        {"replacement", "${1}/${2}"}});
}

Value Auth(const model::ForwardAuth& auth) {
  Value value = Value::Object({{"address", auth.address}});
  if (auth.skip_tls_verify) value.Set("tls", Value::Object({{"insecureSkipVerify", true}}));
  if (!auth.auth_response_headers.empty()) {
    value.Set("authResponseHeaders", auth.auth_response_headers);
  }
  return value;
}

Value Headers(const model::Route& route) {
  Value value = Value::Object();
  if (!route.request_headers.empty()) {
    value.Set("customRequestHeaders", HeaderMap(route.request_headers));
  }
  if (!route.response_headers.empty()) {
    value.Set("customResponseHeaders", HeaderMap(route.response_headers));
  }
  return value;
}

// Adds the route's middlewares and gives their names, in the order in which a request meets them.
std::vector<std::string> AddMiddlewares(const model::Route& route, int depth, HttpParts& parts) {
  std::vector<std::string> names;
  const auto add = [&](const char* suffix, const char* kind, Value settings) {
    names.push_back(Cat(route.instance, "-", suffix));
    parts.middlewares.emplace_back(names.back(), Value::Object({{kind, std::move(settings)}}));
  };
  const std::string prefix = PathPrefixOf(route);
  if (!route.ip_allowlist.empty()) {
    add("allow", "ipAllowList", AllowList(route.ip_allowlist, depth));
  }
  if (!prefix.empty()) {
    if (route.slash_redirect.value_or(false)) add("slash", "redirectRegex", SlashRedirect(prefix));
    if (route.strip_prefix.value_or(false)) {
      add("strip", "stripPrefix", Value::Object({{"prefixes", std::vector<std::string>{prefix}}}));
    }
  }
  if (route.forward_auth) add("auth", "forwardAuth", Auth(*route.forward_auth));
  if (Value headers = Headers(route); !headers.Fields().empty()) {
    add("headers", "headers", std::move(headers));
  }
  return names;
}

void AddService(const model::Route& route, const std::string& name, HttpParts& parts) {
  const Value server = Value::Object({{"url", route.url}});
  Value balancer =
      Value::Object({{"servers", json::Array{server}}, {"passHostHeader", true}});
  if (route.skip_cert_verify) balancer.Set("serversTransport", kUnverified);
  parts.services.emplace_back(name, Value::Object({{"loadBalancer", std::move(balancer)}}));
}

void AddRoute(const model::Route& route, std::int64_t priority,
              const DynamicConfiguration& configuration, HttpParts& parts) {
  const std::string service = Cat(route.instance, "-backend");
  const std::vector<std::string> middlewares =
      AddMiddlewares(route, configuration.forwarded_depth, parts);
  AddService(route, service, parts);

  const auto router = [&](const std::string& entrypoint, const std::vector<std::string>& chain) {
    Value value = Value::Object({{"entryPoints", std::vector<std::string>{entrypoint}},
                                 {"rule", RuleOf(route)},
                                 {"priority", priority},
                                 {"service", service}});
    if (!chain.empty()) value.Set("middlewares", chain);
    return value;
  };
  parts.routers.emplace_back(
      HttpRouterName(route),
      router(configuration.http_entrypoint,
             route.http2https ? std::vector<std::string>{kToHttps} : middlewares));
  Value secure = router(configuration.https_entrypoint, middlewares);
  secure.Set("tls", Value::Object());
  parts.routers.emplace_back(HttpsRouterName(route), std::move(secure));
}

}  // namespace

std::string HttpRouterName(const model::Route& route) { return Cat(route.instance, "-http"); }
std::string HttpsRouterName(const model::Route& route) { return Cat(route.instance, "-https"); }

void AddRoutes(const DynamicConfiguration& configuration, HttpParts& parts) {
  const auto priorities = NumberedPriorities(configuration.routes);
  bool to_https = false;
  bool unverified = false;
  for (std::size_t i = 0; i < priorities.size(); ++i) {
    const model::Route& route = configuration.routes[i];
    AddRoute(route, priorities[i], configuration, parts);
    to_https |= route.http2https;
    unverified |= route.skip_cert_verify;
  }
  if (to_https) {
    parts.middlewares.emplace_back(
        kToHttps, Value::Object({{"redirectScheme", Value::Object({{"scheme", "https"}})}}));
  }
  if (unverified) {
    parts.transports.emplace_back(kUnverified, Value::Object({{"insecureSkipVerify", true}}));
  }
}

}  // namespace certwright::traefik
