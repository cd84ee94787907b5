#include "certwright/issue/authorities.h"

#include <gmock/gmock.h>

#include <thread>

#include "fixture.h"

namespace certwright::issue {
namespace {

class Silent : public http::Transport {
 public:
  http::Response Send(const http::Request&, std::stop_token) override { return {}; }
};

class AuthoritiesTest : public testing::Test {
 protected:
  struct Ca {
    Ca(const std::string& url, store::Database& database, Clock& clock)
        : client(url, transport, clock), accounts(database, client, nullptr, clock) {}
    Authority authority() { return {client, accounts, {}, {}}; }
    Silent transport;
    acme::Client client;
    AccountKeeper accounts;
  };

  TempDir temp_;
  std::unique_ptr<store::Database> database_ = store::Database::Open(temp_.path() / "state");
  Ca a_{"https://a.test/dir", *database_, SystemClock()};
  Ca b_{"https://b.test/dir", *database_, SystemClock()};
};

TEST_F(AuthoritiesTest, ReplacedOnesAreNoLongerFoundButStayGood) {
  Authorities authorities({a_.authority()});
  const Authority& before = authorities.Primary();
  const std::vector<const Authority*> all = authorities.all();
  authorities.Replace({b_.authority(), a_.authority()});
  EXPECT_EQ(authorities.Primary().directory(), "https://b.test/dir");
  EXPECT_NE(authorities.Find("https://a.test/dir"), nullptr);
  authorities.Replace({b_.authority()});
  EXPECT_EQ(authorities.Find("https://a.test/dir"), nullptr);
  EXPECT_EQ(before.directory(), "https://a.test/dir");
  EXPECT_EQ(all.front(), &before);
}

TEST_F(AuthoritiesTest, AreReplacedWhileOthersLook) {
  Authorities authorities({a_.authority()});
  std::jthread replacing([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      authorities.Replace({b_.authority(), a_.authority()});
      authorities.Replace({a_.authority()});
    }
  });
  for (int i = 0; i < 1000; ++i) {
    const Authority* found = authorities.Find("https://a.test/dir");
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(found->directory(), "https://a.test/dir");
    ASSERT_GE(authorities.all().size(), 1u);
    ASSERT_FALSE(authorities.Primary().directory().empty());
  }
}

}  // namespace
}  // namespace certwright::issue
