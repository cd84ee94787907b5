#include "routes_fixture.h"

namespace certwright::actions {
namespace {

using Mood = FakeCa::Mood;
using testing::HasSubstr;

class SetRouteTest : public RoutesTest {};

constexpr char kUrl[] = R"("url":"http://127.0.0.1:2000")";

std::string Named(const std::string& rest) { return Cat(R"({"instance":"m1",)", rest, "}"); }

TEST_F(SetRouteTest, RefusesAsTheContractSays) {
  const auto with = [](const std::string& rest) {
    return Named(Cat(kUrl, R"(,"host":"a.example.org",)", rest));
  };
  const struct {
    const char* name;
    std::string input;
    int exit_code;
    const char* field;
    const char* parameter;
    const char* error;
  } kTable[] = {
      {"no instance", Cat("{", kUrl, "}"), 10, "(root)", "(root)", "(root)_required"},
      {"dots", R"({"instance":"../x"})", 10, "instance", "instance", "instance_pattern"},
      {"hidden", R"({"instance":".x"})", 10, "instance", "instance", "instance_pattern"},
      {"underscore", R"({"instance":"_x"})", 10, "instance", "instance", "instance_pattern"},
      {"backtick", R"({"instance":"a`b"})", 10, "instance", "instance", "instance_pattern"},
      {"end of line", R"({"instance":"a\n"})", 10, "instance", "instance", "instance_pattern"},
      {"number as path", with(R"("path":1)"), 10, "path", "path", "path_invalid_type"},
      {"path without slash", with(R"("path":"x")"), 10, "path", "path", "path_pattern"},
      {"text as switch", with(R"("http2https":"yes")"), 10, "http2https", "http2https",
       "http2https_invalid_type"},
      {"negative priority", with(R"("priority":-1)"), 10, "priority", "priority",
       "priority_number_gte"},
      {"unknown kind of headers", with(R"("headers":{"both":{}})"), 10, "headers", "headers",
       "headers_additional_property_not_allowed"},
      {"null as header", with(R"("headers":{"request":{"X-A":null}})"), 10, "headers.request.X-A",
       "headers", "headers_invalid_type"},
      {"address missing", with(R"("forward_auth":{"skip_tls_verify":true})"), 10, "forward_auth",
       "forward_auth", "forward_auth_missing_dependency"},
      {"bad request header", with(R"("headers":{"request":{"X A":"1"}})"), 3, "headers ", "request",
       "headers_name_format_is_not_valid"},
      {"bad response header", with(R"("headers":{"response":{"X:":""}})"), 3, "headers ",
       "response", "headers_name_format_is_not_valid"},
      {"bad header of forward auth",
       with(R"("forward_auth":{"address":"http://127.0.0.1/","auth_response_headers":["a b"]})"), 3,
       "headers ", "auth_response_headers", "headers_name_format_is_not_valid"},
      {"loopback", Named(Cat(kUrl, R"(,"host":"127.0.0.1")")), 2, "host", "host",
       "host_is_not_valid_not_localhost"},
      {"localhost", Named(Cat(kUrl, R"(,"host":"LocalHost")")), 2, "host", "host",
       "host_is_not_valid_not_localhost"},
      {"bad address", with(R"("ip_allowlist":["10.0.0.1","10.0.0.256"])"), 3, "ip_allowlist",
       "ip_allowlist", "bad_ip_address"},
      {"bad network", with(R"("ip_allowlist":["10.0.0.0/33"])"), 3, "ip_allowlist", "ip_allowlist",
       "bad_ip_address"},
      {"no url", Named(R"("host":"a.example.org")"), 4, "url", "url", "missing_url_argument"},
      {"empty url", Named(R"("host":"a.example.org","url":"")"), 4, "url", "url",
       "missing_url_argument"},
      {"neither host nor path", Named(kUrl), 4, "path", "path", "missing_path_argument"},
      {"both cleared", with(R"("path":null)").replace(45, 15, "null"), 4, "path", "path",
       "missing_path_argument"},
      {"host without a dot", Named(Cat(kUrl, R"(,"host":"intranet")")), 10, "host", "host",
       "host_format"},
      {"host with a backtick", Named(Cat(kUrl, R"(,"host":"a.b`) || Path(`/")")), 10, "host",
       "host", "host_format"},
      {"url of another kind", Named(R"("host":"a.example.org","url":"ftp://127.0.0.1/")"), 10,
       "url", "url", "url_format"},
      {"path with a template", with(R"("path":"/{{env}}")"), 10, "path", "path", "path_format"},
      {"line break in a header", with(R"("headers":{"response":{"X-A":"1\nX-B: 2"}})"), 10,
       "headers.response", "headers", "headers_format"},
      {"priority above the challenges", with(R"("priority":1000000)"), 10, "priority", "priority",
       "priority_format"},
      {"forward auth elsewhere", with(R"("forward_auth":{"address":"file:///etc/passwd"})"), 10,
       "forward_auth.address", "forward_auth", "forward_auth_format"},
  };
  for (const auto& row : kTable) {
    const Result result = Run("set-route", row.input);
    EXPECT_EQ(result.exit_code, row.exit_code) << row.name << ' ' << row.input << result.error;
    const json::Value violation = OneViolation(result);
    EXPECT_EQ(violation.String("field"), row.field) << row.name;
    EXPECT_EQ(violation.String("parameter"), row.parameter) << row.name;
    EXPECT_EQ(violation.String("error"), row.error) << row.name;
    EXPECT_TRUE(violation.Has("value")) << row.name;
    EXPECT_TRUE(IsPlain(violation.String("details"))) << row.name;
    EXPECT_EQ(Route("m1"), "{}") << row.name;
  }
  EXPECT_EQ(LastEvent(), 0);
  EXPECT_EQ(ca_.orders, 0);
}

TEST_F(SetRouteTest, TakesWhatTheContractAllows) {
  const struct {
    const char* name;
    std::string rest;
  } kTable[] = {
      {"a name with every character", R"("host":"a.example.org","instance":"9.a-B_c")"},
      {"loopback with a path", R"("host":"127.0.0.1","path":"/a")"},
      {"the root", R"("path":"/")"},
      {"networks", R"("path":"/a","ip_allowlist":["10.0.0.1","10.9.8.7/8","2001:db8::/32","::1"])"},
      {"keys that nobody knows", R"("path":"/a","note":"x")"},
      {"no forward auth", R"("path":"/a","forward_auth":{})"},
      {"without arguments of its own", R"("path":"/a","lets_encrypt_cleanup":true)"},
  };
  for (const auto& row : kTable) {
    std::string input = Named(Cat(kUrl, ",", row.rest));
    if (row.rest.find("instance") != std::string::npos) input = Cat("{", kUrl, ",", row.rest, "}");
    const Result result = Run("set-route", input, "", "routeadm");
    EXPECT_EQ(result.exit_code, 0) << row.name << result.error;
    EXPECT_FALSE(result.output) << row.name;
  }
}

TEST_F(SetRouteTest, MergesEachRequestIntoWhatIsStored) {
  const struct {
    const char* name;
    const char* request;
    const char* route;
  } kTable[] = {
      {"the least", R"("url":"http://127.0.0.1:2000","path":"/Foo//")",
       R"({"instance":"m1","path":"/Foo","url":"http://127.0.0.1:2000","lets_encrypt":false,)"
       R"("http2https":false,"skip_cert_verify":false,"user_created":false,"strip_prefix":false,)"
       R"("slash_redirect":false})"},
      {"a host, its letters lower", R"("host":"Mail.Example.ORG","http2https":true)",
       R"({"instance":"m1","host":"mail.example.org","path":"/Foo","url":"http://127.0.0.1:2000",)"
       R"("lets_encrypt":false,"http2https":true,"skip_cert_verify":false,"user_created":false,)"
       R"("strip_prefix":false,"slash_redirect":false})"},
      {"the path goes, and its switches are kept for another",
       R"("path":null,"strip_prefix":true,"priority":7,"ip_allowlist":["10.0.0.1"],)"
       R"("headers":{"request":{"X-A":"1","X-B":""}},"user_created":true)",
       R"({"instance":"m1","host":"mail.example.org","url":"http://127.0.0.1:2000",)"
       R"("lets_encrypt":false,"http2https":true,"skip_cert_verify":false,"user_created":true,)"
       R"("priority":7,"ip_allowlist":["10.0.0.1"],"headers":{"request":{"X-A":"1","X-B":""}}})"},
      {"lists take the place of lists",
       R"("ip_allowlist":[],"headers":{"response":{"X-C":"3"}},"host":null,"path":"/",)"
       R"("forward_auth":{"address":"http://127.0.0.1:9/a"})",
       R"({"instance":"m1","path":"/","url":"http://127.0.0.1:2000","lets_encrypt":false,)"
       R"("http2https":true,"skip_cert_verify":false,"user_created":true,"strip_prefix":true,)"
       R"("slash_redirect":false,"priority":7,"headers":{"response":{"X-C":"3"}},)"
       R"("forward_auth":{"address":"http://127.0.0.1:9/a","skip_tls_verify":false,)"
       R"("auth_response_headers":[]}})"},
      {"and go away",
       R"("headers":{},"forward_auth":{},"lets_encrypt":true,"skip_cert_verify":true,)"
       R"("http2https":false,"user_created":false,"strip_prefix":false,"priority":0)",
       R"({"instance":"m1","path":"/","url":"http://127.0.0.1:2000","lets_encrypt":true,)"
       R"("http2https":false,"skip_cert_verify":true,"user_created":false,"strip_prefix":false,)"
       R"("slash_redirect":false,"priority":0})"},
      {"an IDN becomes its A-labels", R"("host":"Bücher.example.org","lets_encrypt":false)",
       R"({"instance":"m1","host":"xn--bcher-kva.example.org","path":"/",)"
       R"("url":"http://127.0.0.1:2000","lets_encrypt":false,"http2https":false,)"
       R"("skip_cert_verify":true,"user_created":false,"strip_prefix":false,)"
       R"("slash_redirect":false,"priority":0})"},
  };
  for (const auto& row : kTable) {
    Output("set-route", Named(row.request));
    EXPECT_EQ(Route("m1"), row.route) << row.name;
  }
}

TEST_F(SetRouteTest, TheDefaultPriorityIsNotStored) {
  Output("set-route", Named(Cat(kUrl, R"(,"path":"/a")")));
  Output("set-route", Named(R"("host":"a.example.org")"));
  const auto route = database_->Read(
      [](store::Session& session) { return store::FindRoute(session, "m1"); });
  EXPECT_FALSE(route->priority);
  EXPECT_EQ(model::DefaultPriority(*route), 3);
}

TEST_F(SetRouteTest, AFailedCheckLeavesTheRouteAsItWas) {
  Output("set-route", Named(Cat(kUrl, R"(,"host":"a.example.org")")));
  const std::string before = Route("m1");
  EXPECT_EQ(Run("set-route", Named(R"("http2https":true,"host":"b_c")")).exit_code, 10);
  EXPECT_EQ(Run("set-route", Named(R"("http2https":true,"host":null)")).exit_code, 4);
  EXPECT_EQ(Route("m1"), before);
}

TEST_F(SetRouteTest, TellsAndWaitsForWhatChanged) {
  Output("set-route", Named(Cat(kUrl, R"(,"host":"a.example.org")")));
  EXPECT_EQ(EventsAfter(0), "routes-changed set m1, hosts-changed set a.example.org");
  const std::int64_t seq = LastEvent();
  EXPECT_EQ(delivered_, std::vector<std::int64_t>{seq});
  Output("set-route", Named(R"("host":"A.example.org")"));
  EXPECT_EQ(LastEvent(), seq) << "nothing changed";
  EXPECT_EQ(delivered_, (std::vector<std::int64_t>{seq, seq})) << "but is waited for";
}

TEST_F(SetRouteTest, ATraefikThatDoesNotServeIsNoFailure) {
  deliver_works_ = false;
  const Result result = Run("set-route", Named(Cat(kUrl, R"(,"path":"/a")")));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.error, testing::HasSubstr("Traefik does not serve it yet"));
  EXPECT_NE(Route("m1"), "{}");
  EXPECT_THAT(Run("delete-route", R"({"instance":"m1"})").error, testing::HasSubstr("not serve"));
  EXPECT_THAT(Run("set-trusted-proxies", R"({"proxies":["192.0.2.1"]})").error,
              testing::HasSubstr("not serve"));
}

}  // namespace
}  // namespace certwright::actions
