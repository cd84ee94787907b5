#include "route_input.h"

#include <algorithm>

#include "certwright/base/text.h"
#include "certwright/traefik/routes.h"
#include "handler.h"

namespace certwright::actions {

namespace {

constexpr int kExitHost = 2;
constexpr int kExitValue = 3;
constexpr int kExitMissing = 4;
constexpr int kExitFormat = 10;
constexpr char kHeadersField[] = "headers ";  // with a blank: callers compare it

// Lower case, an IDN as A-labels; what is no name is left for the check to tell.
std::string HostFrom(const std::string& given) {
  try {
    return model::ParseIdentifier(given).value;
  } catch (const Error&) {
    return ToLower(given);
  }
}

std::string PathFrom(std::string given) {
  while (given.size() > 1 && given.ends_with('/')) given.pop_back();
  return given;
}

model::HeaderValues HeadersFrom(const json::Value& given) {
  model::HeaderValues headers;
  for (const auto& [name, value] : given.Fields()) headers[name] = value.AsString().value_or("");
  return headers;
}

std::optional<model::ForwardAuth> ForwardAuthFrom(const json::Value& given) {
  if (!given.Has("address")) return std::nullopt;
  return model::ForwardAuth{given.String("address"), given.Bool("skip_tls_verify"),
                            given.Strings("auth_response_headers")};
}

void Merge(const json::Value& request, model::Route& route) {
  const auto flag = [&](const char* name, auto& into) {
    if (request.Has(name)) into = request.Bool(name);
  };
  route.instance = request.String("instance");
  if (request.Has("url")) route.url = request.String("url");
  if (const json::Value& host = request["host"]; request.Has("host")) {
    route.host = host.IsNull() ? "" : HostFrom(request.String("host"));
  }
  if (request.Has("path")) route.path = PathFrom(request.String("path"));  // null: ""
  if (request.Has("priority")) route.priority = request.Int("priority");
  flag("lets_encrypt", route.lets_encrypt);
  flag("http2https", route.http2https);
  flag("strip_prefix", route.strip_prefix);
  flag("slash_redirect", route.slash_redirect);
  flag("skip_cert_verify", route.skip_cert_verify);
  flag("user_created", route.user_created);
  if (request.Has("ip_allowlist")) route.ip_allowlist = request.Strings("ip_allowlist");
  if (request.Has("headers")) {
    route.request_headers = HeadersFrom(request["headers"]["request"]);
    route.response_headers = HeadersFrom(request["headers"]["response"]);
  }
  if (request.Has("forward_auth")) route.forward_auth = ForwardAuthFrom(request["forward_auth"]);
}

[[noreturn]] void Fail(int exit_code, std::string field, std::string parameter, json::Value value,
                       std::string error, std::string details = "") {
  throw CheckFailed{exit_code,        std::move(field),   std::move(parameter), std::move(value),
                    std::move(error), std::move(details), std::nullopt};
}

void CheckHeaderName(const std::string& name, const char* parameter) {
  if (traefik::IsHeaderName(name)) return;
  Fail(kExitValue, kHeadersField, parameter, name, "headers_name_format_is_not_valid");
}

void CheckHeaderNames(const model::Route& route) {
  for (const auto& [name, value] : route.request_headers) CheckHeaderName(name, "request");
  for (const auto& [name, value] : route.response_headers) CheckHeaderName(name, "response");
  if (!route.forward_auth) return;
  for (const std::string& name : route.forward_auth->auth_response_headers) {
    CheckHeaderName(name, "auth_response_headers");
  }
}

void CheckRoute(const model::Route& route, const json::Value& request) {
  CheckHeaderNames(route);
  const bool is_local = route.host == "127.0.0.1" || route.host == "localhost";
  if (is_local && route.path.empty()) {
    Fail(kExitHost, "host", "host", route.host, "host_is_not_valid_not_localhost");
  }
  for (const std::string& address : route.ip_allowlist) {
    if (traefik::IsNetwork(address)) continue;
    Fail(kExitValue, "ip_allowlist", "ip_allowlist", address, "bad_ip_address");
  }
  if (route.url.empty()) Fail(kExitMissing, "url", "url", "", "missing_url_argument");
  if (route.host.empty() && route.path.empty()) {
    Fail(kExitMissing, "path", "path", "", "missing_path_argument");
  }
  if (const auto problem = traefik::ProblemOf(route)) {
    const std::string parameter = problem->field.substr(0, problem->field.find('.'));
    Fail(kExitFormat, problem->field, parameter, request[parameter],
         Cat(parameter, "_format"), problem->words);
  }
}

json::Value HeadersJson(const model::HeaderValues& headers) {
  json::Value value = json::Value::Object();
  for (const auto& [name, text] : headers) value.Set(name, text);
  return value;
}

}  // namespace

model::Route MergedRoute(const std::optional<model::Route>& stored, const json::Value& request) {
  model::Route route = stored.value_or(model::Route{});
  Merge(request, route);
  CheckRoute(route, request);
  return route;
}

json::Value RouteJson(const model::Route& route) {
  json::Value value = json::Value::Object({{"instance", route.instance}});
  if (!route.host.empty()) value.Set("host", route.host);
  if (!route.path.empty()) value.Set("path", route.path);
  value.Set("url", route.url)
      .Set("lets_encrypt", route.lets_encrypt)
      .Set("http2https", route.http2https)
      .Set("skip_cert_verify", route.skip_cert_verify)
      .Set("user_created", route.user_created);
  if (!route.path.empty()) {
    value.Set("strip_prefix", route.strip_prefix.value_or(false))
        .Set("slash_redirect", route.slash_redirect.value_or(false));
  }
  if (route.priority) value.Set("priority", *route.priority);
  if (!route.ip_allowlist.empty()) value.Set("ip_allowlist", route.ip_allowlist);
  json::Value headers;
  if (!route.request_headers.empty()) headers.Set("request", HeadersJson(route.request_headers));
  if (!route.response_headers.empty()) headers.Set("response", HeadersJson(route.response_headers));
  if (!headers.IsNull()) value.Set("headers", headers);
  if (const auto& auth = route.forward_auth) {
    value.Set("forward_auth",
              json::Value::Object({{"address", auth->address},
                                   {"skip_tls_verify", auth->skip_tls_verify},
                                   {"auth_response_headers", auth->auth_response_headers}}));
  }
  return value;
}

}  // namespace certwright::actions
