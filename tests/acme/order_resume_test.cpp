// How an order is taken up again: by another process after the end of the first one at any point,
// and by the same one after an answer was lost.
#include <atomic>

#include "flow_fixture.h"

namespace certwright::acme {
namespace {

using namespace testing;  // NOLINT: the fakes of this directory
using model::OrderState;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class OrderResumeTest : public FlowTest {
 protected:
  // From now on nothing reaches the CA: the process has ended.
  [[noreturn]] void Die() {
    dead_ = true;
    throw Error(FailureCode::kCancelled, "the process has ended");
  }
  void Mortal() {
    dead_ = false;
    ca().before = [&](const Seen&) -> std::optional<http::Response> {
      if (dead_) Die();
      return std::nullopt;
    };
  }
  // Another process takes the order up from `record`.
  void StartAgain(const model::OrderRecord& record) {
    ca().before = {};
    ca().after = {};
    on_save_ = {};
    order_ = record;
    Reconnect();
    Forget();
  }
  // The request of this kind never arrives, or its answer never comes; once.
  void LoseRequest(const std::string& kind) {
    lost_ = false;
    ca().before = [this, kind](const Seen& seen) -> std::optional<http::Response> {
      if (seen.kind == kind && !lost_.exchange(true)) throw Error(NetworkFailure());
      return std::nullopt;
    };
  }
  void LoseAnswer(const std::string& kind) {
    lost_ = false;
    ca().after = [this, kind](const Seen& seen, http::Response&) {
      if (seen.kind == kind && !lost_.exchange(true)) throw Error(NetworkFailure());
    };
  }

  std::atomic<bool> dead_ = false;
  std::atomic<bool> lost_ = false;
};

struct Kind {
  const char* name;
  std::function<void(FakeCa&)> make;
};
const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = {
      {"issues at once", [](FakeCa&) {}},
      {"takes its time", [](FakeCa& ca) { ca.polls_pending = ca.polls_processing = 2; }},
      {"validates at once", [](FakeCa& ca) { ca.validates_at_once = true; }},
      {"has validated before", [](FakeCa& ca) { ca.valid_already = true; }},
  };
  return kinds;
}

TEST_F(OrderResumeTest, CarriesTheSameOrderOnFromEverySave) {
  for (const Kind& kind : Kinds()) {
    for (std::size_t save = 0;; ++save) {
      SCOPED_TRACE(Cat(kind.name, ", ended after save ", save));
      Reset();
      kind.make(ca());
      UseNames(2);
      Mortal();
      on_save_ = [&] {
        if (dead_) Die();
        dead_ = saves_.size() == save;  // as soon as this one is on the disk
      };
      if (!Run()) {
        EXPECT_EQ(save, kind.name == std::string("has validated before") ? 2u : 3u);
        break;
      }
      ASSERT_THAT(saves_, SizeIs(save + 1));
      StartAgain(model::OrderRecord(saves_.back()));
      ExpectDone();
      EXPECT_EQ(ca().Orders(), 1u);
    }
  }
}

// The CA has acted, nobody has read its answer. What is known then is the last save, or, where the
// process could still write, the record in memory.
TEST_F(OrderResumeTest, CarriesTheSameOrderOnFromEveryRequest) {
  for (const Kind& kind : Kinds()) {
    for (const bool last_save : {true, false}) {
      for (int request = 2;; ++request) {
        SCOPED_TRACE(Cat(kind.name, ", ended after POST ", request, ", the last save ", last_save));
        Reset();
        kind.make(ca());
        UseNames(2);
        Mortal();
        std::atomic<int> posts = 0;
        ca().after = [&](const Seen& seen, http::Response&) {
          if (seen.request.method == "POST" && ++posts == request) Die();
        };
        if (!Run()) {
          EXPECT_GE(request, 4);
          break;
        }
        ASSERT_THAT(saves_, Not(IsEmpty()));
        StartAgain(last_save ? model::OrderRecord(saves_.back()) : model::OrderRecord(order_));
        ExpectDone();
        EXPECT_EQ(ca().Orders(), 1u);
      }
    }
  }
}

TEST_F(OrderResumeTest, OrdersAgainOnlyWhereTheAnswerToNewOrderWasLost) {
  LoseAnswer("newOrder");
  ExpectDone();
  EXPECT_EQ(ca().Orders(), 2u) << "nobody can know of the first one";
  Reset();
  LoseRequest("newOrder");
  ExpectDone();
  EXPECT_EQ(ca().Orders(), 1u);
}

TEST_F(OrderResumeTest, LooksWhetherFinalizeHasArrivedBeforeItIsSentAgain) {
  LoseAnswer("finalize");
  ExpectDone();
  EXPECT_EQ(ca().Posts(), "newOrder authz challenge order finalize order cert");
}

TEST_F(OrderResumeTest, SendsFinalizeAgainWhereItHasNotArrived) {
  LoseRequest("finalize");
  ExpectDone();
  EXPECT_EQ(ca().Posts(), "newOrder authz challenge order finalize order finalize cert");
  const auto sent = ca().Of("finalize");
  EXPECT_EQ(PemOfPublicKeyOf(FromBase64Url(sent.at(0).payload.String("csr")).value()),
            PemOfPublicKeyOf(FromBase64Url(sent.at(1).payload.String("csr")).value()));
}

// The first one had arrived late: section 7.4 knows no better word for it.
TEST_F(OrderResumeTest, TakesOrderNotReadyForAQuestionToTheOrder) {
  ca().after = [&](const Seen& seen, http::Response& answer) {
    if (seen.kind != "finalize") return;
    answer = ProblemAnswer(403, "orderNotReady", "the order is valid");
  };
  ExpectDone();
  EXPECT_EQ(ca().Posts(), "newOrder authz challenge order finalize order cert");
}

TEST_F(OrderResumeTest, StartsAChallengeAgainWhoseStartHasNotArrived) {
  UseNames(2);
  LoseRequest("challenge");
  ExpectDone();
  std::vector<int> starts = {0, 0};
  for (const Seen& seen : ca().Of("challenge")) ++starts.at(seen.name);
  EXPECT_THAT(starts, AnyOf(ElementsAre(2, 1), ElementsAre(1, 2))) << "the lost one alone";
  EXPECT_EQ(ca().Count("authz"), 4);
  EXPECT_EQ(ca().Orders(), 1u);
}

TEST_F(OrderResumeTest, DoesNotStartAChallengeAgainWhoseAnswerAloneWasLost) {
  ca().polls_pending = 1;
  LoseAnswer("challenge");
  ExpectDone();
  EXPECT_EQ(ca().Posts(), "newOrder authz challenge order authz order finalize cert");
}

TEST_F(OrderResumeTest, PresentsTheTokensAgainBeforeItWaits) {
  UseNames(2);
  ca().polls_pending = 2;
  Mortal();
  presenter_->on_wait = [&] { dead_ = true; };
  EXPECT_TRUE(Run().has_value());
  ASSERT_EQ(order_.state, OrderState::kValidating);
  ASSERT_THAT(presenter_->Withdrawn(), SizeIs(2));
  StartAgain(model::OrderRecord(saves_.back()));
  presenter_->on_wait = [&] { EXPECT_THAT(presenter_->Presented(), SizeIs(4)); };
  ExpectDone();
  EXPECT_THAT(presenter_->Presented(), SizeIs(4));
  EXPECT_EQ(ca().Count("challenge"), 0) << "they were started before";
  EXPECT_EQ(told_.at(0), "order");
}

struct Full {
  const char* name;
  std::size_t saves;  // that still find room
  const char* posts;  // until the disk is full
};
constexpr Full kFull[] = {
    {"the order", 0, "newOrder"},
    {"the challenges", 1, "newOrder authz"},
    {"finalize", 2, "newOrder authz challenge order"},
};

TEST_F(OrderResumeTest, AsksNothingMoreWhereTheRecordCannotBeSaved) {
  for (const Full& row : kFull) {
    SCOPED_TRACE(row.name);
    Reset();
    on_save_ = [&] {
      if (saves_.size() == row.saves) throw Error(FailureCode::kDisk, "no space left on device");
    };
    const auto failure = Run();
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->code, FailureCode::kDisk);
    EXPECT_EQ(ca().Posts(), row.posts);
    EXPECT_NE(order_.state, OrderState::kFailed);
  }
}

TEST_F(OrderResumeTest, CarriesOnWhereTheDiskHasRoomAgain) {
  for (const Full& row : kFull) {
    for (const bool last_save : {true, false}) {
      if (last_save && row.saves == 0) continue;  // nothing is known of the order
      SCOPED_TRACE(Cat(row.name, ", the last save ", last_save));
      Reset();
      on_save_ = [&] {
        if (saves_.size() == row.saves) throw Error(FailureCode::kDisk, "no space left on device");
      };
      ASSERT_TRUE(Run().has_value());
      StartAgain(last_save ? model::OrderRecord(saves_.back()) : model::OrderRecord(order_));
      ExpectDone();
      EXPECT_EQ(ca().Orders(), 1u);
    }
  }
}

TEST_F(OrderResumeTest, LeavesAnOrderAsItIsWhereTheNetworkIsGoneAndCarriesItOn) {
  for (const char* kind : {"authz", "challenge", "order", "finalize", "cert"}) {
    SCOPED_TRACE(kind);
    Reset();
    Instead(kind, []() -> http::Response { throw Error(NetworkFailure()); });
    const auto failure = Run();
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->code, FailureCode::kNetwork);
    EXPECT_TRUE(failure->transient);
    order_.attempts = 0;  // as every run begins
    StartAgain(model::OrderRecord(order_));
    ExpectDone();
    EXPECT_EQ(ca().Orders(), 1u);
  }
}

TEST_F(OrderResumeTest, AsksTheCaNothingAboutAnOrderThatHasEnded) {
  ExpectDone();
  Forget();
  ExpectDone();
  EXPECT_THAT(ca().Requests(), IsEmpty());

  order_.state = OrderState::kFailed;
  order_.failure = Failure{};
  order_.failure->code = FailureCode::kRefused;
  order_.failure->detail = "it was refused";
  const auto failure = Run();
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->detail, "it was refused");
  EXPECT_THAT(ca().Requests(), IsEmpty());
}

TEST_F(OrderResumeTest, SaysWhatHappenedToTheOrderMeanwhile) {
  struct Row {
    const char* name;
    std::function<void(http::Response&)> meanwhile;
    FailureCode code;
    const char* says;
  };
  const Row rows[] = {
      {"forgotten",
       [](http::Response& answer) { answer = ProblemAnswer(404, "malformed", "no such order"); },
       FailureCode::kRefused, "no such order"},
      {"expired", [](http::Response& answer) { SetMember(answer, "status", "invalid"); },
       FailureCode::kRefused, "the CA says that the order is invalid"},
      {"another's", [](http::Response& answer) { SetMember(answer, "identifiers", json::Array{}); },
       FailureCode::kProtocol, "other identifiers"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Reset();
    Mortal();
    presenter_->on_wait = [&] { dead_ = true; };
    ASSERT_TRUE(Run().has_value());
    StartAgain(model::OrderRecord(saves_.back()));
    Spoil("order", row.meanwhile);
    const auto failure = Run();
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->code, row.code);
    EXPECT_THAT(failure->detail, HasSubstr(row.says));
    EXPECT_EQ(order_.state, OrderState::kFailed);
    ASSERT_TRUE(order_.failure.has_value());
    EXPECT_EQ(order_.failure->detail, failure->detail);
    EXPECT_EQ(ca().Orders(), 1u);
  }
}

}  // namespace
}  // namespace certwright::acme
