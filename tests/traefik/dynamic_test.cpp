#include "certwright/traefik/dynamic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/json/value.h"

namespace certwright::traefik {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

DynamicConfiguration Sample() {
  DynamicConfiguration configuration;
  configuration.generation = "0123456789abcdef";
  configuration.challenge_url = "http://127.0.0.1:9180";
  configuration.certificates = {{"/pem/1-1.crt", "/pem/1-1.key"}, {"/pem/2-5.crt", "/pem/2-5.key"}};
  configuration.default_certificate = {"/pem/default-0.crt", "/pem/default-0.key"};
  return configuration;
}

// The paths of all members that are empty objects.
void EmptyObjects(const json::Value& value, const std::string& path,
                  std::vector<std::string>& found) {
  if (value.IsObject() && value.Fields().empty()) found.push_back(path);
  for (const auto& [key, member] : value.Fields()) EmptyObjects(member, Cat(path, "/", key), found);
  for (const auto& item : value.Items()) EmptyObjects(item, path + "[]", found);
}

TEST(Render, LeadsChallengesToTheResponderOnBothEntrypoints) {
  auto configuration = Sample();
  configuration.http_entrypoint = "web";
  configuration.https_entrypoint = "websecure";
  const auto document = json::Parse(Render(configuration));
  const auto& routers = document["http"]["routers"];
  const std::pair<const char*, const char*> rows[] = {{"certwright-acme", "web"},
                                                      {"certwright-acme-tls", "websecure"}};
  for (const auto& [name, entrypoint] : rows) {
    SCOPED_TRACE(name);
    const auto& router = routers[name];
    EXPECT_EQ(router.Strings("entryPoints"), std::vector<std::string>{entrypoint});
    EXPECT_EQ(router.String("rule"), "PathPrefix(`/.well-known/acme-challenge/`)");
    EXPECT_EQ(router.Int("priority"), 1'000'000);
    EXPECT_EQ(router.String("service"), "certwright-acme");
  }
  EXPECT_FALSE(routers["certwright-acme"].Has("tls"));
  EXPECT_TRUE(routers["certwright-acme-tls"].Has("tls"));
  const auto& balancer = document["http"]["services"]["certwright-acme"]["loadBalancer"];
  EXPECT_EQ(balancer["servers"].Items().at(0).String("url"), "http://127.0.0.1:9180");
}

TEST(Render, NamesTheGenerationByAMiddleware) {
  const auto document = json::Parse(Render(Sample()));
  EXPECT_TRUE(document["http"]["middlewares"].Has(MarkerName("0123456789abcdef")));
}

TEST(Render, ListsCertificatesInTheGivenOrderAndTheDefault) {
  const auto tls = json::Parse(Render(Sample()))["tls"];
  ASSERT_EQ(tls["certificates"].Items().size(), 2U);
  EXPECT_EQ(tls["certificates"].Items()[0].String("certFile"), "/pem/1-1.crt");
  EXPECT_EQ(tls["certificates"].Items()[1].String("keyFile"), "/pem/2-5.key");
  EXPECT_EQ(tls["stores"]["default"]["defaultCertificate"].String("certFile"),
            "/pem/default-0.crt");
}

TEST(Render, HoldsNoEmptyObjectButTheTwinsTls) {
  for (const bool certificates : {true, false}) {
    auto configuration = Sample();
    if (!certificates) configuration.certificates.clear();
    std::vector<std::string> found;
    EmptyObjects(json::Parse(Render(configuration)), "", found);
    EXPECT_EQ(found, std::vector<std::string>{"/http/routers/certwright-acme-tls/tls"});
  }
}

TEST(Render, KeepsHostileTextsInsideTheirStrings) {
  struct Row {
    const char* name;
    std::string text;
    std::string written;
  };
  const Row rows[] = {
      {"template", "{{ env \"HOME\" }}", "\\u007b\\u007b env \\\"HOME\\\" }}"},
      {"backslash", "a\\b", "a\\\\b"},
      {"newline", "a\nb", "a\\u000ab"},
      {"delete", "a\x7f", "a\\u007f"},
      {"C1 control", "a\xc2\x85z", "a\\u0085z"},
      {"line separator", "a\xe2\x80\xa8z", "a\\u2028z"},
      {"byte order mark", "a\xef\xbb\xbfz", "a\\ufeffz"},
      {"noncharacter", "a\xef\xbf\xbez", "a\\ufffez"},
      {"umlaut stays raw", "\xc3\xa4", "\xc3\xa4"},
      {"emoji stays raw", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
      {"slash stays raw", "a/b", "a/b"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    auto configuration = Sample();
    configuration.certificates = {{row.text, "k"}};
    const std::string text = Render(configuration);
    EXPECT_THAT(text, HasSubstr("\"certFile\": \"" + row.written + "\""));
    EXPECT_THAT(text, Not(HasSubstr("{{")));
    // And it still says what was meant.
    EXPECT_EQ(json::Parse(text)["tls"]["certificates"].Items().at(0).String("certFile"), row.text);
  }
}

TEST(Render, RefusesWhatCannotBeWritten) {
  auto configuration = Sample();
  configuration.certificates = {{"/pem/\xff", "k"}};
  EXPECT_THROW(Render(configuration), Error);
  for (const char* generation : {"", "A", "a b", "a@file"}) {
    configuration = Sample();
    configuration.generation = generation;
    EXPECT_THROW(Render(configuration), Error) << generation;
  }
}

TEST(Render, GivesTheSameBytesForTheSameInput) { EXPECT_EQ(Render(Sample()), Render(Sample())); }

}  // namespace
}  // namespace certwright::traefik
