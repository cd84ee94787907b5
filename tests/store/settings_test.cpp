#include "certwright/store/settings.h"

#include "store_fixture.h"

namespace certwright::store {
namespace {

class Settings : public StoreTest {
 protected:
  // "routes-changed proxies"; "" where there is none.
  std::string LastEventText() {
    const auto events = database().Read(
        [&](Session& session) { return ListEvents(session, LastEvent(session) - 1, 1); });
    return events.empty() ? "" : events.back().name + " " + events.back().reason;
  }
};

TEST_F(Settings, AcmeServerIsTheConfigurationsUntilOneIsSet) {
  const AcmeServer server{"https://ca.example/dir", "", "TLS-ALPN-01"};
  database().Write([&](Session& session) {
    EXPECT_EQ(FindAcmeServer(session), std::nullopt);
    SaveAcmeServer(session, {"https://old.example/dir", "a@example.org", "HTTP-01"}, 1000);
    SaveAcmeServer(session, server, 2000);
  });
  Close();
  database().Write([&](Session& session) {
    EXPECT_EQ(FindAcmeServer(session), server);
    DeleteAcmeServer(session);
    EXPECT_EQ(FindAcmeServer(session), std::nullopt);
  });
}

TEST_F(Settings, TrustedProxiesAreToldWhenTheyChange) {
  const TrustedProxies trusted{{"192.0.2.1", "2001:db8::1"}, 2};
  const auto save = [&](const TrustedProxies& wanted) {
    return database().Write(
        [&](Session& session) { return SaveTrustedProxies(session, wanted, 1000); });
  };
  EXPECT_EQ(save({}), 0);
  EXPECT_GT(save(trusted), 0);
  EXPECT_EQ(LastEventText(), "routes-changed proxies");
  EXPECT_EQ(save(trusted), 0);
  EXPECT_EQ(database().Read([](Session& session) { return FindTrustedProxies(session); }), trusted);
  EXPECT_GT(save({}), 0);
  EXPECT_EQ(database().Read([](Session& session) { return FindTrustedProxies(session); }),
            TrustedProxies{});
}

TEST_F(Settings, DefaultNamesKeepTheirOrderAndAreTold) {
  const std::vector<std::string> names{"www.example.org", "example.org"};
  const auto save = [&](const std::vector<std::string>& wanted) {
    return database().Write(
        [&](Session& session) { return SaveDefaultNames(session, wanted, 1000); });
  };
  EXPECT_EQ(save({}), 0);
  EXPECT_GT(save(names), 0);
  EXPECT_EQ(LastEventText(), "default-certificate-changed set");
  EXPECT_EQ(save(names), 0);
  EXPECT_EQ(database().Read([](Session& session) { return FindDefaultNames(session); }), names);
  EXPECT_GT(save({}), 0);
  EXPECT_EQ(LastEventText(), "default-certificate-changed deleted");
  EXPECT_TRUE(database().Read([](Session& session) { return FindDefaultNames(session); }).empty());
}

}  // namespace
}  // namespace certwright::store
