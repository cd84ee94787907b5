// What a spoiled answer does to an order: one is survived, one that comes for ever ends it, and
// says why.
#include "flow_fixture.h"

namespace certwright::acme {
namespace {

using namespace testing;  // NOLINT: the fakes of this directory
using model::OrderState;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Change = std::function<void(http::Response&)>;

Change Becomes(const http::Response& other) {
  return [=](http::Response& answer) { answer = other; };
}
void Halved(http::Response& answer) {
  answer.status = 200;
  answer.body.resize(answer.body.size() / 2);
}
void Lost(http::Response&) { throw Error(NetworkFailure()); }

const http::Response kDayOff =
    ProblemAnswer(429, "rateLimited", "too many orders", {{"retry-after", "86400"}});
const http::Response kBadNonce = ProblemAnswer(400, "badNonce", "never heard of it");

class OrderFailureTest : public FlowTest {
 protected:
  void Begin() {
    Reset();
    UseNames(2);
  }
};

TEST_F(OrderFailureTest, OneSpoiledAnswerIsSurvivedWithTheSameOrder) {
  struct Fault {
    const char* name;
    Change spoil;
  };
  const Fault faults[] = {
      {"lost", Lost},
      {"500", Becomes({500, {}, ""})},
      {"503 with a pause", Becomes({503, {{"retry-after", "2"}}, "<html>"})},
      {"429 with a short pause",
       Becomes(ProblemAnswer(429, "rateLimited", "slower", {{"retry-after", "3"}}))},
      {"serverInternal", Becomes(ProblemAnswer(500, "serverInternal", "oops"))},
      {"badNonce", Becomes(kBadNonce)},
      {"HTML", Becomes(HtmlAnswer())},
      {"cut in its middle", Halved},
      {"nothing", Becomes({200, {}, ""})},
  };
  for (const char* kind : {"newOrder", "authz", "challenge", "order", "finalize", "cert"}) {
    for (const Fault& fault : faults) {
      for (const bool arrives : {true, false}) {
        SCOPED_TRACE(Cat(kind, ": ", fault.name, arrives ? ", though the CA acted" : ""));
        Begin();
        std::atomic<bool> spoiled = false;
        const auto first = [&](const Seen& seen) {
          return seen.kind == kind && !spoiled.exchange(true);
        };
        if (arrives) {
          ca().after = [&](const Seen& seen, http::Response& answer) {
            if (first(seen)) fault.spoil(answer);
          };
        } else {
          ca().before = [&](const Seen& seen) -> std::optional<http::Response> {
            if (!first(seen)) return std::nullopt;
            http::Response answer;
            fault.spoil(answer);
            return answer;
          };
        }
        ExpectDone();
        EXPECT_TRUE(spoiled);
        EXPECT_EQ(ca().Orders(), kind == std::string("newOrder") && arrives ? 2u : 1u);
      }
    }
  }
}

struct End {
  const char* name;
  const char* kind;  // the requests whose answers are spoiled, each time
  Change spoil;
  FailureCode code;
  const char* says;
  const char* posts;  // "": not looked at
};

// What may pass by itself is tried again, not for ever, and the order is kept for the next run.
TEST_F(OrderFailureTest, AnAnswerThatIsSpoiledForEverEndsTheRunAndKeepsTheOrder) {
  using enum FailureCode;
  const http::Response html = HtmlAnswer();
  const http::Response busy = {503, {}, ""};
  const End ends[] = {
      {"no network", "newOrder", Lost, kNetwork, "the connection was cut", ""},
      {"no network for a start", "challenge", Lost, kNetwork, "the connection was cut", ""},
      {"no network for finalize", "finalize", Lost, kNetwork, "the connection was cut", ""},
      {"nonces of an order", "newOrder", Becomes(kBadNonce), kServer, "eleven nonces", ""},
      {"nonces of a poll", "order", Becomes(kBadNonce), kServer, "eleven nonces", ""},
      {"nonces of finalize", "finalize", Becomes(kBadNonce), kServer, "eleven nonces", ""},
      {"HTML for an order", "newOrder", Becomes(html), kProtocol, "an HTML page", ""},
      {"HTML for an authorization", "authz", Becomes(html), kProtocol, "an HTML page", ""},
      {"HTML for a start", "challenge", Becomes(html), kProtocol, "an HTML page", ""},
      {"HTML for a poll", "order", Becomes(html), kProtocol, "an HTML page", ""},
      {"HTML for finalize", "finalize", Becomes(html), kProtocol, "an HTML page", ""},
      {"HTML for the chain", "cert", Becomes(html), kProtocol, "PEM chain", ""},
      {"nothing for the chain", "cert", Becomes({200, {}, " \n"}), kProtocol, "nothing", ""},
      {"a CA that is down", "order", Becomes(busy), kServer, "503", ""},
      {"never ready for finalize", "finalize", Becomes(ProblemAnswer(403, "orderNotReady", "no")),
       kRefused, "orderNotReady", ""},
      {"429 for a day", "newOrder", Becomes(kDayOff), kRateLimited, "too many orders", "newOrder"},
      {"429 without an end", "newOrder", Becomes(ProblemAnswer(429, "rateLimited", "too many")),
       kRateLimited, "too many", "newOrder"},
      {"down for a day", "newOrder", Becomes({503, {{"retry-after", "86400"}}, ""}), kServer, "503",
       "newOrder"},
  };
  for (const End& end : ends) {
    SCOPED_TRACE(end.name);
    Begin();
    Instead(end.kind, [&] {
      http::Response answer;
      end.spoil(answer);
      return answer;
    });
    const auto failure = Run();
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->code, end.code);
    EXPECT_THAT(failure->detail, HasSubstr(end.says));
    EXPECT_TRUE(failure->transient);
    EXPECT_NE(order_.state, OrderState::kFailed);
    EXPECT_FALSE(order_.failure.has_value());
    EXPECT_LE(ca().Requests().size(), 150u) << "it does not hammer";
    if (*end.posts != '\0') {
      EXPECT_EQ(ca().Posts(), end.posts);
    }
  }
}

TEST_F(OrderFailureTest, SaysWhenTheCaIsToBeAskedAgain) {
  struct Row {
    const char* retry_after;
    UnixSeconds in;
  };
  for (const Row& row : {Row{"86400", kDay}, Row{"99999999999999999999", kDay}, Row{"61", 61}}) {
    SCOPED_TRACE(row.retry_after);
    Begin();
    Instead("order", [&] {
      return ProblemAnswer(503, "serverInternal", "later", {{"retry-after", row.retry_after}});
    });
    const auto failure = Run();
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->retry_at, clock_->Now() + row.in);
    EXPECT_EQ(ca().Count("order"), 1);
  }
}

TEST_F(OrderFailureTest, SaysWhichNameWasRefusedAndWhy) {
  ca().refused_names = {"n2.test"};
  UseNames(3);
  const auto failure = Run();
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, FailureCode::kRefused);
  EXPECT_EQ(failure->acme_type, "connection");
  EXPECT_EQ(failure->detail,
            "validation failed for n2.test: the CA said connection: connection refused");
  EXPECT_THAT(failure->identifiers, ElementsAre("n2.test"));
  EXPECT_THAT(failure->advice, HasSubstr("port 80"));
  EXPECT_FALSE(failure->transient);
  EXPECT_EQ(order_.state, OrderState::kFailed);
  EXPECT_EQ(ca().Count("authz"), 6) << "read again only for the reason";
  EXPECT_EQ(ca().Count("finalize"), 0);
}

TEST_F(OrderFailureTest, NamesEveryNameThatWasRefusedAndWordsTenOfThem) {
  UseNames(12);
  for (const auto& identifier : order_.identifiers) ca().refused_names.insert(identifier.value);
  const auto failure = Run();
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->identifiers, model::Names(order_.identifiers));
  EXPECT_EQ(Split(failure->detail, ';').size(), 10u);
}

TEST_F(OrderFailureTest, SaysWhatItCanWhereTheReasonOfAnInvalidOrderIsHidden) {
  struct Row {
    const char* name;
    json::Value error;  // of the order
    bool readable;      // the authorizations, once the order is lost
    const char* says;
  };
  const json::Value caa =
      json::Value::Object({{"type", kErrors + "caa"}, {"detail", "CAA forbids it"}});
  const Row rows[] = {
      {"the order says it", caa, true, "the CA said caa: CAA forbids it"},
      {"no authorization can be read", caa, false, "the CA said caa: CAA forbids it"},
      {"nobody says it", nullptr, true, "the order is invalid, and gives no reason"},
      {"nothing can be read", nullptr, false, "the order is invalid, and gives no reason"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Begin();
    ca().after = [&](const Seen& seen, http::Response& answer) {
      if (seen.kind == "order") {
        SetMember(answer, "status", "invalid");
        SetMember(answer, "error", row.error);
      }
      if (seen.kind == "authz" && ca().Count("order") > 0 && !row.readable) answer = HtmlAnswer();
    };
    const auto failure = Run();
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->code, FailureCode::kRefused);
    EXPECT_THAT(failure->detail, HasSubstr(row.says));
    EXPECT_FALSE(failure->transient);
    EXPECT_EQ(failure->identifiers, model::Names(order_.identifiers));
    EXPECT_EQ(order_.state, OrderState::kFailed);
    EXPECT_EQ(ca().Count("authz"), 4);
  }
}

// Five failures in a row end a run: not one failure in each of five states.
TEST_F(OrderFailureTest, AFailureInEachStateIsNoRowOfFailures) {
  UseNames(2);
  std::mutex mutex;
  std::map<std::string, int> lost;
  ca().before = [&](const Seen& seen) -> std::optional<http::Response> {
    const std::lock_guard guard(mutex);
    if (seen.request.method == "POST" && ++lost[seen.kind] <= 2) throw Error(NetworkFailure());
    return std::nullopt;
  };
  ExpectDone();
  EXPECT_EQ(ca().Orders(), 1u);
  EXPECT_THAT(told_, Contains("retry"));
}

}  // namespace
}  // namespace certwright::acme
