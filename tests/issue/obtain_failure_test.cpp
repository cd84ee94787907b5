// What is written down of a failure, and the fuse (I4).
#include "fixture.h"

namespace certwright::issue {
namespace {

using model::OrderState;
using testing::ElementsAre;
using testing::HasSubstr;

class FailureTest : public IssueTest {
 protected:
  // One refused order after another, `apart` seconds between them.
  void Refused(int orders, UnixSeconds apart, const std::vector<std::string>& names) {
    Answers("newOrder", ProblemAnswer(403, "unauthorized", "no"));
    for (int i = 0; i < orders; ++i) {
      EXPECT_EQ(Fails(names).acme_type, "unauthorized");
      Pass(apart);
    }
    ca_.before = nullptr;
    ca_.Forget();
  }
  static ObtainRequest Forced(const std::vector<std::string>& names) {
    ObtainRequest request = Wish(names);
    request.force = true;
    return request;
  }
};

TEST_F(FailureTest, IsWrittenDownWithCertificateAndOrder) {
  const http::Response later =
      ProblemAnswer(429, "rateLimited", "too many", {{"retry-after", "3600"}});
  const struct {
    const char* name;
    std::function<void()> arrange;
    FailureCode code;
    std::string detail;
    OrderState state;  // of the order, afterwards
    UnixSeconds next = 0;
  } kTable[] = {
      {"refused", [&] { Answers("newOrder", ProblemAnswer(403, "caa", "CAA forbids it")); },
       FailureCode::kRefused, "CAA forbids it", OrderState::kFailed},
      {"not validated", [&] { ca_.refused_names = {"a.example.org"}; }, FailureCode::kRefused,
       "connection refused", OrderState::kFailed},
      {"a certificate for another name", [&] { ca_.leaf_names = "DNS:evil.example.org"; },
       FailureCode::kProtocol, "evil.example.org", OrderState::kFailed},
      {"later, please", [&] { Answers("newOrder", later); }, FailureCode::kRateLimited, "too many",
       OrderState::kCreating, kNow + 3600},
      {"no network", [&] { Cut("newOrder"); }, FailureCode::kNetwork, "cut", OrderState::kCreating},
      {"no network at the end", [&] { Cut("cert"); }, FailureCode::kNetwork, "cut",
       OrderState::kIssued},
      {"no account", [&] { Answers("account", ProblemAnswer(403, "unauthorized", "go away")); },
       FailureCode::kRefused, "go away", OrderState::kCreating},
  };
  for (const auto& row : kTable) {
    SCOPED_TRACE(row.name);
    SetUpAgain();
    ca_.refused_names.clear();
    ca_.leaf_names.clear();
    row.arrange();
    const Failure failure = Fails({"a.example.org"});
    EXPECT_EQ(failure.code, row.code);
    EXPECT_THAT(failure.detail, HasSubstr(row.detail));
    const model::ManagedCertificate certificate = Held("a.example.org").certificate;
    EXPECT_EQ(certificate.last_error, failure) << "word for word";
    EXPECT_EQ(certificate.last_error_at, clock_.Now());
    EXPECT_EQ(certificate.failures, 1);
    EXPECT_EQ(certificate.next_action_at, row.next > 0 ? row.next : clock_.Now() + 60);
    EXPECT_EQ(failure.retry_at, certificate.next_action_at);
    ASSERT_EQ(Orders("a.example.org").size(), 1u);
    const model::OrderRecord order = Orders("a.example.org")[0];
    EXPECT_EQ(order.state, row.state);
    EXPECT_EQ(order.failure.has_value(), row.state == OrderState::kFailed);
    ASSERT_EQ(Events().size(), 1u);
    EXPECT_EQ(Events()[0].name, "certificate-failed");
    EXPECT_EQ(Events()[0].failure, failure);
    EXPECT_EQ(presenter_.Presented().size(), presenter_.Withdrawn().size());
  }
}

TEST_F(FailureTest, LeavesTheOneThatIsHeldAlone) {
  const store::HeldCertificate before = Obtain({"a.example.org"}).held;
  Answers("newOrder", ProblemAnswer(403, "unauthorized", "no"));
  Fails(Forced({"a.example.org"}));
  const store::HeldCertificate after = Held("a.example.org");
  EXPECT_EQ(after.current->serial_hex, before.current->serial_hex);
  EXPECT_EQ(after.certificate.failures, 1);
}

TEST_F(FailureTest, OfTheFuseLeavesTheReasonAndTheCountAsTheyAre) {
  Refused(4, 1, {"a.example.org"});
  const Failure before = *Held("a.example.org").certificate.last_error;
  const Failure failure = Fails({"a.example.org"});
  EXPECT_EQ(failure.code, FailureCode::kFuse);
  EXPECT_THAT(failure.advice, HasSubstr("certwright issue --force"));
  EXPECT_THAT(failure.detail, HasSubstr(before.detail)) << "told to who asks";
  const model::ManagedCertificate certificate = Held("a.example.org").certificate;
  EXPECT_EQ(certificate.last_error->detail, before.detail) << "the CA's words";
  EXPECT_EQ(certificate.last_error->retry_at, failure.retry_at);
  EXPECT_EQ(certificate.failures, 4);
  EXPECT_EQ(certificate.next_action_at, failure.retry_at);
}

TEST_F(FailureTest, IsCountedInARow) {
  Refused(3, 1, {"a.example.org"});
  EXPECT_EQ(Held("a.example.org").certificate.failures, 3);
  EXPECT_EQ(Orders("a.example.org").size(), 3u) << "each was a new order";
}

TEST_F(FailureTest, IsToldWhereSomebodySaysSo) {
  const UnixSeconds not_after = Obtain({"a.example.org"}).held.current->not_after;
  Answers("newOrder", ProblemAnswer(403, "unauthorized", "no"));
  for (int i = 0; i < 4; ++i) Fails(Forced({"a.example.org"}));
  std::vector<std::string> told;
  for (const model::Event& event : Events()) told.push_back(event.name + " " + event.reason);
  EXPECT_THAT(told, ElementsAre("certificate-changed issued", "certificate-failed failed",
                                "certificate-failed parked"));
  const model::Event last = Events().back();
  EXPECT_THAT(last.names, ElementsAre("a.example.org"));
  EXPECT_EQ(last.certificate_id, Held("a.example.org").certificate.id);
  EXPECT_EQ(last.not_after, not_after);
  EXPECT_EQ(last.failure->acme_type, "unauthorized");
  EXPECT_EQ(last.failure->retry_at, clock_.Now() + 60);
}

TEST_F(FailureTest, OfAFreshOrderIsNotTriedAgainAtOnce) {
  ca_.refused_names = {"a.example.org"};
  Fails({"a.example.org"});
  EXPECT_EQ(ca_.Orders(), 1u);
}

TEST_F(FailureTest, ThatCannotBeWrittenDownIsStillTheOneThatIsTold) {
  Meddle(
      "CREATE TRIGGER full BEFORE UPDATE OF last_error ON certificate "
      "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
  Answers("newOrder", ProblemAnswer(403, "unauthorized", "the CA's words"));
  EXPECT_THAT(Fails({"a.example.org"}).detail, HasSubstr("the CA's words"));
}

TEST_F(FailureTest, ACertificateThatIsRemovedMeanwhileStaysRemoved) {
  ca_.before = [&](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind == "cert") {
      Remove(*process_->database, process_->feed, clock_, Held("a.example.org").certificate.id);
    }
    return std::nullopt;
  };
  EXPECT_EQ(Fails({"a.example.org"}).code, FailureCode::kNotFound);
  EXPECT_TRUE(
      Read([](store::Session& session) { return store::ListCertificates(session, true); }).empty());
  EXPECT_TRUE(Events().empty());
}

TEST_F(FailureTest, TheFuseHoldsBeforeTheCaIsAsked) {
  Refused(4, kDay, {"a.example.org", "b.example.org"});
  const Failure failure = Fails({"b.example.org", "a.example.org"});
  EXPECT_EQ(failure.code, FailureCode::kFuse);
  EXPECT_THAT(failure.identifiers, ElementsAre("a.example.org", "b.example.org"));
  EXPECT_THAT(failure.detail, HasSubstr("4 orders"));
  EXPECT_THAT(failure.advice, HasSubstr("--force"));
  EXPECT_EQ(failure.retry_at, kNow + 7 * kDay) << "when the first one leaves the window";
  EXPECT_TRUE(ca_.Requests().empty());
  EXPECT_EQ(Orders("a.example.org,b.example.org").size(), 4u);
  EXPECT_EQ(FailureOf([&] {
              process_->obtainer.DryRun(Wish({"a.example.org", "b.example.org"}), {});
            }).code,
            FailureCode::kFuse);
  Pass(failure.retry_at - clock_.Now());
  EXPECT_TRUE(Obtain({"a.example.org", "b.example.org"}).issued) << "as was promised";
}

TEST_F(FailureTest, TheFuseLetsThroughWhatItMay) {
  const struct {
    const char* name;
    int orders;
    UnixSeconds later;  // than the first of them, which are an hour apart
    ObtainRequest request;
    bool held_back;
  } kTable[] = {
      {"the fourth", 3, 4 * 3600, Wish({"a.example.org"}), false},
      {"the fifth", 4, 4 * 3600, Wish({"a.example.org"}), true},
      {"in the window's last second", 4, 7 * kDay - 1, Wish({"a.example.org"}), true},
      {"when the first has left it", 4, 7 * kDay, Wish({"a.example.org"}), false},
      {"forced", 4, 4 * 3600, Forced({"a.example.org"}), false},
      {"another name set", 4, 4 * 3600, Wish({"a.example.org", "b.example.org"}), false},
  };
  for (const auto& row : kTable) {
    SetUpAgain();
    Refused(row.orders, 3600, {"a.example.org"});
    Pass(row.later - row.orders * 3600);
    if (row.held_back) {
      EXPECT_EQ(Fails(row.request).code, FailureCode::kFuse) << row.name;
    } else {
      EXPECT_TRUE(Obtain(row.request).issued) << row.name;
    }
  }
}

TEST_F(FailureTest, TheFuseCountsSuccessesAndForcedOrdersToo) {
  for (int i = 0; i < 4; ++i) Obtain(Forced({"a.example.org"}));
  Answers("newOrder", ProblemAnswer(403, "unauthorized", "no"));
  Pass(1);
  Fails(Forced({"a.example.org"}));
  process_->database->Write([&](store::Session& session) {
    model::CertificateVersion version = *store::FindByNameSet(session, "a.example.org")->current;
    version.not_after = clock_.Now();  // as if it had run out
    store::AddCurrentVersion(session, version, 0, clock_.Now());
  });
  EXPECT_EQ(Fails({"a.example.org"}).code, FailureCode::kFuse);
}

TEST_F(FailureTest, RemovingTheCertificateDoesNotMendTheFuse) {
  Refused(4, 3600, {"a.example.org"});
  Remove(*process_->database, process_->feed, clock_, Held("a.example.org").certificate.id);
  Restart();
  const Failure failure = Fails({"a.example.org"});
  EXPECT_EQ(failure.code, FailureCode::kFuse);
  EXPECT_EQ(failure.retry_at, kNow + 7 * kDay) << "the removed orders count";
  EXPECT_TRUE(ca_.Requests().empty());
}

TEST_F(FailureTest, AnOrderThatIsOpenAlreadyIsNoNewOneForTheFuse) {
  Refused(3, 0, {"a.example.org"});
  Cut("finalize");
  Fails({"a.example.org"});
  ca_.before = nullptr;
  EXPECT_TRUE(Obtain({"a.example.org"}).issued) << "the fourth is carried on";
}

}  // namespace
}  // namespace certwright::issue
