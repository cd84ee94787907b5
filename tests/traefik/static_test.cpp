#include "certwright/traefik/static.h"

#include <gtest/gtest.h>

#include "certwright/base/error.h"
#include "certwright/json/value.h"

namespace certwright::traefik {
namespace {

TEST(RenderStatic, FitsTheConfigurationAndTheProxies) {
  StaticConfiguration configuration;
  configuration.http_entrypoint = "web";
  configuration.https_entrypoint = "websecure";
  configuration.api = "http://127.0.0.1:9000/";
  configuration.dynamic_dir = "/etc/traefik/dynamic";
  configuration.trusted_proxies = {"192.0.2.9", "2001:db8::1"};
  const auto document = json::Parse(RenderStatic(configuration));
  const auto& entry_points = document["entryPoints"];
  EXPECT_EQ(entry_points["web"].String("address"), ":80");
  EXPECT_EQ(entry_points["websecure"].String("address"), ":443");
  EXPECT_EQ(entry_points["traefik"].String("address"), "127.0.0.1:9000");
  for (const char* name : {"web", "websecure"}) {
    EXPECT_TRUE(entry_points[name].Bool("allowACMEByPass"));
    EXPECT_EQ(entry_points[name]["forwardedHeaders"].Strings("trustedIPs"),
              configuration.trusted_proxies);
  }
  EXPECT_EQ(document["providers"]["file"].String("directory"), "/etc/traefik/dynamic");
  EXPECT_TRUE(document["providers"]["file"].Bool("watch"));
  EXPECT_EQ(document["providers"].String("providersThrottleDuration"), "100ms");
}

TEST(RenderStatic, TrustsNobodyByDefaultAndKeepsTheApiOnLoopback) {
  StaticConfiguration configuration;
  configuration.dynamic_dir = "/d";
  auto document = json::Parse(RenderStatic(configuration));
  EXPECT_FALSE(document["entryPoints"]["http"].Has("forwardedHeaders"));
  EXPECT_EQ(document["entryPoints"]["traefik"].String("address"), "127.0.0.1:8080");
  configuration.api = "http://[::1]:81";
  document = json::Parse(RenderStatic(configuration));
  EXPECT_EQ(document["entryPoints"]["traefik"].String("address"), "[::1]:81");
  configuration.api = "nonsense";
  EXPECT_THROW(RenderStatic(configuration), Error);
}

}  // namespace
}  // namespace certwright::traefik
