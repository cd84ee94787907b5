#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/json/value.h"
#include "certwright/traefik/dynamic.h"

namespace certwright::traefik {
namespace {

using model::Route;
using ::testing::ElementsAre;
using Strings = std::vector<std::string>;

Route Plain(std::string instance = "web1") {
  Route route;
  route.instance = std::move(instance);
  route.url = "http://127.0.0.1:20001";
  route.host = "a.example.org";
  return route;
}

std::string TextOf(std::vector<Route> routes, int depth = 0) {
  DynamicConfiguration configuration;
  configuration.generation = "0";
  configuration.challenge_url = "http://127.0.0.1:9180";
  configuration.default_certificate = {"/pem/default-0.crt", "/pem/default-0.key"};
  configuration.routes = std::move(routes);
  configuration.forwarded_depth = depth;
  return Render(configuration);
}

json::Value HttpOf(std::vector<Route> routes, int depth = 0) {
  return json::Parse(TextOf(std::move(routes), depth))["http"];
}

json::Value Middleware(const Route& route, const std::string& suffix, int depth = 0) {
  return HttpOf({route}, depth)["middlewares"][Cat(route.instance, "-", suffix)];
}

std::string Rule(const Route& route) {
  return HttpOf({route})["routers"]["web1-https"].String("rule");
}

TEST(RenderRoute, WritesRulesAsQuotedLiterals) {
  struct Row {
    const char* host;
    const char* path;
    const char* rule;
  };
  const Row rows[] = {
      {"a.example.org", "", R"(Host("a.example.org"))"},
      {"", "/foo", R"((Path("/foo") || PathPrefix("/foo/")))"},
      {"", "/foo/", R"((Path("/foo") || PathPrefix("/foo/")))"},
      {"", "/", R"(PathPrefix("/"))"},
      {"a.example.org", "/x", R"(Host("a.example.org") && (Path("/x") || PathPrefix("/x/")))"},
      {"a.example.org", "/", R"(Host("a.example.org") && PathPrefix("/"))"},
      {"*.example.org", "", R"(Host("*.example.org"))"},
      {"localhost", "/x", R"(Host("localhost") && (Path("/x") || PathPrefix("/x/")))"},
      {"192.0.2.1", "", R"(Host("192.0.2.1"))"},
      {"B\xc3\xbc" "cher.example", "", R"(Host("xn--bcher-kva.example"))"},
      {"", "/a\"b\\`", R"((Path("/a\"b\\`") || PathPrefix("/a\"b\\`/")))"},
  };
  for (const auto& row : rows) {
    Route route = Plain();
    route.host = row.host;
    route.path = row.path;
    EXPECT_EQ(Rule(route), row.rule);
  }
}

TEST(RenderRoute, ThrowsRatherThanWriteARuleThatIsNone) {
  Route route = Plain();
  route.path = "/a\nb";
  EXPECT_THROW(TextOf({route}), Error);
  route = Plain();
  route.host = "a`) || PathPrefix(`/";
  EXPECT_THROW(TextOf({route}), Error);
}

TEST(RenderRoute, LeadsBothEntrypointsToTheBackend) {
  const auto http = HttpOf({Plain()});
  const auto& plain = http["routers"]["web1-http"];
  const auto& secure = http["routers"]["web1-https"];
  EXPECT_EQ(plain.Strings("entryPoints"), Strings{"http"});
  EXPECT_EQ(secure.Strings("entryPoints"), Strings{"https"});
  EXPECT_FALSE(plain.Has("tls"));
  EXPECT_TRUE(secure.Has("tls"));
  for (const auto* router : {&plain, &secure}) {
    EXPECT_EQ(router->String("service"), "web1-backend");
    EXPECT_EQ(router->Int("priority"), 2);
    EXPECT_FALSE(router->Has("middlewares"));
  }
  const auto& balancer = http["services"]["web1-backend"]["loadBalancer"];
  EXPECT_EQ(balancer["servers"].Items().at(0).String("url"), "http://127.0.0.1:20001");
  EXPECT_TRUE(balancer.Bool("passHostHeader"));
  EXPECT_FALSE(balancer.Has("serversTransport"));
  EXPECT_FALSE(http.Has("serversTransports"));
}

TEST(RenderRoute, OnlyRedirectsToHttpsWhereThatIsAskedFor) {
  Route route = Plain();
  route.http2https = true;
  route.ip_allowlist = {"192.0.2.0/24"};
  const auto http = HttpOf({route, Plain("web2")});
  EXPECT_EQ(http["routers"]["web1-http"].Strings("middlewares"), Strings{"certwright-to-https"});
  EXPECT_EQ(http["routers"]["web1-https"].Strings("middlewares"), Strings{"web1-allow"});
  EXPECT_FALSE(http["routers"]["web2-http"].Has("middlewares"));
  const auto& redirect = http["middlewares"]["certwright-to-https"]["redirectScheme"];
  EXPECT_EQ(redirect.String("scheme"), "https");
}

TEST(RenderRoute, PutsMiddlewaresInOrder) {
  Route route = Plain();
  route.path = "/x";
  route.strip_prefix = route.slash_redirect = true;
  route.ip_allowlist = {"192.0.2.1"};
  route.forward_auth = {"http://127.0.0.1:1/", false, {}};
  route.request_headers = {{"X-A", "1"}};
  const Strings wanted = {"web1-allow", "web1-slash", "web1-strip", "web1-auth", "web1-headers"};
  const auto routers = HttpOf({route})["routers"];
  EXPECT_EQ(routers["web1-http"].Strings("middlewares"), wanted);
  EXPECT_EQ(routers["web1-https"].Strings("middlewares"), wanted);
  route.path = "/";  // nothing to strip, and nowhere to redirect
  EXPECT_THAT(HttpOf({route})["routers"]["web1-http"].Strings("middlewares"),
              ElementsAre("web1-allow", "web1-auth", "web1-headers"));
}

TEST(RenderRoute, WritesEachMiddleware) {
  Route route = Plain();
  route.path = "/a.b(c)$";
  route.strip_prefix = route.slash_redirect = true;
  route.ip_allowlist = {"192.0.2.1", "2001:db8::/32"};
  route.forward_auth = {"https://auth.example.org/verify", true, {"X-User", "X-Groups"}};
  route.request_headers = {{"X-A", "{{1}}"}, {"X-B", ""}};
  route.response_headers = {{"X-C", "\""}};

  const auto allow = Middleware(route, "allow")["ipAllowList"];
  EXPECT_EQ(allow.Strings("sourceRange"), route.ip_allowlist);
  EXPECT_FALSE(allow.Has("ipStrategy"));
  EXPECT_EQ(Middleware(route, "allow", 2)["ipAllowList"]["ipStrategy"].Int("depth"), 2);

  const auto slash = Middleware(route, "slash")["redirectRegex"];
  EXPECT_EQ(slash.String("regex"), R"(^(https?://[^/?]+/a\.b\(c\)\$)(\?.*)?$)");
  EXPECT_EQ(slash.String("replacement"), "${1}/${2}");
  EXPECT_EQ(Middleware(route, "strip")["stripPrefix"].Strings("prefixes"), Strings{"/a.b(c)$"});

  const auto auth = Middleware(route, "auth")["forwardAuth"];
  EXPECT_EQ(auth.String("address"), "https://auth.example.org/verify");
  EXPECT_TRUE(auth["tls"].Bool("insecureSkipVerify"));
  EXPECT_EQ(auth.Strings("authResponseHeaders"), (Strings{"X-User", "X-Groups"}));

  const auto headers = Middleware(route, "headers")["headers"];
  EXPECT_EQ(headers["customRequestHeaders"].String("X-A"), "{{1}}");
  EXPECT_TRUE(headers["customRequestHeaders"].Has("X-B"));
  EXPECT_EQ(headers["customResponseHeaders"].String("X-C"), "\"");
  EXPECT_EQ(TextOf({route}).find("{{"), std::string::npos);
}

TEST(RenderRoute, TakesAnyCertificateOfABackendWhereThatIsAskedFor) {
  Route route = Plain();
  route.skip_cert_verify = true;
  const auto http = HttpOf({route});
  EXPECT_EQ(http["services"]["web1-backend"]["loadBalancer"].String("serversTransport"),
            "certwright-unverified");
  EXPECT_TRUE(http["serversTransports"]["certwright-unverified"].Bool("insecureSkipVerify"));
}

TEST(RenderRoute, LeavesOutWhatIsEmpty) {
  Route route = Plain();
  route.forward_auth = {"http://127.0.0.1:1/", false, {}};
  route.response_headers = {{"X-C", "1"}};
  const auto auth = Middleware(route, "auth")["forwardAuth"];
  EXPECT_EQ(auth.Fields().size(), 1U);
  EXPECT_EQ(Middleware(route, "headers")["headers"].Fields().size(), 1U);
}

struct PriorityRow {
  const char* instance;
  const char* host;
  const char* path;
  std::optional<std::int64_t> priority;
  std::int64_t wanted;
};

TEST(RenderRoute, NumbersPrioritiesSoThatNoTwoAreEqual) {
  const PriorityRow rows[] = {
      {"z", "", "/foo", {}, 1},                  // by path: 1
      {"y", "", "/foo/bar", {}, 2},              // the longer path
      {"x", "*.example.org", "", {}, 3},         // by host: 2, pushed up
      {"w", "a.example.org", "", {}, 4},         // an exact host
      {"v", "a.example.org", "", {}, 5},         // its twin, whose instance comes first
      {"low", "a.example.org", "/foo", 2, 6},    // asked for as by host, but longer
      {"b", "a.example.org", "/", {}, 7},        // by both: 3
      {"a", "a.example.org", "/foo", {}, 8},     // the longer path
      {"high2", "b.example.org", "", 500, 500},  // as it was given
      {"high1", "a.example.org", "", 500, 501},
      {"top", "b.example.org", "", 899'999, 899'999},
  };
  std::vector<Route> routes;
  for (const auto& row : rows) {
    Route route = Plain(row.instance);
    route.host = row.host;
    route.path = row.path;
    route.priority = row.priority;
    routes.push_back(route);
  }
  const auto routers = HttpOf(routes)["routers"];
  for (const auto& row : rows) {
    EXPECT_EQ(routers[Cat(row.instance, "-http")].Int("priority"), row.wanted) << row.instance;
  }
}

TEST(RenderRoute, KeepsPrioritiesBelowTheChallenges) {
  Route top = Plain("a");
  top.priority = 999'999;
  EXPECT_NO_THROW(TextOf({top}));
  Route twin = Plain("b");
  twin.priority = 999'999;
  EXPECT_THROW(TextOf({top, twin}), Error);
}

TEST(RenderRoute, NamesNoTwoThingsTheSame) {
  std::vector<Route> routes;
  for (const char* instance : {"a", "a-http", "a-https", "certwright-acme", "certwright-to"}) {
    Route route = Plain(instance);
    route.http2https = route.skip_cert_verify = true;
    routes.push_back(route);
  }
  const auto http = HttpOf(routes);
  for (const char* map : {"routers", "middlewares", "services"}) {
    std::set<std::string> names;
    for (const auto& [name, value] : http[map].Fields()) {
      EXPECT_TRUE(names.insert(name).second) << map << " " << name;
    }
  }
}

}  // namespace
}  // namespace certwright::traefik
