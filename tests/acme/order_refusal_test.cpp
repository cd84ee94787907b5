// Answers that must not be trusted: each ends the order before anything more is sent.
#include "flow_fixture.h"

namespace certwright::acme {
namespace {

using namespace testing;  // NOLINT: the fakes of this directory
using model::OrderState;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Change = std::function<void(http::Response&)>;

Change Set(const std::string& key, const json::Value& value) {
  return [=](http::Response& answer) { SetMember(answer, key, value); };
}
Change Becomes(const http::Response& other) {
  return [=](http::Response& answer) { answer = other; };
}

class OrderRefusalTest : public FlowTest {
 protected:
  void Begin() {
    Reset();
    UseNames(2);
  }
};

struct End {
  const char* name;
  const char* kind;  // the requests whose answers are spoiled, each time
  Change spoil;
  FailureCode code;
  const char* says;
  const char* posts;
};

TEST_F(OrderRefusalTest, AnAnswerThatMustNotBeTrustedEndsTheOrder) {
  using enum FailureCode;
  const json::Value one = json::Value::Object({{"type", "dns"}, {"value", "n1.test"}});
  const json::Value two = json::Value::Object({{"type", "dns"}, {"value", "n2.test"}});
  const json::Value evil = json::Value::Object({{"type", "dns"}, {"value", "evil.test"}});
  const json::Value url = "https://ca.test/authz/0/0";
  const auto challenge = [](const char* type, const char* where, const char* token) {
    return json::Array{json::Value::Object({{"type", type}, {"url", where}, {"token", token}})};
  };
  const char kAsked[] = "newOrder";
  const char kRead[] = "newOrder authz authz";
  const char kPolled[] = "newOrder authz authz challenge challenge order";
  const char kSigned[] = "newOrder authz authz challenge challenge order finalize";
  const End ends[] = {
      {"other names", "newOrder", Set("identifiers", json::Array{one, evil}), kProtocol,
       "other identifiers than asked: evil.test, n1.test", kAsked},
      {"a name more", "newOrder", Set("identifiers", json::Array{one, two, evil}), kProtocol,
       "other identifiers than asked", kAsked},
      {"a name less", "newOrder", Set("identifiers", json::Array{one}), kProtocol,
       "other identifiers than asked: n1.test", kAsked},
      {"no authorizations", "newOrder", Set("authorizations", json::Array{}), kProtocol,
       "without authorizations", kAsked},
      {"an authorization more", "newOrder", Set("authorizations", json::Array{url, url, url}),
       kProtocol, "3 authorizations for 2 names", kAsked},
      {"ten thousand authorizations", "newOrder",
       Set("authorizations", json::Array(10'000, "https://ca.test/a")), kProtocol,
       "10000 authorizations", kAsked},
      {"no finalize", "newOrder", Set("finalize", nullptr), kProtocol, "finalize", kAsked},
      {"finalize over http", "newOrder", Set("finalize", "http://ca.test/f"), kProtocol,
       "not https", kAsked},
      {"no URL", "newOrder", [](http::Response& answer) { answer.headers.clear(); }, kProtocol,
       "without its URL", kAsked},
      {"its URL over http", "newOrder",
       [](http::Response& answer) {
         answer.headers = {{"location", "http://ca.test/order/0"}};
       },
       kProtocol, "not https", kAsked},
      {"an unknown status", "newOrder", Set("status", "great"), kProtocol, "'great'", kAsked},
      {"revoked from the start", "newOrder", Set("status", "revoked"), kProtocol, "'revoked'",
       kAsked},
      {"a name refused", "newOrder", Becomes(ProblemAnswer(403, "rejectedIdentifier", "not this")),
       kRefused, "rejectedIdentifier: not this", kAsked},
      {"a redirect", "newOrder", Becomes({302, {{"location", "https://ca.test/x"}}, ""}), kProtocol,
       "302", kAsked},
      {"another name's authorization", "authz", Set("identifier", evil), kProtocol, "evil.test",
       kRead},
      {"the same authorization twice", "authz", Set("identifier", one), kProtocol,
       "two authorizations for n1.test", kRead},
      {"a wildcard's authorization", "authz", Set("wildcard", true), kProtocol, "another name",
       kRead},
      {"an expired authorization", "authz", Set("status", "expired"), kRefused, "is expired",
       kRead},
      {"a deactivated authorization", "authz", Set("status", "deactivated"), kRefused,
       "is deactivated", kRead},
      {"an authorization with no known status", "authz", Set("status", "soon"), kProtocol, "'soon'",
       kRead},
      {"no HTTP-01", "authz", Set("challenges", challenge("dns-01", "https://ca.test/c", "t")),
       kRefused, "no HTTP-01 challenge for n1.test (it offers dns-01)", kRead},
      {"a token that is a path", "authz",
       Set("challenges", challenge("http-01", "https://ca.test/c", "../../../../etc/passwd")),
       kProtocol, "base64url", kRead},
      {"a challenge over http", "authz",
       Set("challenges", challenge("http-01", "http://ca.test/c", "0123456789abcdefABCDEF")),
       kProtocol, "not https", kRead},
      {"other names at a poll", "order", Set("identifiers", json::Array{one, evil}), kProtocol,
       "other identifiers", kPolled},
      {"an unknown status at a poll", "order", Set("status", "READY"), kProtocol, "'READY'",
       kPolled},
      {"no status at a poll", "order", Set("status", nullptr), kProtocol, "without a status",
       kPolled},
      {"deactivated at a poll", "order", Set("status", "deactivated"), kProtocol, "'deactivated'",
       kPolled},
      {"valid without a certificate", "order", Set("status", "valid"), kProtocol,
       "without a certificate URL", kPolled},
      {"an account that is gone", "order",
       Becomes(ProblemAnswer(400, "accountDoesNotExist", "who?")), kRefused, "who?", kPolled},
      {"back to pending at finalize", "finalize", Set("status", "pending"), kProtocol,
       "went back to 'pending'", kSigned},
      {"a CSR refused", "finalize", Becomes(ProblemAnswer(400, "badCSR", "weak")), kRefused,
       "badCSR: weak", kSigned},
      {"a certificate over http", "finalize", Set("certificate", "http://ca.test/c"), kProtocol,
       "not https", kSigned},
  };
  for (const End& end : ends) {
    SCOPED_TRACE(end.name);
    Begin();
    Spoil(end.kind, end.spoil);
    const auto failure = Run();
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->code, end.code);
    EXPECT_THAT(failure->detail, HasSubstr(end.says));
    EXPECT_FALSE(failure->transient);
    EXPECT_THAT(failure->identifiers, Not(IsEmpty()));
    EXPECT_EQ(order_.state, OrderState::kFailed);
    EXPECT_EQ(ca().Posts(), end.posts);
    EXPECT_EQ(presenter_->Withdrawn().size(), presenter_->Presented().size());
  }
}

TEST_F(OrderRefusalTest, AStatusMayNotGoBack) {
  struct Row {
    const char* name;
    const char* kind;  // of the answers that go back, when finalize was sent
    const char* status;
  };
  for (const Row& row : {Row{"ready, then pending", "finalize", "pending"},
                         Row{"processing, then pending", "order", "pending"}}) {
    SCOPED_TRACE(row.name);
    Begin();
    ca().polls_processing = 3;
    ca().after = [&](const Seen& seen, http::Response& answer) {
      if (seen.kind == row.kind && ca().Count("finalize") == 1) {
        SetMember(answer, "status", row.status);
      }
    };
    const auto failure = Run();
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->code, FailureCode::kProtocol);
    EXPECT_THAT(failure->detail, HasSubstr("went back to 'pending'"));
    EXPECT_EQ(order_.state, OrderState::kFailed);
    EXPECT_EQ(ca().Count("cert"), 0);
  }
}

TEST_F(OrderRefusalTest, AStatusMayNotGoBackWhileNobodyLooked) {
  struct Row {
    OrderState stored;
    const char* status;
  };
  for (const Row& row :
       {Row{OrderState::kReady, "pending"}, Row{OrderState::kProcessing, "pending"},
        Row{OrderState::kIssued, "pending"}, Row{OrderState::kIssued, "ready"}}) {
    SCOPED_TRACE(Cat(model::OrderStateName(row.stored), ", then ", row.status));
    Begin();
    ExpectDone();
    Forget();
    order_.state = row.stored;
    order_.chain_pem = "";
    Spoil("order", Set("status", row.status));
    const auto failure = Run();
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->code, FailureCode::kProtocol);
    EXPECT_THAT(failure->detail, HasSubstr(Cat("went back to '", row.status, "'")));
    EXPECT_EQ(order_.state, OrderState::kFailed);
    EXPECT_EQ(ca().Posts(), "order");
  }
}

// crypto's tests have every chain that is wrong: here, that no chain goes unchecked.
TEST_F(OrderRefusalTest, AChainThatIsNotOursIsNotKept) {
  struct Row {
    const char* name;
    std::function<void()> make;
    const char* says;
  };
  const auto append = [&](std::function<std::string()> text) {
    Spoil("cert", [text](http::Response& answer) { answer.body += text(); });
  };
  const Row rows[] = {
      {"another key",
       [&] {
         const auto other = crypto::SelfSigned(order_.identifiers, kNow, kNow + kDay);
         Spoil("cert", [other](http::Response& answer) { answer.body = other.chain_pem; });
       },
       "another key than ours"},
      {"other names", [&] { ca().leaf_names = "DNS:n1.test,DNS:evil.test"; }, "other names"},
      {"a name more", [&] { ca().leaf_names = "DNS:n1.test,DNS:n2.test,DNS:evil.test"; },
       "not asked for: evil.test"},
      {"a name less", [&] { ca().leaf_names = "DNS:n1.test"; }, "lacks names asked for: n2.test"},
      {"expired", [&] { ca().valid_to = kNow - 1; }, "expired at"},
      {"of the future", [&] { ca().valid_from = kNow + kDay; }, "not valid before"},
      {"another root behind it", [&] { append([&] { return ca().other_root.Pem(); }); },
       "the next one is CN=Other Root"},
      {"a private key in it", [&] { append([&] { return key_.ToPkcs8Pem().Reveal(); }); },
       "private key"},
      {"no certificate in it",
       [&] { Spoil("cert", [](http::Response& a) { a.body = ToPem("CERTIFICATE", "junk"); }); },
       "chain"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Begin();
    row.make();
    const auto failure = Run();
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->code, FailureCode::kProtocol);
    EXPECT_THAT(failure->detail, HasSubstr(row.says));
    EXPECT_THAT(failure->detail, Not(HasSubstr("BEGIN")));
    EXPECT_FALSE(failure->transient);
    EXPECT_EQ(order_.state, OrderState::kFailed);
    EXPECT_EQ(order_.chain_pem, "");
  }
}

}  // namespace
}  // namespace certwright::acme
