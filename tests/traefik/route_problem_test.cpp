#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "certwright/base/text.h"
#include "certwright/traefik/routes.h"

namespace certwright::traefik {
namespace {

using model::Route;
using ::testing::HasSubstr;

Route Good() {
  Route route;
  route.instance = "mail1-webmail.x_y";
  route.url = "http://127.0.0.1:20001";
  route.host = "mail.example.org";
  route.path = "/webmail";
  route.priority = 7;
  route.ip_allowlist = {"192.0.2.1", "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0", "::/0"};
  route.request_headers = {{"X-Script-Name", "/webmail"}, {"Accept-Encoding", ""}};
  route.response_headers = {{"X-Frame-Options", "it's \"quoted\" {{ and ${HOME}\t\xc3\xa4"}};
  route.forward_auth = {"https://auth.example.org/verify?x=%20", true, {"X-User"}};
  return route;
}

TEST(ProblemOf, FindsNoneWhereAllIsWell) {
  EXPECT_FALSE(ProblemOf(Good()));
  const std::pair<const char*, std::function<void(Route&)>> rows[] = {
      {"no host", [](Route& r) { r.host = ""; }},
      {"no path", [](Route& r) { r.path = ""; }},
      {"everything", [](Route& r) { r.host = "", r.path = "/"; }},
      {"wildcard", [](Route& r) { r.host = "*.example.org"; }},
      {"Unicode", [](Route& r) { r.host = "b\xc3\xbc" "cher.example.org"; }},
      {"address", [](Route& r) { r.host = "192.0.2.1"; }},
      {"localhost", [](Route& r) { r.host = "localhost"; }},
      {"path ends with a slash", [](Route& r) { r.path = "/a/b/"; }},
      {"path with all that may be", [](Route& r) { r.path = "/-._~!$&'()*+,;=:@/..x"; }},
      {"lowest priority", [](Route& r) { r.priority = 0; }},
      {"highest priority", [](Route& r) { r.priority = 899'999; }},
      {"URL by name", [](Route& r) { r.url = "https://back_end:8443/base"; }},
      {"URL with IPv6", [](Route& r) { r.url = "http://[::1]:80"; }},
      {"name of an odd header", [](Route& r) { r.request_headers = {{"a`!#$%&'*+.^_|~", "x"}}; }},
  };
  for (const auto& [name, change] : rows) {
    SCOPED_TRACE(name);
    Route route = Good();
    change(route);
    const auto problem = ProblemOf(route);
    EXPECT_FALSE(problem) << problem->field << ": " << problem->words;
  }
}

struct Row {
  const char* name;
  std::function<void(Route&)> change;
  const char* field;
  const char* words;
};

void ExpectRefused(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Route route = Good();
    row.change(route);
    const auto problem = ProblemOf(route);
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->field, row.field);
    EXPECT_THAT(problem->words, HasSubstr(row.words));
  }
}

TEST(ProblemOf, RefusesNamesAndPaths) {
  ExpectRefused({
      {"no instance", [](Route& r) { r.instance = ""; }, "instance", "empty"},
      {"hidden", [](Route& r) { r.instance = "_x"; }, "instance", "is no name"},
      {"provider", [](Route& r) { r.instance = "x@file"; }, "instance", "is no name"},
      {"above", [](Route& r) { r.instance = "../x"; }, "instance", "is no name"},
      {"long", [](Route& r) { r.instance.assign(256, 'x'); }, "instance", "longer than 255"},
      {"neither", [](Route& r) { r.host = r.path = ""; }, "host", "neither a host nor a path"},
      {"backtick", [](Route& r) { r.host = "a`.example.org"; }, "host", "may not stand"},
      {"two dots", [](Route& r) { r.host = "a..example.org"; }, "host", "between two dots"},
      {"one label", [](Route& r) { r.host = "router"; }, "host", "no dot"},
      {"IPv6", [](Route& r) { r.host = "2001:db8::1"; }, "host", "IPv6"},
      {"relative", [](Route& r) { r.path = "x"; }, "path", "does not begin with /"},
      {"long path", [](Route& r) { r.path = "/" + std::string(2048, 'x'); }, "path", "longer"},
      {"encoded", [](Route& r) { r.path = "/a%20b"; }, "path", "holds a character"},
      {"query", [](Route& r) { r.path = "/a?b"; }, "path", "holds a character"},
      {"parent", [](Route& r) { r.path = "/a/../b"; }, "path", "has a . or .."},
      {"at the end", [](Route& r) { r.path = "/a/."; }, "path", "has a . or .."},
      {"two slashes", [](Route& r) { r.path = "/a//b"; }, "path", "nothing between"},
      {"negative", [](Route& r) { r.priority = -1; }, "priority", "not between 0 and 899999"},
      {"too high", [](Route& r) { r.priority = 900'000; }, "priority", "not between"},
  });
}

TEST(ProblemOf, RefusesAddresses) {
  ExpectRefused({
      {"no URL", [](Route& r) { r.url = ""; }, "url", "no usable URL"},
      {"other scheme", [](Route& r) { r.url = "file:///etc/passwd"; }, "url",
       "neither http:// nor https://"},
      {"no host", [](Route& r) { r.url = "http:///x"; }, "url", "no host"},
      {"password", [](Route& r) { r.url = "http://u:p@h"; }, "url", "user information"},
      {"long URL", [](Route& r) { r.url = "http://h/" + std::string(2048, 'x'); }, "url", "longer"},
      {"template", [](Route& r) { r.url = "http://h/{{env}}"; }, "url", "may not stand in a URL"},
      {"escape", [](Route& r) { r.url = "http://h/%zz"; }, "url", "may not stand in a URL"},
      {"half an escape", [](Route& r) { r.url = "http://h/%2"; }, "url", "may not stand in a URL"},
      {"auth", [](Route& r) { r.forward_auth->address = "x"; }, "forward_auth.address", "absolute"},
  });
  for (const char* network :
       {"", "x", "192.0.2.256", "192.0.2.1/33", "192.0.2.1/", "192.0.2.1/+8", "192.0.2.1/08",
        "192.0.2.0/24/24", "2001:db8::/129", "fe80::1%eth0", "[::1]", " 192.0.2.1", "010.0.0.1",
        "192.0.2.1-192.0.2.9", "a.example.org", "0.0.0.0"}) {
    SCOPED_TRACE(network);
    Route route = Good();
    route.ip_allowlist = {"192.0.2.1", network};
    const auto problem = ProblemOf(route);
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->field, "ip_allowlist");
  }
}

TEST(ProblemOf, RefusesHeaders) {
  using namespace std::string_literals;
  for (const std::string& name : {""s, "a b"s, "a:"s, "a\n"s, "a\0"s, "(a)"s, "{{a}}"s, "a@b"s,
                                  "\xc3\xa4"s, std::string(256, 'x'), std::string(1 << 20, 'x')}) {
    SCOPED_TRACE(Printable(name, 20));
    Route route = Good();
    route.request_headers = {{name, "x"}};
    ASSERT_TRUE(ProblemOf(route));
    EXPECT_EQ(ProblemOf(route)->field, "headers.request");
    EXPECT_LT(ProblemOf(route)->words.size(), 300U);
    route = Good();
    route.forward_auth->auth_response_headers = {name};
    ASSERT_TRUE(ProblemOf(route));
    EXPECT_EQ(ProblemOf(route)->field, "forward_auth.auth_response_headers");
  }
  for (const std::string& value :
       {"a\nb"s, "a\rb"s, "a\0b"s, "\x7f"s, "\x1b[31m"s, "\xff"s, std::string(8 * 1024 + 1, 'x')}) {
    Route route = Good();
    route.response_headers = {{"X-A", value}};
    ASSERT_TRUE(ProblemOf(route));
    EXPECT_EQ(ProblemOf(route)->field, "headers.response");
    EXPECT_THAT(ProblemOf(route)->words, HasSubstr("X-A"));
  }
  ExpectRefused({{"twice", [](Route& r) { r.request_headers = {{"X-A", "1"}, {"x-a", "2"}}; },
                  "headers.request", "there twice"}});
}

}  // namespace
}  // namespace certwright::traefik
