#include "certwright/store/routes.h"

#include "store_fixture.h"

namespace certwright::store {
namespace {

class Routes : public StoreTest {
 protected:
  std::int64_t Save(const model::Route& route, UnixSeconds now = 1000) {
    return database().Write([&](Session& session) { return SaveRoute(session, route, now); });
  }
  std::int64_t Delete(const std::string& instance) {
    return database().Write(
        [&](Session& session) { return DeleteRoute(session, instance, 2000); });
  }
  std::optional<model::Route> Find(const std::string& instance) {
    return database().Read([&](Session& session) { return FindRoute(session, instance); });
  }
  // "routes-changed set module1, hosts-changed set a.example.org"
  std::string EventsAfter(std::int64_t seq) {
    std::string text;
    for (const model::Event& event :
         database().Read([&](Session& session) { return ListEvents(session, seq, 100); })) {
      text += (text.empty() ? "" : ", ") + event.name + " " + event.reason + " " + event.names.at(0);
    }
    return text;
  }
  static model::Route WithHost(const std::string& instance, const std::string& host) {
    model::Route route;
    route.instance = instance;
    route.url = "http://127.0.0.1:2000";
    route.host = host;
    return route;
  }
};

model::Route Everything() {
  model::Route route;
  route.instance = "mail1-web";
  route.url = "https://127.0.0.1:2001";
  route.host = "mail.example.org";
  route.path = "/web";
  route.priority = 7;
  route.lets_encrypt = true;
  route.http2https = true;
  route.strip_prefix = true;
  route.slash_redirect = false;
  route.skip_cert_verify = true;
  route.user_created = true;
  route.ip_allowlist = {"10.0.0.0/8", "2001:db8::/32"};
  route.request_headers = {{"X-One", "1"}, {"X-Gone", ""}};
  route.response_headers = {{"X-Text", "a\tb\\c \"d\" {{e}}"}};
  route.forward_auth = {"http://127.0.0.1:9/auth", true, {"X-User", "X-Groups"}};
  return route;
}

TEST_F(Routes, AreReadAsTheyWereSaved) {
  model::Route all = Everything();
  model::Route least;
  least.instance = "a";
  least.path = "/a";
  Save(all);
  Save(least);
  Close();
  all.created_at = all.updated_at = least.created_at = least.updated_at = 1000;
  EXPECT_EQ(Find("mail1-web"), all);
  EXPECT_EQ(Find("a"), least);
  EXPECT_FALSE(Find("MAIL1-web"));
  const auto listed = database().Read([](Session& session) { return ListRoutes(session); });
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0], least);
  EXPECT_EQ(listed[1], all);
}

TEST_F(Routes, ForwardAuthGoesAwayWholly) {
  model::Route route = Everything();
  Save(route);
  route.forward_auth.reset();
  Save(route, 1500);
  const auto found = Find("mail1-web");
  EXPECT_FALSE(found->forward_auth);
  EXPECT_EQ(found->created_at, 1000);
  EXPECT_EQ(found->updated_at, 1500);
}

TEST_F(Routes, TellWhatChangedAndNothingElse) {
  std::int64_t seq = Save(WithHost("one", "a.example.org"));
  EXPECT_EQ(EventsAfter(0), "routes-changed set one, hosts-changed set a.example.org");
  EXPECT_EQ(Save(WithHost("one", "a.example.org"), 3000), 0);
  EXPECT_EQ(EventsAfter(seq), "");
  EXPECT_EQ(Find("one")->updated_at, 1000);

  std::int64_t last = Save(WithHost("two", "a.example.org"));
  EXPECT_EQ(EventsAfter(seq), "routes-changed set two") << "the host was there already";
  seq = last;
  last = Save(WithHost("two", "b.example.org"));
  EXPECT_EQ(EventsAfter(seq), "routes-changed set two, hosts-changed set b.example.org");
  seq = last;
  last = Save(WithHost("two", "c.example.org"));
  EXPECT_EQ(EventsAfter(seq),
            "routes-changed set two, hosts-changed deleted b.example.org, "
            "hosts-changed set c.example.org");
  seq = last;
  last = Save(WithHost("two", ""));
  EXPECT_EQ(EventsAfter(seq), "routes-changed set two, hosts-changed deleted c.example.org");
  seq = last;
  last = Delete("two");
  EXPECT_EQ(EventsAfter(seq), "routes-changed deleted two");
  EXPECT_EQ(Delete("two"), 0);
  seq = last;
  Delete("one");
  EXPECT_EQ(EventsAfter(seq), "routes-changed deleted one, hosts-changed deleted a.example.org");
}

TEST_F(Routes, WantACertificateByAnIndex) {
  for (int i = 0; i < 50; ++i) Save(WithHost("r" + std::to_string(i), "a.example.org"));
  const auto wants = [&](const std::string& host) {
    return database().Read(
        [&](Session& session) { return RouteWantsCertificate(session, host); });
  };
  EXPECT_FALSE(wants("a.example.org"));
  model::Route route = WithHost("with", "a.example.org");
  route.lets_encrypt = true;
  Save(route);
  database().TakeEffort();
  EXPECT_TRUE(wants("a.example.org"));
  EXPECT_EQ(database().TakeEffort().full_scan_steps, 0);
  EXPECT_FALSE(wants("b.example.org"));
}

}  // namespace
}  // namespace certwright::store
