// How an order goes: which requests, in which order, what is saved before them and which chain is
// kept. When it polls: order_polling_test.cpp; what a spoiled answer does: order_failure_test.cpp;
// how it is taken up again: order_resume_test.cpp.
#include "certwright/acme/order_flow.h"

#include <condition_variable>

#include "flow_fixture.h"

namespace certwright::acme {
namespace {

using namespace testing;  // NOLINT: the fakes of this directory
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAreArray;

class OrderFlowTest : public FlowTest {};

TEST_F(OrderFlowTest, TakesSixPostsForOneName) {
  ExpectDone();
  EXPECT_EQ(ca().Posts(), "newOrder authz challenge order finalize cert");
  EXPECT_EQ(ca().Count("directory"), 1);
  EXPECT_EQ(ca().Count("nonce"), 1);
}

TEST_F(OrderFlowTest, AsksForExactlyTheNamesAndWhatThePolicySays) {
  order_.identifiers = {{model::IdentifierType::kDns, "a.test"},
                        {model::IdentifierType::kIp, "192.0.2.7"}};
  order_.profile = "shortlived";
  order_.replaces = "aki.serial";
  ca().renewal_info = true;
  ExpectDone();
  EXPECT_EQ(json::Write(ca().Of("newOrder").at(0).payload),
            R"({"identifiers":[{"type":"dns","value":"a.test"},{"type":"ip","value":"192.0.2.7"}],)"
            R"("profile":"shortlived","replaces":"aki.serial"})");
}

TEST_F(OrderFlowTest, LeavesOutWhatThePolicyDoesNotSay) {
  ExpectDone();
  EXPECT_EQ(ca().Of("newOrder").at(0).payload.Fields().size(), 1u);
}

TEST_F(OrderFlowTest, StartsAChallengeWithAnEmptyObjectAndReadsWithAnEmptyPayload) {
  ExpectDone();
  EXPECT_EQ(json::Write(ca().Of("challenge").at(0).payload), "{}");
  for (const char* kind : {"authz", "order", "cert"}) {
    EXPECT_EQ(json::Parse(ca().Of(kind).at(0).request.body).String("payload", "?"), "") << kind;
  }
}

TEST_F(OrderFlowTest, ProvesTheKeyThatWasStoredWithTheRecord) {
  ExpectDone();
  const std::string csr = FromBase64Url(ca().Of("finalize").at(0).payload.String("csr")).value();
  EXPECT_EQ(SplitPem(PemOfPublicKeyOf(csr)).at(0).der,
            crypto::PrivateKey::FromPem(order_.key_pem).PublicKeyDer());
}

TEST_F(OrderFlowTest, PollsOnceMoreWhereFinalizeSaysProcessing) {
  ca().polls_processing = 1;
  ExpectDone();
  EXPECT_EQ(ca().Posts(), "newOrder authz challenge order finalize order cert");
}

TEST_F(OrderFlowTest, WaitsForAReplicaThatLagsBehindFinalize) {
  ca().polls_processing = 2;
  ca().after = [&](const Seen& seen, http::Response& answer) {
    if (seen.kind == "order" && ca().Count("finalize") == 1 && ca().Count("order") == 2) {
      SetMember(answer, "status", "ready");
    }
  };
  ExpectDone();
  EXPECT_EQ(ca().Posts(), "newOrder authz challenge order finalize order order cert");
}

TEST_F(OrderFlowTest, PollsTheOrderAndNotEachOfFiftyAuthorizations) {
  UseNames(50);
  ExpectDone();
  EXPECT_EQ(ca().Count("authz"), 50);
  EXPECT_EQ(ca().Count("challenge"), 50);
  EXPECT_EQ(ca().Count("order"), 1);
  EXPECT_LE(ca().Count("nonce"), 8) << "one for each connection at most";
}

// Each of the requests of one kind waits until eight of them are under way.
TEST_F(OrderFlowTest, AsksForManyNamesSideBySide) {
  UseNames(10);
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, int> under_way;
  bool together = true;
  ca().before = [&](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind != "authz" && seen.kind != "challenge") return std::nullopt;
    std::unique_lock guard(mutex);
    ++under_way[seen.kind];
    changed.notify_all();
    // One in vain is enough.
    together = together && changed.wait_for(guard, std::chrono::seconds(5),
                                            [&] { return under_way[seen.kind] >= 8; });
    return std::nullopt;
  };
  ExpectDone();
  EXPECT_TRUE(together);
  EXPECT_EQ(ca().Count("authz"), 10);
  EXPECT_EQ(ca().Count("challenge"), 10);
  EXPECT_EQ(ca().Count("order"), 1);
  EXPECT_EQ(ca().Requests().size() - static_cast<std::size_t>(ca().Count("nonce")),
            1u + 1 + 20 + 3);
}

TEST_F(OrderFlowTest, PresentsEveryTokenBeforeTheFirstChallengeIsStarted) {
  UseNames(5);
  ca().before = [&](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind == "challenge") {
      EXPECT_EQ(presenter_->Presented().size(), 5u);
    }
    return std::nullopt;
  };
  ExpectDone();
  for (const auto& [token, answer] : presenter_->Presented()) {
    EXPECT_EQ(answer, crypto::KeyAuthorization(token, signer_.key));
  }
}

TEST_F(OrderFlowTest, WithdrawsEveryTokenAtTheEnd) {
  UseNames(3);
  ExpectDone();
  EXPECT_THAT(
      presenter_->Withdrawn(),
      UnorderedElementsAreArray({FakeCa::Token(0, 0), FakeCa::Token(0, 1), FakeCa::Token(0, 2)}));
}

TEST_F(OrderFlowTest, StopsWhereItIsToldToAndKeepsTheOrder) {
  std::stop_source stop;
  presenter_->on_wait = [&] { stop.request_stop(); };
  const auto failure = Run(stop.get_token());
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->code, FailureCode::kCancelled);
  EXPECT_EQ(order_.state, model::OrderState::kValidating);
  EXPECT_EQ(ca().Posts(), "newOrder authz challenge");
  EXPECT_THAT(presenter_->Withdrawn(), ElementsAre(FakeCa::Token(0, 0)));
}

TEST_F(OrderFlowTest, SaysThatAPauseWasStopped) {
  OrderFlow flow(*client_, signer_, *presenter_, *clock_, [](const auto&) {}, {});
  std::stop_source stop;
  EXPECT_TRUE(flow.Pause(Wait{Millis(1000), {}, {}}, stop.get_token()));
  EXPECT_TRUE(flow.Pause(Wait{Millis(1000), {"token"}, {}}, stop.get_token()));
  stop.request_stop();
  EXPECT_FALSE(flow.Pause(Wait{Millis(1000), {}, {}}, stop.get_token()));
  EXPECT_FALSE(flow.Pause(Wait{Millis(1000), {"token"}, {}}, stop.get_token()));
}

TEST_F(OrderFlowTest, WithdrawsThemAlsoWhereItFails) {
  ca().refused_names = {"n1.test"};
  Run();
  EXPECT_THAT(presenter_->Withdrawn(), ElementsAre(FakeCa::Token(0, 0)));
}

TEST_F(OrderFlowTest, ReadsNoAuthorizationWhereAllAreReused) {
  ca().valid_already = true;
  UseNames(3);
  ExpectDone();
  EXPECT_EQ(ca().Posts(), "newOrder finalize cert");
  EXPECT_THAT(presenter_->Presented(), IsEmpty());
}

TEST_F(OrderFlowTest, StartsOnlyTheChallengesOfNamesThatAreNotValidYet) {
  UseNames(2);
  ca().after = [&](const Seen& seen, http::Response&) {
    if (seen.kind == "newOrder") ca().At(0).statuses[0] = ca().At(0).challenges[0] = "valid";
  };
  ExpectDone();
  EXPECT_EQ(ca().Posts(), "newOrder authz authz challenge order finalize cert");
  EXPECT_EQ(ca().Of("challenge").at(0).name, 1u);
}

TEST_F(OrderFlowTest, WaitsForNobodyWhereTheCaValidatesInsideTheChallengesRequest) {
  ca().validates_at_once = true;
  ExpectDone();
  EXPECT_EQ(ca().Posts(), "newOrder authz challenge order finalize cert");
  EXPECT_THAT(presenter_->Waits(), IsEmpty());
  EXPECT_THAT(clock_->Sleeps(), Not(::testing::Contains(::testing::Gt(Millis(0)))));
}

TEST_F(OrderFlowTest, SavesBeforeEachRequestThatChangesSomething) {
  UseNames(2);
  ExpectDone();
  EXPECT_EQ(Join(journal_, " "),
            "newOrder SAVE(pending) authz authz SAVE(validating) challenge challenge order "
            "SAVE(processing) finalize cert");
  for (const auto& authorization : saves_.at(1).authorizations) {
    EXPECT_TRUE(authorization.started);
    EXPECT_FALSE(authorization.token.empty());
  }
  EXPECT_FALSE(saves_.at(2).key_pem.empty());
  EXPECT_EQ(saves_.at(0).url, FakeCa::OrderUrl(0));
}

TEST_F(OrderFlowTest, TellsEachStep) {
  ExpectDone();
  EXPECT_THAT(told_, ElementsAre("order", "challenge", "fetched", "validated", "finalize", "issued",
                                 "certificate"));
}

TEST_F(OrderFlowTest, KeepsTheCasOwnChainWithoutAWish) {
  ExpectDone();
  EXPECT_EQ(ca().Count("alternate"), 0);
  EXPECT_THAT(order_.chain_pem, HasSubstr(FirstOf(ca().root.Pem())));
}

TEST_F(OrderFlowTest, ChoosesTheChainByTheNameOfItsIssuer) {
  order_.preferred_chain = "Other Root";
  ExpectDone();
  EXPECT_THAT(order_.chain_pem, AllOf(HasSubstr(FirstOf(ca().other_root.Pem())),
                                      Not(HasSubstr(FirstOf(ca().root.Pem())))));
}

TEST_F(OrderFlowTest, FetchesNoOtherChainWhereTheFirstIsTheOneWished) {
  order_.preferred_chain = "Test Root";
  ExpectDone();
  EXPECT_EQ(ca().Count("alternate"), 0);
}

TEST_F(OrderFlowTest, KeepsTheCasOwnChainWhereTheWishCannotBeMet) {
  struct Row {
    const char* name;
    std::function<std::optional<http::Response>()> answer;  // of the alternate chain
  };
  const Row rows[] = {
      {"no such issuer", {}},
      {"missing", [] { return ProblemAnswer(404, "malformed", "nothing here"); }},
      {"gone for ever",
       [] {
         return http::Response{503, {}, ""};
       }},
      {"no chain", [] { return HtmlAnswer(); }},
      {"of another key",
       [this] {
         const auto other = crypto::SelfSigned(order_.identifiers, kNow, kNow + kDay);
         return http::Response{200, {}, other.chain_pem};
       }},
      {"unreachable", []() -> std::optional<http::Response> { throw Error(NetworkFailure()); }},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Reset();
    order_.preferred_chain = row.answer ? "Other Root" : "Nobody's Root";
    ca().before = [&](const Seen& seen) -> std::optional<http::Response> {
      if (seen.kind == "alternate" && row.answer) return row.answer();
      return std::nullopt;
    };
    ExpectDone();
    EXPECT_THAT(order_.chain_pem, HasSubstr(FirstOf(ca().root.Pem())));
  }
}

TEST_F(OrderFlowTest, AsksAgainForAnAlternateChainThatWasLostOnce) {
  order_.preferred_chain = "Other Root";
  bool lost = false;
  ca().before = [&](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind == "alternate" && !std::exchange(lost, true)) throw Error(NetworkFailure());
    return std::nullopt;
  };
  ExpectDone();
  EXPECT_THAT(order_.chain_pem, HasSubstr(FirstOf(ca().other_root.Pem())));
}

}  // namespace
}  // namespace certwright::acme
