// What becomes of an order that says which certificate it replaces (RFC 9773 section 5), where the
// CA takes that and where it does not.
#include "flow_fixture.h"

namespace certwright::acme {
namespace {

using namespace testing;  // NOLINT: the fakes of this directory
using model::OrderState;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kCertId[] = "aki.serial";
const http::Response kReplaced = ProblemAnswer(409, "alreadyReplaced", "by another order");

class OrderReplacesTest : public FlowTest {
 protected:
  OrderReplacesTest() { Begin(); }
  void Begin() {
    Reset();
    order_.replaces = kCertId;
    ca().renewal_info = true;
  }
  // What each newOrder said of it; "-" for nothing.
  std::vector<std::string> Asked() {
    std::vector<std::string> asked;
    for (const Seen& seen : ca().Of("newOrder")) {
      asked.push_back(seen.payload.String("replaces", "-"));
    }
    return asked;
  }
  // Another process takes the order up from what was saved last.
  void StartAgain(const model::OrderRecord& record) {
    ca().before = {};
    ca().after = {};
    on_save_ = {};
    order_ = record;
    Reconnect();
    Forget();
  }
};

TEST_F(OrderReplacesTest, SaysWhatItReplacesWhereTheCaHasRenewalInfo) {
  ExpectDone();
  EXPECT_THAT(Asked(), ElementsAre(kCertId));
  EXPECT_EQ(order_.replaces, kCertId);
  EXPECT_EQ(ca().At(0).replaces, kCertId);
  EXPECT_EQ(ca().Posts(), "newOrder authz challenge order finalize cert");
  EXPECT_THAT(told_, Not(Contains("replaces")));
}

TEST_F(OrderReplacesTest, SaysNothingWhereTheCaHasNoRenewalInfo) {
  ca().renewal_info = false;
  ExpectDone();
  EXPECT_THAT(Asked(), ElementsAre("-"));
  EXPECT_EQ(order_.replaces, kCertId) << "of the record nothing is lost";
}

TEST_F(OrderReplacesTest, AsksAtOnceForTheSameOrderWithoutItWhereTheCaRefuses) {
  struct Row {
    const char* name;
    http::Response answer;
    const char* says;
  };
  const Row rows[] = {
      {"alreadyReplaced", kReplaced, "alreadyReplaced: by another order"},
      {"alreadyReplaced, 400", ProblemAnswer(400, "alreadyReplaced", "again"), "again"},
      {"malformed", ProblemAnswer(400, "malformed", "no certID"), "malformed: no certID"},
      {"malformed, 404", ProblemAnswer(404, "malformed", "not found"), "not found"},
      {"conflict", ProblemAnswer(400, "conflict", "no"), "conflict: no"},
      {"409 without a problem", {409, {}, ""}, "409 without a problem document"},
      {"of another account", ProblemAnswer(403, "unauthorized", "not yours"), "not yours"},
      {"409 of any type", ProblemAnswer(409, "unauthorized", "no"), "unauthorized: no"},
      {"serverInternal", ProblemAnswer(500, "serverInternal", "oops"), "oops"},
      {"500 without a problem", {500, {}, "<html>"}, "500 without a problem document"},
      {"503 for a day", {503, {{"retry-after", "86400"}}, ""}, "503"},
      {"599", {599, {}, ""}, "599"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Begin();
    order_.profile = "shortlived";
    ca().refuses_replaces = row.answer;
    ::testing::internal::CaptureStderr();
    ExpectDone();
    const std::string logged = ::testing::internal::GetCapturedStderr();
    EXPECT_THAT(logged, HasSubstr("without naming the certificate that it replaces"));
    EXPECT_THAT(logged, HasSubstr(row.says));
    EXPECT_THAT(Asked(), ElementsAre(kCertId, "-"));
    EXPECT_EQ(json::Write(ca().Of("newOrder").at(1).payload),
              R"({"identifiers":[{"type":"dns","value":"n1.test"}],"profile":"shortlived"})");
    EXPECT_EQ(ca().Orders(), 1u);
    EXPECT_EQ(order_.replaces, "");
    EXPECT_EQ(told_.front(), "replaces");
    EXPECT_THAT(told_, Not(Contains("retry")));
    EXPECT_THAT(Pauses(), ::testing::IsEmpty());
  }
}

TEST_F(OrderReplacesTest, SavesTheRecordWithoutItBeforeItAsksAgain) {
  ca().refuses_replaces = kReplaced;
  ExpectDone();
  const std::vector<std::string> start(journal_.begin(), journal_.begin() + 4);
  EXPECT_THAT(start, ElementsAre("newOrder", "SAVE(creating)", "newOrder", "SAVE(pending)"));
  EXPECT_EQ(saves_.at(0).replaces, "");
  EXPECT_EQ(saves_.at(0).url, "");
  EXPECT_EQ(saves_.at(0).key_pem.Reveal(), order_.key_pem.Reveal());
}

TEST_F(OrderReplacesTest, AnyOtherFailureIsWhatItIsWithoutIt) {
  struct Row {
    const char* name;
    http::Response answer;
    FailureCode code;
    bool transient;
  };
  using enum FailureCode;
  const Row rows[] = {
      {"a name refused", ProblemAnswer(403, "rejectedIdentifier", "no"), kRefused, false},
      {"CAA", ProblemAnswer(403, "caa", "no"), kRefused, false},
      {"a profile refused", ProblemAnswer(400, "invalidProfile", "no"), kRefused, false},
      {"400 without a problem", {400, {}, ""}, kRefused, false},
      {"a rate limit", ProblemAnswer(429, "rateLimited", "no"), kRateLimited, true},
      {"a rate limit, 503", ProblemAnswer(503, "rateLimited", "busy", {{"retry-after", "3600"}}),
       kRateLimited, true},
      {"a redirect", {302, {{"location", "https://ca.test/x"}}, ""}, kProtocol, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Begin();
    ca().refuses_replaces = row.answer;
    const auto failure = Run();
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->code, row.code);
    EXPECT_EQ(failure->transient, row.transient);
    EXPECT_EQ(order_.state, row.transient ? OrderState::kCreating : OrderState::kFailed);
    EXPECT_THAT(Asked(), ElementsAre(kCertId));
    EXPECT_EQ(order_.replaces, kCertId);
    EXPECT_THAT(journal_, ElementsAre("newOrder")) << "nothing was saved";
  }
}

// These pass by themselves, so the order is tried again later: as it was.
TEST_F(OrderReplacesTest, KeepsItThroughWhatPassesByItself) {
  struct Row {
    const char* name;
    const char* kind;
    std::function<http::Response()> answer;
  };
  const Row rows[] = {
      {"a lost newOrder", "newOrder", []() -> http::Response { throw Error(NetworkFailure()); }},
      {"an HTML page", "newOrder", HtmlAnswer},
      {"a short rate limit", "newOrder",
       [] {
         return ProblemAnswer(429, "rateLimited", "slower", {{"retry-after", "3"}});
       }},
      {"badNonce", "newOrder", [] { return ProblemAnswer(400, "badNonce", "old"); }},
      {"a newNonce that fails", "nonce",
       [] {
         return http::Response{500, {}, ""};
       }},
      {"a directory that fails", "directory",
       [] {
         return http::Response{500, {}, ""};
       }},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Begin();
    bool spoiled = false;
    ca().before = [&](const Seen& seen) -> std::optional<http::Response> {
      if (seen.kind != row.kind || std::exchange(spoiled, true)) return std::nullopt;
      return row.answer();
    };
    ExpectDone();
    EXPECT_TRUE(spoiled);
    EXPECT_EQ(Asked().back(), kCertId);
    EXPECT_THAT(Asked(), Not(Contains("-")));
    EXPECT_EQ(order_.replaces, kCertId);
  }
}

TEST_F(OrderReplacesTest, AsksOnceMoreAndNotForEver) {
  struct Row {
    const char* name;
    http::Response answer;  // to every newOrder
    std::vector<std::string> asked;
    OrderState state;
  };
  const Row rows[] = {
      {"malformed", ProblemAnswer(400, "malformed", "no"), {kCertId, "-"}, OrderState::kFailed},
      {"409", ProblemAnswer(409, "alreadyReplaced", "no"), {kCertId, "-"}, OrderState::kFailed},
      {"a day off", {503, {{"retry-after", "86400"}}, ""}, {kCertId, "-"}, OrderState::kCreating},
      // From the second on as before: five times the same step.
      {"a fault", {500, {}, ""}, {kCertId, "-", "-", "-", "-", "-"}, OrderState::kCreating},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Begin();
    Instead("newOrder", [&] { return row.answer; });
    ASSERT_TRUE(Run().has_value());
    EXPECT_EQ(Asked(), row.asked);
    EXPECT_EQ(order_.state, row.state);
    EXPECT_EQ(std::count(told_.begin(), told_.end(), "replaces"), 1);
  }
}

// The first order was made and nobody knows: for the CA the certificate is replaced by now.
TEST_F(OrderReplacesTest, SurvivesALostAnswerAfterWhichTheCaSaysAlreadyReplaced) {
  ca().after = [&](const Seen& seen, http::Response&) {
    if (seen.kind != "newOrder" || ca().refuses_replaces) return;
    ca().refuses_replaces = kReplaced;
    throw Error(NetworkFailure());
  };
  ExpectDone();
  EXPECT_THAT(Asked(), ElementsAre(kCertId, kCertId, "-"));
}

TEST_F(OrderReplacesTest, CarriesOnWhereTheProcessEndedBetweenTheTwo) {
  struct Row {
    const char* name;
    bool saved;  // the record without it
    std::vector<std::string> asked;
  };
  for (const Row& row :
       {Row{"before the save", false, {kCertId, "-"}}, Row{"after the save", true, {"-"}}}) {
    SCOPED_TRACE(row.name);
    Begin();
    ca().refuses_replaces = kReplaced;
    const model::OrderRecord stored = order_;
    const auto die = [] { throw Error(FailureCode::kCancelled, "the process has ended"); };
    if (row.saved) {
      ca().before = [&](const Seen& seen) -> std::optional<http::Response> {
        if (seen.kind == "newOrder" && !seen.payload.Has("replaces")) die();
        return std::nullopt;
      };
    } else {
      on_save_ = die;
    }
    ASSERT_TRUE(Run().has_value());
    ASSERT_EQ(saves_.size(), row.saved ? 1u : 0u);
    EXPECT_EQ(ca().Orders(), 0u);
    StartAgain(row.saved ? model::OrderRecord(saves_.back()) : stored);
    ExpectDone();
    EXPECT_EQ(Asked(), row.asked);
    EXPECT_EQ(ca().Orders(), 1u);
  }
}

TEST_F(OrderReplacesTest, AsksNothingMoreWhereTheRecordCannotBeSaved) {
  ca().refuses_replaces = kReplaced;
  on_save_ = [] { throw Error(FailureCode::kDisk, "no space left on device"); };
  const auto failure = Run();
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, FailureCode::kDisk);
  EXPECT_THAT(Asked(), ElementsAre(kCertId));
  EXPECT_EQ(order_.state, OrderState::kCreating);
  StartAgain(model::OrderRecord(order_));
  ExpectDone();
  EXPECT_EQ(ca().Orders(), 1u);
}

}  // namespace
}  // namespace certwright::acme
