#include "ns8_route.h"

#include <algorithm>
#include <vector>

#include "reading.h"

namespace certwright::migrate {
namespace {

// What stands between `before` and a backtick, "" where `before` is not there.
std::string Quoted(const std::string& rule, const std::string& before) {
  const std::size_t at = rule.find(before + "(`");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + before.size() + 2;
  const std::size_t end = rule.find('`', begin);
  return end == std::string::npos ? "" : rule.substr(begin, end - begin);
}

std::string WithoutBlanks(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

struct Match {
  std::string host;
  std::string path;
};

// Host(`h`) && (Path(`/p`) || PathPrefix(`/p/`)), or one half of it.
Match MatchOf(const std::string& rule) {
  Match match{Quoted(rule, "Host"), Quoted(rule, "Path")};
  std::string expected;
  if (!match.path.empty()) {
    const std::string prefix = match.path == "/" ? "/" : match.path + "/";
    expected = Cat("Path(`", match.path, "`)||PathPrefix(`", prefix, "`)");
  }
  if (!match.host.empty()) {
    expected = Cat("Host(`", match.host, "`)",
                   expected.empty() ? "" : Cat("&&(", expected, ")"));
  }
  if (expected.empty() || WithoutBlanks(expected) != WithoutBlanks(rule)) {
    Refuse(Cat("its rule is not one that set-route writes: ", Printable(rule, 200)));
  }
  return match;
}

// Referred to with the provider ("name@file") or without.
std::vector<std::string> MiddlewaresOf(const json::Value& router) {
  std::vector<std::string> names = router.Strings("middlewares");
  for (std::string& name : names) name = name.substr(0, name.find('@'));
  return names;
}

json::Value TextMembers(const json::Value& object) {
  json::Value texts = json::Value::Object();
  for (const auto& [name, value] : object.Fields()) {
    texts.Set(name, value.AsString().value_or(value.IsNull() ? "" : json::Write(value)));
  }
  return texts;
}

void AddHeaders(const json::Value& headers, json::Value& request) {
  json::Value result = json::Value::Object();
  for (const auto& [from, to] : {std::pair{"customRequestHeaders", "request"},
                                 std::pair{"customResponseHeaders", "response"}}) {
    if (headers[from].IsObject()) result.Set(to, TextMembers(headers[from]));
  }
  request.Set("headers", result);
}

void AddForwardAuth(const json::Value& auth, json::Value& request) {
  json::Value result = json::Value::Object(
      {{"address", auth.String("address")},
       {"skip_tls_verify", auth["tls"].Bool("insecureSkipVerify")}});
  const std::vector<std::string> copied = auth.Strings("authResponseHeaders");
  if (!copied.empty()) result.Set("auth_response_headers", copied);
  request.Set("forward_auth", result);
}

// By its kind: what it is called does not matter.
void AddMiddleware(const std::string& name, const json::Value& middleware, json::Value& request) {
  if (name == "http2https-redirectscheme") {  // shared by all routes, in a file of its own
    request.Set("http2https", true);
  } else if (middleware.Has("stripPrefix")) {
    request.Set("strip_prefix", true);
  } else if (middleware.Has("redirectRegex")) {
    request.Set("slash_redirect", true);
  } else if (middleware.Has("headers")) {
    AddHeaders(middleware["headers"], request);
  } else if (middleware.Has("forwardAuth")) {
    AddForwardAuth(middleware["forwardAuth"], request);
  } else if (middleware.Has("ipAllowList")) {
    request.Set("ip_allowlist", middleware["ipAllowList"].Strings("sourceRange"));
  } else {
    Refuse(Cat("its middleware ", Printable(name, 60), " is not one that set-route writes"));
  }
}

// The old module stored its default, and it stuck: a default is not given.
void AddPriority(const json::Value& router, json::Value& request) {
  const std::int64_t priority = router.Int("priority");
  if (priority > 3) request.Set("priority", priority);
}

}  // namespace

json::Value RouteRequest(const std::string& instance, const json::Value& config,
                         bool user_created) {
  const json::Value& http = config["http"];
  const json::Value& secure = http["routers"][instance + "-https"];
  const json::Value& plain = http["routers"][instance + "-http"];
  if (!secure.IsObject() || !plain.IsObject()) Refuse("it has no routers that set-route writes");
  const json::Value& balancer = http["services"][secure.String("service")]["loadBalancer"];
  const json::Array& servers = balancer["servers"].Items();
  if (servers.empty()) Refuse("its service has no server");

  const Match match = MatchOf(secure.String("rule"));
  json::Value request =
      json::Value::Object({{"instance", instance}, {"url", servers.front().String("url")}});
  if (!match.host.empty()) request.Set("host", match.host);
  if (!match.path.empty()) request.Set("path", match.path);
  request.Set("lets_encrypt", secure["tls"].Has("certResolver"))
      .Set("http2https", false)
      .Set("skip_cert_verify", balancer.Has("serversTransport"))
      .Set("user_created", user_created);
  AddPriority(secure, request);
  for (const json::Value* router : {&plain, &secure}) {
    for (const std::string& name : MiddlewaresOf(*router)) {
      AddMiddleware(name, http["middlewares"][name], request);
    }
  }
  return request;
}

}  // namespace certwright::migrate
