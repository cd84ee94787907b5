// Against servers on loopback and a resolver in memory.
#include "certwright/probe/challenge_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "../http/test_server.h"
#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::probe {
namespace {

using http::test::Peer;
using http::test::TestServer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class Zone : public Resolver {
 public:
  Addresses LookUpAddresses(const std::string& name, std::stop_token) override {
    const auto found = names.find(name);
    return found == names.end() ? Addresses{DnsStatus::kNothing, {}, ""} : found->second;
  }
  CaaRecords LookUpCaa(const std::string&, std::stop_token) override { return {}; }
  void Has(const std::string& name, std::vector<std::string> addresses) {
    names[name] = {DnsStatus::kFound, std::move(addresses), ""};
  }
  std::map<std::string, Addresses> names;
};

std::string Answer(int status, const std::string& body, const std::string& headers = "") {
  return Cat("HTTP/1.1 ", status, " X\r\nContent-Length: ", body.size(), "\r\n", headers, "\r\n",
             body);
}

class ChallengePath : public ::testing::Test {
 protected:
  // Answers every request with what `reply` makes of its head; it may ask for KeyAuthorization().
  void Serve(std::function<std::string(const std::string& head)> reply) {
    reply_ = std::move(reply);
    server_ = std::make_unique<TestServer>([this](Peer& peer) {
      const std::string head = peer.ReadRequest();
      {
        const std::lock_guard guard(mutex_);
        heads_.push_back(head);
      }
      peer.Write(reply_(head));
    });
    options_.http_port = server_->port();
  }
  void ServeTheToken() {
    Serve([this](const std::string&) { return Answer(200, KeyAuthorization()); });
  }
  std::string KeyAuthorization() {
    const std::lock_guard guard(mutex_);
    return presented_.empty() ? "" : presented_.begin()->second;
  }
  std::vector<Sight> Look(const std::vector<std::string>& names, std::stop_token stop = {}) {
    std::vector<model::Identifier> identifiers;
    for (const std::string& name : names) identifiers.push_back(model::ParseIdentifier(name));
    const Present present = [this](const std::string& token, const std::string& key) {
      const std::lock_guard guard(mutex_);
      presented_[token] = key;
      return std::shared_ptr<void>(nullptr, [this, token](void*) {
        const std::lock_guard lock(mutex_);
        presented_.erase(token);
      });
    };
    const auto sights =
        LookAtChallengePath(identifiers, zone_, present, SystemRandom(), options_, stop);
    EXPECT_TRUE(presented_.empty()) << "withdrawn";
    return sights;
  }
  Sight LookOne(const std::string& name) {
    const std::vector<Sight> sights = Look({name});
    EXPECT_THAT(sights, SizeIs(1));
    return sights.empty() ? Sight{} : sights.front();
  }

  Zone zone_;
  PathOptions options_;
  std::mutex mutex_;
  std::map<std::string, std::string> presented_;
  std::vector<std::string> heads_;
  std::function<std::string(const std::string&)> reply_;
  std::unique_ptr<TestServer> server_;
};

TEST_F(ChallengePath, IsGoodWhereTheTokenIsAnswered) {
  ServeTheToken();
  zone_.Has("a.example.org", {"127.0.0.1"});
  const std::vector<Sight> sights = Look({"a.example.org"});
  EXPECT_EQ(Worst(sights), Verdict::kGood);
  EXPECT_EQ(sights.at(0).address, "127.0.0.1");
  ASSERT_THAT(heads_, SizeIs(1));
  EXPECT_THAT(heads_[0], AllOf(HasSubstr("GET /.well-known/acme-challenge/"),
                               HasSubstr(Cat("Host: a.example.org:", server_->port()))));
}

TEST_F(ChallengePath, TakesBlanksAtTheEnd) {
  Serve([this](const std::string&) { return Answer(200, KeyAuthorization() + " \r\n"); });
  zone_.Has("a.example.org", {"127.0.0.1"});
  EXPECT_EQ(LookOne("a.example.org").verdict, Verdict::kGood);
}

TEST_F(ChallengePath, LooksAtEveryAddressOfEveryName) {
  ServeTheToken();
  zone_.Has("a.example.org", {"127.0.0.1", "127.0.0.2"});
  zone_.Has("b.example.org", {"127.0.0.1"});
  const std::vector<Sight> sights = Look({"a.example.org", "b.example.org", "c.example.org"});
  ASSERT_THAT(sights, SizeIs(4));
  EXPECT_EQ(sights[0].verdict, Verdict::kGood);
  EXPECT_EQ(sights[1].verdict, Verdict::kBad) << "nobody listens there";
  EXPECT_EQ(sights[1].address, "127.0.0.2");
  EXPECT_THAT(sights[1].saw, HasSubstr("refused"));
  EXPECT_NE(sights[1].advice, "");
  EXPECT_EQ(sights[2].verdict, Verdict::kGood);
  EXPECT_EQ(sights[3].verdict, Verdict::kBad);
  EXPECT_THAT(sights[3].saw, HasSubstr("no A and no AAAA"));
  EXPECT_EQ(Worst(sights), Verdict::kBad);
  EXPECT_THAT(Summary(sights), HasSubstr("a.example.org (127.0.0.2): "));
}

TEST_F(ChallengePath, SaysWhatElseIsAnswered) {
  const struct {
    const char* name;
    std::string reply;
    std::string words;
  } kTable[] = {
      {"not found", Answer(404, "no such page\x1b[2J"), "answers 404: \"no such page?[2J\""},
      {"another body", Answer(200, "welcome"), "something else: \"welcome\""},
      {"an empty one", Answer(200, ""), "something else: \"\""},
      {"too much", Answer(200, std::string(20'000, 'x')), "16384"},
      {"no HTTP", "nonsense\r\n\r\n", "127.0.0.1"},
      {"a port of its own", Answer(302, "", "Location: http://a.example.org:9/x\r\n"),
       "no CA follows"},
      {"no location", Answer(302, ""), "no URL that can be followed"},
      {"ftp", Answer(302, "", "Location: ftp://a.example.org/x\r\n"), "URL is not https"},
      {"nowhere", Answer(301, "", "Location: https://gone.example.org/x\r\n"), "no address"},
      {"round and round", Answer(307, "", "Location: /again\r\n"), "more than 10 redirects"},
  };
  zone_.Has("a.example.org", {"127.0.0.1"});
  for (const auto& row : kTable) {
    Serve([&](const std::string&) { return row.reply; });
    options_.https_port = options_.http_port + 1;
    if (std::string_view(row.name) == "nowhere") options_.https_port = 443;
    const Sight sight = LookOne("a.example.org");
    EXPECT_EQ(sight.verdict, Verdict::kBad) << row.name;
    EXPECT_THAT(sight.saw, HasSubstr(row.words)) << row.name;
    EXPECT_NE(sight.advice, "") << row.name;
  }
}

TEST_F(ChallengePath, FollowsToHttpsWithoutALookAtTheCertificate) {
  const http::test::Identity identity = http::test::Issue("other.example.net", "DNS:other.example.net");
  TestServer secure(
      [this](Peer& peer) {
        peer.ReadRequest();
        peer.Write(Answer(200, KeyAuthorization()));
      },
      &identity);
  options_.https_port = secure.port();
  Serve([&](const std::string& head) {
    const std::size_t from = head.find(' ') + 1;
    return Answer(301, "", Cat("Location: https://a.example.org:", secure.port(),
                               head.substr(from, head.find(' ', from) - from), "\r\n"));
  });
  zone_.Has("a.example.org", {"127.0.0.1"});
  const Sight sight = LookOne("a.example.org");
  EXPECT_EQ(sight.verdict, Verdict::kGood) << sight.saw;
}

TEST_F(ChallengePath, FollowsToAnotherHostAndToARelativePath) {
  Serve([&](const std::string& head) {
    if (head.find("GET /.well-known") == 0) {
      return Answer(302, "", Cat("Location: http://b.example.org:", server_->port(), "/x\r\n"));
    }
    if (head.find("GET /x") == 0) return Answer(308, "", "Location: /y\r\n");
    return Answer(200, KeyAuthorization());
  });
  zone_.Has("a.example.org", {"127.0.0.1"});
  zone_.Has("b.example.org", {"127.0.0.1"});
  const Sight sight = LookOne("a.example.org");
  EXPECT_EQ(sight.verdict, Verdict::kGood) << sight.saw;
  EXPECT_THAT(heads_.back(), HasSubstr("Host: b.example.org"));
}

TEST_F(ChallengePath, DoesNotKnowWhereDnsFails) {
  ServeTheToken();
  zone_.names["a.example.org"] = {DnsStatus::kFailed, {}, "SERVFAIL"};
  zone_.names["b.example.org"] = {DnsStatus::kFound, {"127.0.0.1"}, "the AAAA records: SERVFAIL"};
  for (const char* name : {"a.example.org", "b.example.org"}) {
    const std::vector<Sight> sights = Look({name});
    EXPECT_EQ(Worst(sights), Verdict::kUnknown) << name;
    EXPECT_THAT(Summary(sights), HasSubstr("SERVFAIL")) << name;
  }
}

TEST_F(ChallengePath, IsBoundInTimeAndCanBeStopped) {
  server_ = std::make_unique<TestServer>([](Peer& peer) {
    peer.ReadRequest();
    peer.Drip(std::string(10'000, 'x'), 20);
  });
  options_.http_port = server_->port();
  options_.timeout = Millis(200);
  zone_.Has("a.example.org", {"127.0.0.1"});
  EXPECT_EQ(LookOne("a.example.org").verdict, Verdict::kBad);
  options_.timeout = std::chrono::minutes(10);
  std::stop_source stop;
  std::jthread later([&] {
    std::this_thread::sleep_for(Millis(50));
    stop.request_stop();
  });
  EXPECT_EQ(Worst(Look({"a.example.org"}, stop.get_token())), Verdict::kUnknown);
}

TEST_F(ChallengePath, OfAnAddressNeedsNoDns) {
  ServeTheToken();
  EXPECT_EQ(LookOne("127.0.0.1").verdict, Verdict::kGood);
}

TEST_F(ChallengePath, OfAWildcardIsNotKnown) {
  EXPECT_EQ(LookOne("*.example.org").verdict, Verdict::kUnknown);
}

TEST_F(ChallengePath, IsNotKnownWhereTheTokenCannotBePresented) {
  const Present fails = [](const std::string&, const std::string&) -> std::shared_ptr<void> {
    throw Error(FailureCode::kConfig, "the address is in use");
  };
  const auto sights = LookAtChallengePath({model::ParseIdentifier("a.example.org")}, zone_, fails,
                                          SystemRandom(), options_, {});
  EXPECT_EQ(Worst(sights), Verdict::kUnknown);
  EXPECT_THAT(Summary(sights), HasSubstr("in use"));
}

TEST(Worst, OfNothingIsNotKnown) { EXPECT_EQ(Worst({}), Verdict::kUnknown); }

}  // namespace
}  // namespace certwright::probe
