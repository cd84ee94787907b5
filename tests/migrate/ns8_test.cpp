#include <filesystem>

#include "certwright/crypto/certificate.h"
#include "certwright/migrate/document.h"
#include "fixture.h"

namespace certwright::migrate {
namespace {

using testing::kData;
using testing::kLater;
using testing::kNow;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Tree StateDirectory() {
  Tree tree = ReadTree(kData / "ns8", {"", "configs"}, {".yml", ".yaml", "environment"});
  tree.merge(ReadTree(kData / "ns8", {"manual_flags"}, {""}));
  tree["acme/acme.json"] = testing::AcmeJson();
  const auto shop =
      crypto::SelfSigned(model::ParseIdentifiers({"shop.example.org"}), kNow - 100, kLater);
  tree["custom_certificates/shop.example.org.crt"] = Secret(shop.chain_pem);
  tree["custom_certificates/shop.example.org.key"] = shop.key_pem;
  return tree;
}

json::Value RouteOf(const Found& found, const std::string& instance) {
  for (const FoundRoute& route : found.routes) {
    if (route.request.String("instance") == instance) return route.request;
  }
  ADD_FAILURE() << "no route " << instance;
  return {};
}

json::Value Parsed(const char* text) { return json::Parse(text); }

TEST(ReadNs8Traefik, FindsRoutesAsTheyWereAskedFor) {
  const Found found = ReadNs8Traefik(StateDirectory(), {});
  EXPECT_THAT(found.routes, SizeIs(3));
  EXPECT_EQ(RouteOf(found, "web1"), Parsed(R"({"instance": "web1", "url": "http://127.0.0.1:20010",
      "host": "tr-c.example.org", "lets_encrypt": true, "http2https": true,
      "skip_cert_verify": false, "user_created": false})"));
  EXPECT_EQ(RouteOf(found, "root3"), Parsed(R"({"instance": "root3",
      "url": "http://127.0.0.1:20012", "path": "/", "lets_encrypt": false, "http2https": false,
      "skip_cert_verify": false, "user_created": false})"));
  EXPECT_EQ(RouteOf(found, "app2"), Parsed(R"({"instance": "app2",
      "url": "https://127.0.0.1:20011/base", "host": "app.example.org", "path": "/foo",
      "lets_encrypt": false, "http2https": false, "skip_cert_verify": true, "user_created": true,
      "priority": 77, "ip_allowlist": ["192.0.2.0/24", "2001:db8::/32"], "slash_redirect": true,
      "strip_prefix": true,
      "forward_auth": {"address": "https://127.0.0.1:9000/check", "skip_tls_verify": true,
                       "auth_response_headers": ["X-User", "X-Groups"]},
      "headers": {"request": {"X-Forwarded-Proto": "https", "X-Gone": "", "X-Number": "7"},
                  "response": {"X-Frame-Options": "DENY: 'no'"}}})"));
}

TEST(ReadNs8Traefik, FindsCertificatesUploadsAndSettings) {
  const Found found = ReadNs8Traefik(StateDirectory(), {});
  EXPECT_THAT(found.certificates, SizeIs(2));
  EXPECT_THAT(found.accounts, SizeIs(2));
  EXPECT_EQ(found.accounts.at(0).directory, "https://127.0.0.1:23827/dir");
  ASSERT_THAT(found.uploads, SizeIs(1));
  EXPECT_EQ(found.uploads[0].from, "custom_certificates/shop.example.org.crt");
  EXPECT_EQ(found.settings.acme_url, "https://127.0.0.1:23827/dir");
  EXPECT_EQ(found.settings.acme_email, "admin@example.org");
  EXPECT_THAT(found.settings.trusted_proxies, ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_EQ(found.settings.proxies_depth, 2);
  EXPECT_THAT(found.settings.default_names, ElementsAre("tr-a.example.org", "tr-b.example.org"));
  EXPECT_THAT(found.left_out, ElementsAre(LeftOut{"configs/by_hand.yml",
                                                  "it has no routers that set-route writes"}));
}

TEST(ReadNs8Traefik, LeavesOutWhatItDoesNotUnderstand) {
  struct Row {
    const char* name;
    const char* from;  // in the text of app2.yml
    const char* to;
    const char* says;
  };
  const std::string good = StateDirectory().at("configs/app2.yml").Reveal();
  for (const Row& row :
       {Row{"another rule", "Host(`app.example.org`)", "HostRegexp(`.+`)", "its rule is not one"},
        Row{"more in the rule", "PathPrefix(`/foo/`))", "PathPrefix(`/foo/`)) && Method(`GET`)",
            "its rule is not one"},
        Row{"another middleware", "stripPrefix:", "compress:", "its middleware app2-stripprefix"},
        Row{"no server", "servers:", "others:", "no server"},
        Row{"no YAML", "http:", "http: [", "it is no YAML"},
        Row{"an alias", "servers:", "anchor: &a {}\n        other: *a\n        servers:", "alias"},
        Row{"doubled key", "servers:", "servers: 1\n        servers:", "doubled"}}) {
    Tree tree = StateDirectory();
    tree.erase("acme/acme.json");
    std::string text = good;
    for (std::size_t at = text.find(row.from); at != std::string::npos;
         at = text.find(row.from, at + std::string_view(row.to).size())) {
      text.replace(at, std::string_view(row.from).size(), row.to);
    }
    tree["configs/app2.yml"] = Secret(text);
    const Found found = ReadNs8Traefik(tree, {});
    EXPECT_THAT(found.routes, SizeIs(2)) << row.name;
    ASSERT_THAT(found.left_out, SizeIs(2)) << row.name;
    EXPECT_EQ(found.left_out[0].from, "configs/app2.yml");
    EXPECT_THAT(found.left_out[0].why, HasSubstr(row.says)) << row.name;
  }
}

TEST(ReadNs8Traefik, ReadsTheRestWhereOneFileIsBroken) {
  Tree tree = StateDirectory();
  tree["traefik.yaml"] = Secret("entryPoints: [");
  tree["acme/acme.json"] = Secret("{");
  tree.erase("custom_certificates/shop.example.org.key");
  tree["configs/_default_cert.yml"] = Secret("");
  const Found found = ReadNs8Traefik(tree, {});
  EXPECT_THAT(found.routes, SizeIs(3));
  EXPECT_THAT(found.uploads, IsEmpty());
  EXPECT_THAT(found.settings.default_names, IsEmpty());
  std::vector<std::string> from;
  for (const LeftOut& entry : found.left_out) from.push_back(entry.from);
  EXPECT_THAT(from, ElementsAre("traefik.yaml", "acme/acme.json", "configs/by_hand.yml",
                                "custom_certificates/shop.example.org.crt"));
  EXPECT_THAT(ReadNs8Traefik({}, {}).left_out, IsEmpty());
}

}  // namespace
}  // namespace certwright::migrate
