// set-acme-server, set-trusted-proxies and what reads them.
#include "fixture.h"

namespace certwright::actions {
namespace {

class SettingsTest : public ActionsTest {
 protected:
  std::string Get(const std::string& action, const std::string& input = "{}") {
    return json::Write(Output(action, input));
  }
};

TEST_F(SettingsTest, AcmeServerIsShownAndReplaced) {
  for (const char* nothing : {"{}", "", "null", "\"\""}) {
    EXPECT_EQ(Get("get-acme-server", nothing),
              R"({"url":"https://ca.test/directory","email":"admin@example.org",)"
              R"("challenge":"HTTP-01"})");
  }
  const Result set = Run("set-acme-server", R"({"url":"https://b.test/dir","challenge":"TLS-ALPN-01"})");
  EXPECT_EQ(set.exit_code, 0) << set.error;
  EXPECT_FALSE(set.output);
  EXPECT_THAT(set.error, testing::HasSubstr("HTTP-01 all the same"));
  EXPECT_EQ(Get("get-acme-server"),
            R"({"url":"https://b.test/dir","email":"","challenge":"TLS-ALPN-01"})");
  // An omitted challenge is kept, an omitted email is cleared.
  EXPECT_EQ(Run("set-acme-server", R"({"url":"https://c.test/dir","email":"x@example.org"})").exit_code, 0);
  EXPECT_EQ(Get("get-acme-server"),
            R"({"url":"https://c.test/dir","email":"x@example.org","challenge":"TLS-ALPN-01"})");
  EXPECT_EQ(Run("set-acme-server", R"({"url":"https://c.test/dir","challenge":"HTTP-01"})").error, "");
  EXPECT_EQ(Get("get-acme-server"), R"({"url":"https://c.test/dir","email":"","challenge":"HTTP-01"})");
  EXPECT_EQ(ca_.orders, 0);
}

TEST_F(SettingsTest, AcmeServerThatIsNoGoodIsRefused) {
  const struct {
    const char* input;
    const char* error;
  } kTable[] = {
      {R"({})", "(root)_required"},
      {R"({"url":""})", "url_string_gte"},
      {R"({"url":"http://ca.example/dir"})", "url_format"},
      {R"({"url":"https://ca.example/dir","email":"nobody"})", "email_pattern"},
      {R"({"url":"https://ca.example/dir","challenge":"DNS-01"})", "challenge_enum"},
      {R"({"url":"https://ca.example/dir","key":1})", "(root)_additional_property_not_allowed"},
  };
  for (const auto& row : kTable) {
    const Result result = Run("set-acme-server", row.input);
    EXPECT_EQ(result.exit_code, 10) << row.input;
    EXPECT_EQ(OneViolation(result).String("error"), row.error) << row.input;
  }
  EXPECT_EQ(server_.url, kDirectory);
}

TEST_F(SettingsTest, TrustedProxiesHaveADepth) {
  EXPECT_EQ(Get("get-trusted-proxies"), R"({"proxies":[],"depth":0})");
  const struct {
    const char* input;
    const char* shown;
  } kTable[] = {
      {R"({"proxies":["192.0.2.1"]})", R"({"proxies":["192.0.2.1"],"depth":1})"},
      {R"({"proxies":["2001:DB8::0:1"],"depth":3})", R"({"proxies":["2001:db8::1"],"depth":3})"},
      {R"({"proxies":["::1","192.0.2.1","0:0::1"]})",
       R"({"proxies":["::1","192.0.2.1"],"depth":1})"},
      {R"({"proxies":[],"depth":2})", R"({"proxies":[],"depth":0})"},
      {R"({"proxies":[]})", R"({"proxies":[],"depth":0})"},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(Run("set-trusted-proxies", row.input).exit_code, 0) << row.input;
    EXPECT_EQ(Get("get-trusted-proxies", ""), row.shown);
  }
  EXPECT_EQ(Events(), "routes-changed proxies, routes-changed proxies, routes-changed proxies, "
                      "routes-changed proxies");
}

TEST_F(SettingsTest, ProxiesAreAddresses) {
  for (const char* bad : {"192.0.2.0/24", "proxy.example.org", "", "1.2.3", "::g", "192.0.2.1`"}) {
    const json::Value input = json::Value::Object({{"proxies", json::Array{"192.0.2.1", bad}}});
    const Result result = Run("set-trusted-proxies", json::Write(input));
    EXPECT_EQ(result.exit_code, 3) << bad;
    const json::Value violation = OneViolation(result);
    EXPECT_EQ(violation.String("error"), "bad_ip_address") << bad;
    EXPECT_EQ(violation.String("field"), "proxies") << bad;
    EXPECT_EQ(violation.String("value"), bad);
  }
  EXPECT_EQ(Get("get-trusted-proxies"), R"({"proxies":[],"depth":0})");
}

}  // namespace
}  // namespace certwright::actions
