#include "certwright/issue/revoke.h"

#include "fixture.h"

namespace certwright::issue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RevokeTest : public IssueTest {
 protected:
  RevokeTest() { Renew(); }

  // Another version; gives its id.
  std::int64_t Renew() {
    ObtainRequest request = Wish({"a.example.org"});
    request.renew = true;
    const std::int64_t id = Obtain(request).held.current->id;
    ca_.Forget();
    return id;
  }
  std::int64_t CurrentId() { return Held("a.example.org").current->id; }
  Revoker MakeRevoker() {
    return Revoker(*process_->database, process_->authorities, process_->feed, clock_);
  }
  void Want(std::int64_t id, const store::RevocationWish& wish = {"superseded"}) {
    MakeRevoker().Want(id, wish);
  }
  std::int64_t Revoke(std::int64_t id) { return MakeRevoker().Revoke(id, nullptr, {}); }
  std::optional<Failure> CarryOn() { return MakeRevoker().CarryOn({}); }
  bool IsHeld() {
    return Read([](store::Session& session) {
      return store::FindByNameSet(session, "a.example.org").has_value();
    });
  }
  model::CertificateVersion Version(std::int64_t id) {
    return Read([&](store::Session& session) {
      return store::FindVersion(session, id).value_or(model::CertificateVersion{});
    });
  }
  std::size_t ToRevoke() {
    return Read([](store::Session& session) { return store::ListToRevoke(session).size(); });
  }
};

TEST_F(RevokeTest, ACurrentVersionGoesWithItsCertificate) {
  const std::int64_t id = CurrentId();
  Want(id, {"cessationOfOperation"});
  const std::int64_t seq = Revoke(id);
  EXPECT_EQ(ca_.Posts(), "revokeCert");
  EXPECT_EQ(ca_.Of("revokeCert")[0].payload.Int("reason"), 5);
  EXPECT_FALSE(IsHeld());
  const model::Event told = Events().back();
  EXPECT_EQ(told.seq, seq);
  EXPECT_EQ(told.reason, "revoked");
  EXPECT_THAT(told.names, ElementsAre("a.example.org"));
}

TEST_F(RevokeTest, AFormerVersionStaysInTheHistory) {
  const std::int64_t former = CurrentId();
  const std::int64_t current = Renew();
  const std::size_t events = Events().size();
  Want(former);
  EXPECT_EQ(Revoke(former), 0);
  EXPECT_EQ(Version(former).revoked_at, clock_.Now());
  EXPECT_EQ(CurrentId(), current);
  EXPECT_EQ(Events().size(), events) << "what is served is as it was";
  EXPECT_EQ(Revoke(former), 0) << "it is over";
  EXPECT_EQ(ca_.Count("revokeCert"), 1);
}

TEST_F(RevokeTest, TheReplacementHasANewKeyWhateverThePolicySays) {
  ObtainRequest reusing = Wish({"a.example.org"});
  reusing.wish.reuse_key = true;
  Obtain(reusing);
  const Secret kept = Held("a.example.org").current->key_pem;
  Renew();
  ASSERT_EQ(Held("a.example.org").current->key_pem, kept) << "the policy, without a revocation";
  const std::int64_t id = CurrentId();
  Want(id, {"keyCompromise", false, true});
  Renew();
  EXPECT_NE(Held("a.example.org").current->key_pem, kept);
  Revoke(id);
  EXPECT_TRUE(IsHeld());
}

// An order with the key of what is to be revoked was under way before that was known.
TEST_F(RevokeTest, AnOpenOrderWithTheSameKeyIsGivenUp) {
  ObtainRequest reusing = Wish({"a.example.org"});
  reusing.wish.reuse_key = true;
  Obtain(reusing);
  Cut("order");
  ObtainRequest renewal = Wish({"a.example.org"});
  renewal.renew = true;
  Fails(renewal);
  ca_.before = nullptr;
  const std::int64_t id = CurrentId();
  Want(id, {"keyCompromise", false, true});
  Renew();
  EXPECT_NE(Held("a.example.org").current->key_pem, Version(id).key_pem);
}

TEST_F(RevokeTest, IsNotAskedForBeforeItIsReplaced) {
  const std::int64_t id = CurrentId();
  Want(id, {"superseded", false, true});
  EXPECT_FALSE(CarryOn());
  EXPECT_EQ(FailureOf([&] { Revoke(id); }).code, FailureCode::kInternal);
  EXPECT_EQ(ca_.Posts(), "");
  Renew();
  EXPECT_FALSE(CarryOn());
  EXPECT_EQ(ca_.Posts(), "revokeCert");
  EXPECT_GT(Version(id).revoked_at, 0);
}

TEST_F(RevokeTest, TheCertificatesOwnKeyAsks) {
  const std::int64_t id = CurrentId();
  Want(id, {"keyCompromise", true});
  Revoke(id);
  EXPECT_TRUE(ca_.Of("revokeCert")[0].header.Has("jwk"));
  EXPECT_EQ(ca_.Of("revokeCert")[0].payload.Int("reason"), 1);
}

// Whatever the CA heard of it before the process ended, the next start ends it.
TEST_F(RevokeTest, IsCarriedOnAfterACrash) {
  struct Row {
    const char* name;
    bool arrives;
  };
  for (const Row& row : {Row{"before the CA was asked", false}, Row{"after the CA heard", true}}) {
    SCOPED_TRACE(row.name);
    if (!IsHeld()) Renew();
    const std::int64_t id = CurrentId();
    Want(id);
    const auto cut = [&](const Seen& seen) {
      if (seen.kind == "revokeCert") throw Error(NetworkFailure());
    };
    ca_.before = [&](const Seen& seen) -> std::optional<http::Response> {
      if (!row.arrives) cut(seen);
      return std::nullopt;
    };
    ca_.after = [&](const Seen& seen, http::Response&) {
      if (row.arrives) cut(seen);
    };
    const Failure failure = FailureOf([&] { Revoke(id); });
    EXPECT_EQ(failure.code, FailureCode::kNetwork);
    EXPECT_THAT(failure.advice, HasSubstr("tried again"));
    EXPECT_TRUE(IsHeld()) << "it is not known to be revoked";
    ca_.before = nullptr;
    ca_.after = nullptr;
    Restart();
    EXPECT_FALSE(CarryOn());
    EXPECT_FALSE(IsHeld());
    EXPECT_EQ(Events().back().reason, "revoked");
    EXPECT_EQ(ToRevoke(), 0u);
  }
}

TEST_F(RevokeTest, AFailureThatPassesIsGivenAndTriedAgain) {
  Want(CurrentId());
  Cut("revokeCert");
  EXPECT_EQ(CarryOn()->code, FailureCode::kNetwork);
  EXPECT_EQ(ToRevoke(), 1u);
}

TEST_F(RevokeTest, WhatTheCaRefusesIsNotAskedAgain) {
  const std::int64_t id = CurrentId();
  Want(id);
  Answers("revokeCert", ProblemAnswer(403, "unauthorized", "not yours"));
  const Failure failure = FailureOf([&] { Revoke(id); });
  EXPECT_EQ(failure.acme_type, "unauthorized");
  EXPECT_THAT(failure.advice, HasSubstr("--with-key"));
  EXPECT_EQ(ToRevoke(), 0u);
  EXPECT_EQ(Held("a.example.org").certificate.next_action_at, clock_.Now()) << "renewed again";
  EXPECT_TRUE(IsHeld());
}

TEST_F(RevokeTest, OthersOfTheCertificateAreNotForgottenWithIt) {
  const std::int64_t former = CurrentId();
  const std::int64_t current = Renew();
  Want(former, {"keyCompromise"});
  Want(current, {"superseded"});
  Revoke(current);
  EXPECT_EQ(ca_.Revoked().size(), 2u);
  EXPECT_FALSE(IsHeld());
}

TEST_F(RevokeTest, OneThatHasToWaitHoldsUpNoOther) {
  FakeCa other;
  fallbacks_ = {{"https://other.test/directory", &other}};
  Restart();
  const std::int64_t former = CurrentId();
  const std::int64_t newest = Renew();
  // The former one is from a CA that is down.
  Meddle("UPDATE version SET ca = 'https://other.test/directory' WHERE id = " +
         std::to_string(former));
  other.before = [](const Seen&) -> std::optional<http::Response> { throw Error(NetworkFailure()); };
  Want(former, {"keyCompromise"});
  Want(newest, {"keyCompromise"});
  EXPECT_EQ(Revoke(newest), 0) << "its certificate stays until the other one is revoked too";
  EXPECT_EQ(ca_.Count("revokeCert"), 1);
  EXPECT_GT(Version(newest).revoked_at, 0);
  EXPECT_TRUE(IsHeld());
  other.before = nullptr;
  EXPECT_FALSE(CarryOn());
  EXPECT_EQ(other.Count("revokeCert"), 1);
  EXPECT_FALSE(IsHeld());
  EXPECT_EQ(Events().back().reason, "revoked");
  Stop();  // before its CA goes
}

TEST_F(RevokeTest, RefusesWhatNoCaOfOursIssued) {
  Meddle("UPDATE version SET ca = 'https://elsewhere.test/directory'");
  Failure failure = FailureOf([&] { Want(CurrentId()); });
  EXPECT_EQ(failure.code, FailureCode::kRefused);
  EXPECT_THAT(failure.detail, HasSubstr("elsewhere.test"));
  Meddle("UPDATE version SET origin = 'upload', ca = ''");
  failure = FailureOf([&] { Want(CurrentId()); });
  EXPECT_EQ(failure.code, FailureCode::kRefused);
  EXPECT_THAT(failure.detail, HasSubstr("uploaded"));
  EXPECT_EQ(FailureOf([&] { Want(999); }).code, FailureCode::kNotFound);
  EXPECT_EQ(FailureOf([&] { Want(CurrentId(), {"boredom"}); }).code, FailureCode::kInput);
  EXPECT_EQ(ToRevoke(), 0u);
}

}  // namespace
}  // namespace certwright::issue
