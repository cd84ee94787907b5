#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bent_ca.h"
#include "certwright/acme/order_flow.h"

namespace certwright::acme {
namespace {

using model::OrderRecord;
using model::OrderState;
using testing::ElementsAre;
using testing::HasSubstr;

class Flow : public testing::Test {
 protected:
  void Use(int names) {
    std::vector<model::Identifier> all;
    for (int i = 0; i < names; ++i) {
      all.push_back({model::IdentifierType::kDns, Cat("n", 100 + i, ".example.org")});
    }
    ca_ = std::make_unique<FakeCa>(all);
    client_ = std::make_unique<Client>("https://ca.test/directory", *ca_, clock_);
    order_.identifiers = ca_->identifiers;
    order_.key_pem = ca_->pair.key_pem;
  }

  // Steps until the end; gives the failure, or none.
  std::optional<Failure> Run() {
    OrderFlow flow(
        *client_, signer_, presenter_, clock_,
        [&](const OrderRecord& record) {
          saved_.push_back(record);
          saved_after_.push_back(ca_->sent.size());
        },
        [&](const model::Progress& step) { told_.push_back(step.step); });
    for (int steps = 0; steps < 200; ++steps) {
      const Outcome outcome = flow.Step(order_, {});
      if (std::holds_alternative<Done>(outcome)) return std::nullopt;
      if (const auto* failed = std::get_if<Failed>(&outcome)) return failed->failure;
      flow.Pause(std::get<Wait>(outcome), {});
    }
    ADD_FAILURE() << "the flow does not end";
    return Failure{};
  }
  void ExpectDone() {
    const auto failure = Run();
    EXPECT_FALSE(failure) << failure->detail;
    EXPECT_EQ(order_.state, OrderState::kDone);
    EXPECT_FALSE(order_.chain_pem.empty());
    EXPECT_TRUE(presenter_.live.empty()) << "tokens are withdrawn";
  }

  FakeClock clock_;
  FakePresenter presenter_{clock_};
  Signer signer_ = TestSigner();
  std::unique_ptr<FakeCa> ca_;
  std::unique_ptr<Client> client_;
  OrderRecord order_;
  std::vector<OrderRecord> saved_;
  std::vector<std::size_t> saved_after_;  // so many requests
  std::vector<std::string> told_;
};

TEST_F(Flow, TakesTheMinimumOfRequestsForOneName) {
  Use(1);
  ExpectDone();
  EXPECT_THAT(ca_->Whats(),
              ElementsAre("GET directory", "POST newOrder", "POST authz/0", "POST challenge/0",
                          "POST order/1", "POST finalize", "POST order/1", "POST cert"));
}

TEST_F(Flow, DoesNotPollWhereFinalizeSaysValid) {
  Use(1);
  ca_->polls_until_valid = 0;
  ExpectDone();
  EXPECT_EQ(ca_->Count("POST"), 6);
}

TEST_F(Flow, PollsTheOrderAndNotEachAuthorization) {
  Use(50);
  ExpectDone();
  EXPECT_EQ(ca_->Count("POST authz"), 50);
  EXPECT_EQ(ca_->Count("POST challenge"), 50);
  EXPECT_EQ(ca_->Count("POST"), 1 + 50 + 50 + 1 + 1 + 1 + 1);
  EXPECT_LE(ca_->Count("HEAD"), 7) << "a nonce for each connection at most";
}

TEST_F(Flow, AsksForNoAuthorizationWhereTheOrderIsReadyAtOnce) {
  Use(3);
  ca_->order_status = "ready";
  ExpectDone();
  EXPECT_EQ(ca_->Count("POST authz"), 0);
}

TEST_F(Flow, PollsAtOnceWhereTheChallengeIsAnsweredValid) {
  Use(1);
  ca_->bend = [](const Sent& sent, int, http::Response& answer) {
    if (sent.what != "POST challenge/0") return;
    json::Value body = json::Parse(answer.body);
    answer.body = json::Write(body.Set("status", "valid"));
  };
  ExpectDone();
  EXPECT_TRUE(presenter_.waits.empty());
}

TEST_F(Flow, PollsOnceWhenTheCaHasFetched) {
  Use(2);
  ExpectDone();
  ASSERT_EQ(presenter_.waits.size(), 1u);
  EXPECT_EQ(presenter_.waits[0].first, 2u);
}

TEST_F(Flow, PollsSeldomWithoutNews) {
  Use(1);
  presenter_.fetches = false;
  ca_->polls_until_ready = 4;
  ExpectDone();
  ASSERT_EQ(presenter_.waits.size(), 4u);
  for (const auto& [tokens, timeout] : presenter_.waits) EXPECT_GE(timeout, Millis(3'000));
}

TEST_F(Flow, LooksEarlyAfterFinalizeAndThenObeysRetryAfter) {
  Use(1);
  ca_->polls_until_valid = 3;
  ca_->bend = [](const Sent& sent, int count, http::Response& answer) {
    if (sent.what == "POST finalize") answer.headers.emplace_back("retry-after", "7");
    if (sent.what == "POST order/1" && count == 2) answer.headers.emplace_back("retry-after", "9");
    if (sent.what == "POST order/1" && count == 3) {
      answer.headers.emplace_back("retry-after", "86400");
    }
  };
  ExpectDone();
  std::vector<Millis> sleeps = clock_.sleeps;
  std::erase(sleeps, Millis(0));
  ASSERT_EQ(sleeps.size(), 3u);
  EXPECT_LE(sleeps[0], Millis(50));
  EXPECT_EQ(sleeps[1], Millis(9'000));
  EXPECT_EQ(sleeps[2], Millis(60'000)) << "capped within a run";
}

TEST_F(Flow, SavesBeforeEachRequestThatChangesSomething) {
  Use(1);
  ExpectDone();
  const std::vector<std::string> sent = ca_->Whats();
  ASSERT_EQ(saved_.size(), 3u);
  EXPECT_EQ(saved_[0].url, "https://ca.test/order/1");
  EXPECT_EQ(sent[saved_after_[1]], "POST challenge/0");
  EXPECT_EQ(saved_[1].state, OrderState::kValidating);
  EXPECT_FALSE(saved_[1].authorizations[0].token.empty());
  EXPECT_EQ(sent[saved_after_[2]], "POST finalize");
  EXPECT_EQ(saved_[2].state, OrderState::kProcessing);
}

TEST_F(Flow, CarriesTheSameOrderOnFromEverySave) {
  Use(2);
  ExpectDone();
  const std::vector<OrderRecord> saves = saved_;
  for (const OrderRecord& record : saves) {
    order_ = record;
    const int orders = ca_->Count("POST newOrder");
    ExpectDone();
    EXPECT_EQ(ca_->Count("POST newOrder"), orders) << OrderStateName(record.state);
  }
}

struct Fault {
  const char* name;
  const char* what;  // the request whose first answer is spoiled
  std::function<void(http::Response&)> spoil;
};
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class SpoiledOnce : public Flow, public testing::WithParamInterface<Fault> {};

TEST_P(SpoiledOnce, IsSurvivedWithTheSameOrder) {
  Use(2);
  ca_->bend = [&](const Sent& sent, int count, http::Response& answer) {
    if (sent.what == GetParam().what && count == 1) GetParam().spoil(answer);
  };
  ExpectDone();
  EXPECT_EQ(ca_->Count("POST newOrder"), GetParam().what == std::string("POST newOrder") ? 2 : 1);
  EXPECT_EQ(order_.attempts, 0);
}

void Lost(http::Response&) {
  Failure failure;
  failure.code = FailureCode::kNetwork;
  failure.transient = true;
  failure.detail = "connection reset";
  throw Error(failure);
}
void Html(http::Response& answer) { answer.body = "<html>Bad gateway</html>"; }
void Busy(http::Response& answer) {
  answer.status = 503;
  answer.headers.emplace_back("retry-after", "2");
}
void Slower(http::Response& answer) {
  answer = FakeCa::Problem(429, "rateLimited", "slower");
  answer.headers.emplace_back("retry-after", "3");
}

std::vector<Fault> Faults() {
  std::vector<Fault> all;
  for (const char* what : {"POST newOrder", "POST authz/1", "POST challenge/1", "POST order/1",
                           "POST finalize", "POST cert"}) {
    all.push_back({"lost", what, Lost});
    all.push_back({"503", what, Busy});
    all.push_back({"429 with a short Retry-After", what, Slower});
    // An unread answer to a challenge's start is worth nothing; the others hold what is needed.
    all.push_back({"HTML", what, Html});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(All, SpoiledOnce, testing::ValuesIn(Faults()));

TEST_F(Flow, LooksBeforeItSendsFinalizeAgain) {
  Use(1);
  ca_->bend = [&](const Sent& sent, int count, http::Response& answer) {
    if (sent.what == "POST finalize" && count == 1) Lost(answer);
  };
  ExpectDone();
  EXPECT_EQ(ca_->Count("POST finalize"), 1) << "it had arrived";
}

TEST_F(Flow, StartsAChallengeAgainWhoseStartWasLost) {
  Use(1);
  bool lost = false;
  ca_->bend = [&](const Sent& sent, int, http::Response& answer) {
    if (sent.what == "POST challenge/0" && !std::exchange(lost, true)) Lost(answer);
    if (sent.what == "POST authz/0") {  // the CA never heard of it
      json::Value body = json::Parse(answer.body);
      json::Value challenge = body["challenges"].Items()[1];
      challenge.Set("status", "pending");
      answer.body = json::Write(body.Set("challenges", json::Array{challenge}));
    }
  };
  ca_->polls_until_ready = 2;
  ExpectDone();
  EXPECT_EQ(ca_->Count("POST challenge"), 2);
}

struct End {
  const char* name;
  std::function<void(FakeCa&)> bend;
  FailureCode code;
  bool keeps_order;
  const char* says;
};
void PrintTo(const End& end, std::ostream* out) { *out << end.name; }

class Ends : public Flow, public testing::WithParamInterface<End> {};

TEST_P(Ends, AndSaysWhy) {
  Use(2);
  GetParam().bend(*ca_);
  const auto failure = Run();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code, GetParam().code);
  EXPECT_THAT(failure->detail, HasSubstr(GetParam().says));
  EXPECT_EQ(order_.state != OrderState::kFailed, GetParam().keeps_order);
  EXPECT_LE(ca_->sent.size(), 150u) << "it does not hammer";
}

void Always(FakeCa& ca, std::string what, std::function<void(http::Response&)> spoil) {
  ca.bend = [=](const Sent& sent, int, http::Response& answer) {
    if (sent.what == what) spoil(answer);
  };
}
void Member(http::Response& answer, std::string_view key, json::Value value) {
  json::Value body = json::Parse(answer.body);
  answer.body = json::Write(body.Set(key, std::move(value)));
}

INSTANTIATE_TEST_SUITE_P(
    All, Ends,
    testing::Values(
        End{"the network is gone",
            [](FakeCa& ca) {
              Always(ca, "POST finalize", [&ca](http::Response& answer) {
                ca.order_status = "ready";  // it never arrived
                Lost(answer);
              });
            },
            FailureCode::kNetwork, true, "connection reset"},
        End{"badNonce for ever",
            [](FakeCa& ca) {
              Always(ca, "POST finalize", [&ca](http::Response& answer) {
                ca.order_status = "ready";
                answer = FakeCa::Problem(400, "badNonce", "x");
              });
            },
            FailureCode::kServer, true, "nonces"},
        End{"HTML for ever", [](FakeCa& ca) { Always(ca, "POST cert", Html); },
            FailureCode::kProtocol, true, "PEM chain"},
        End{"429 for a day",
            [](FakeCa& ca) {
              Always(ca, "POST newOrder", [](http::Response& answer) {
                answer = FakeCa::Problem(429, "rateLimited", "too many");
                answer.headers.emplace_back("retry-after", "86400");
              });
            },
            FailureCode::kRateLimited, true, "too many"},
        End{"rejected",
            [](FakeCa& ca) {
              Always(ca, "POST newOrder", [](http::Response& answer) {
                answer = FakeCa::Problem(403, "rejectedIdentifier", "not this name");
              });
            },
            FailureCode::kRefused, false, "not this name"},
        End{"validation failed",
            [](FakeCa& ca) {
              ca.bend = [&ca](const Sent& sent, int count, http::Response& answer) {
                if (sent.what == "POST order/1") Member(answer, "status", "invalid");
                if (sent.what != "POST authz/1" || count < 2) return;
                json::Value body = json::Parse(answer.body);
                json::Value challenge = body["challenges"].Items()[1];
                challenge.Set("status", "invalid")
                    .Set("error",
                         json::Value::Object({{"type", "urn:ietf:params:acme:error:connection"},
                                              {"detail", "no route to host"}}));
                body.Set("status", "invalid").Set("challenges", json::Array{challenge});
                answer.body = json::Write(body);
              };
            },
            FailureCode::kRefused, false, "n101.example.org: the CA said connection: no route"},
        End{"another name's authorization",
            [](FakeCa& ca) {
              Always(ca, "POST authz/0", [](http::Response& answer) {
                Member(answer, "identifier",
                       json::Value::Object({{"type", "dns"}, {"value", "evil.example"}}));
              });
            },
            FailureCode::kProtocol, false, "evil.example"},
        End{"no HTTP-01",
            [](FakeCa& ca) {
              Always(ca, "POST authz/0", [](http::Response& answer) {
                Member(answer, "challenges",
                       json::Array{json::Value::Object({{"type", "dns-01"}})});
              });
            },
            FailureCode::kRefused, false, "dns-01"},
        End{"a status that goes back",
            [](FakeCa& ca) {
              ca.bend = [](const Sent& sent, int count, http::Response& answer) {
                if (sent.what == "POST order/1" && count == 2) Member(answer, "status", "pending");
              };
            },
            FailureCode::kProtocol, false, "went back"},
        End{"a chain for another key",
            [](FakeCa& ca) {
              const auto other =
                  crypto::SelfSigned(ca.identifiers, kStart - 3600, kStart + 86400).chain_pem;
              Always(ca, "POST cert", [other](http::Response& answer) { answer.body = other; });
            },
            FailureCode::kProtocol, false, "another key"}));

TEST_F(Flow, StopsWhereItIsToldTo) {
  Use(1);
  OrderFlow flow(
      *client_, signer_, presenter_, clock_, [](const OrderRecord&) {}, nullptr);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(flow.Pause(Wait{Millis(1'000), {}, {}}, stop.get_token()));
}

}  // namespace
}  // namespace certwright::acme
