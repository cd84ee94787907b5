// Update, Rollover and Deactivate, also where the process ends between two of their steps.
#include <thread>

#include "certwright/base/text.h"
#include "certwright/crypto/jws.h"
#include "fixture.h"

namespace certwright::issue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kUrl[] = "https://ca.test/account/1";

class AccountChangesTest : public IssueTest {
 protected:
  AccountChangesTest() {
    wishes_.email = "admin@example.org";
    Ensure();
    first_key_ = Stored().key_pem;
    ca_.Forget();
  }
  AccountKeeper& accounts() { return process_->accounts; }
  acme::Signer Ensure() { return accounts().Ensure(nullptr, {}); }
  model::Account Stored() { return accounts().Find().value_or(model::Account{}); }
  void Rollover() { accounts().Rollover(nullptr, {}); }
  // Whether the CA finds an account by this key.
  bool CaKnows(const Secret& key) {
    model::Account asked;
    asked.key_pem = key;
    return acme::FindAccountByKey(process_->client, asked, {});
  }
  // One key, the CA's and ours, and the same account.
  void ExpectSettled(bool rolled_over) {
    const acme::Signer signer = Ensure();
    EXPECT_EQ(signer.account_url, kUrl);
    EXPECT_EQ(signer.key.ToPkcs8Pem(), Stored().key_pem);
    EXPECT_TRUE(Stored().next_key_pem.empty());
    EXPECT_EQ(Stored().key_pem != first_key_, rolled_over);
    EXPECT_TRUE(CaKnows(Stored().key_pem));
    EXPECT_EQ(CaKnows(first_key_), !rolled_over);
    EXPECT_EQ(ca_.Accounts(), 1u);
    EXPECT_TRUE(Obtain({Cat("after-", ++orders_, ".example.org")}).issued) << "and it works";
  }

  Secret first_key_;
  int orders_ = 0;
};

TEST_F(AccountChangesTest, TheContactBecomesWhatIsConfigured) {
  wishes_.email = "other@example.org";
  Restart();
  EXPECT_THAT(accounts().Update({}, nullptr, {}).contact, ElementsAre("mailto:other@example.org"));
  EXPECT_THAT(Stored().contact, ElementsAre("mailto:other@example.org"));
  EXPECT_EQ(ca_.Posts(), "accountUrl");
}

TEST_F(AccountChangesTest, OrWhatIsAsked) {
  accounts().Update("asked@example.org", nullptr, {});
  EXPECT_THAT(Stored().contact, ElementsAre("mailto:asked@example.org"));
  accounts().Update("", nullptr, {});
  EXPECT_THAT(Stored().contact, IsEmpty());
}

TEST_F(AccountChangesTest, ARefusedContactSaysOfWhichAccount) {
  Answers("accountUrl", ProblemAnswer(400, "invalidContact", "no such domain"));
  const Failure failure = FailureOf([&] { accounts().Update({}, nullptr, {}); });
  EXPECT_EQ(failure.acme_type, "invalidContact");
  EXPECT_THAT(failure.detail, HasSubstr(kDirectoryUrl));
  EXPECT_THAT(Stored().contact, ElementsAre("mailto:admin@example.org"));
}

TEST_F(AccountChangesTest, WithoutAnAccountNothingCanBeChanged) {
  Stop();
  std::filesystem::remove_all(temp_.path() / "state");
  Restart();
  EXPECT_EQ(FailureOf([&] { Rollover(); }).code, FailureCode::kNotFound);
  EXPECT_EQ(FailureOf([&] { accounts().Update({}, nullptr, {}); }).code, FailureCode::kNotFound);
  EXPECT_EQ(FailureOf([&] { accounts().Deactivate(nullptr, {}); }).code, FailureCode::kNotFound);
  EXPECT_EQ(ca_.Posts(), "");
}

TEST_F(AccountChangesTest, TheAccountGetsANewKey) {
  Rollover();
  ExpectSettled(true);
  Rollover();
  ExpectSettled(true);
}

TEST_F(AccountChangesTest, TheNewKeyIsStoredBeforeTheCaHearsOfIt) {
  std::string stored, sent;
  ca_.before = [&](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind != "keyChange") return std::nullopt;
    stored = crypto::Jwk(crypto::PrivateKey::FromPem(Stored().next_key_pem));
    sent = FromBase64Url(seen.payload.String("protected")).value_or("");
    return std::nullopt;
  };
  Rollover();
  EXPECT_THAT(sent, HasSubstr(stored));
}

// What each request of a roll-over may meet before the process ends; the next start settles it.
TEST_F(AccountChangesTest, ARollOverThatWasCutOffIsSettledAtTheNextStart) {
  struct Row {
    const char* name;
    const char* request;
    bool arrives;
  };
  for (const Row& row : {Row{"before the CA was asked for the key", "account", false},
                         Row{"before keyChange arrived", "keyChange", false},
                         Row{"after keyChange arrived", "keyChange", true}}) {
    for (const bool url_lost : {false, true}) {
      SCOPED_TRACE(Cat(row.name, url_lost ? ", and the URL of the account is lost" : ""));
      first_key_ = Stored().key_pem;
      const auto cut = [&](const Seen& seen) {
        if (seen.kind == row.request) throw Error(NetworkFailure());
      };
      ca_.before = [&](const Seen& seen) -> std::optional<http::Response> {
        if (!row.arrives) cut(seen);
        return std::nullopt;
      };
      ca_.after = [&](const Seen& seen, http::Response&) {
        if (row.arrives) cut(seen);
      };
      // The retry of the same run would look at once.
      std::stop_source ended;
      clock_.on_sleep = [&] { ended.request_stop(); };
      EXPECT_THROW(accounts().Rollover(nullptr, ended.get_token()), Error);
      clock_.on_sleep = nullptr;
      EXPECT_FALSE(Stored().next_key_pem.empty());
      if (url_lost) Meddle("UPDATE account SET url = ''");
      Restart();
      ca_.before = nullptr;
      ca_.after = nullptr;
      ExpectSettled(true);
    }
  }
}

TEST_F(AccountChangesTest, NobodyUsesTheAccountBeforeItIsSettled) {
  Cut("keyChange");
  EXPECT_EQ(FailureOf([&] { Rollover(); }).code, FailureCode::kNetwork);
  EXPECT_EQ(FailureOf([&] { Ensure(); }).code, FailureCode::kNetwork);
  EXPECT_EQ(Fails({"a.example.org"}).code, FailureCode::kNetwork);
  EXPECT_EQ(ca_.Count("newOrder"), 0);
  ca_.before = nullptr;
  ExpectSettled(true);
}

TEST_F(AccountChangesTest, ALostAnswerIsMadeUpForInTheSameRun) {
  ca_.after = [lose = true](const Seen& seen, http::Response&) mutable {
    if (seen.kind == "keyChange" && std::exchange(lose, false)) throw Error(NetworkFailure());
  };
  Rollover();
  EXPECT_EQ(ca_.Count("keyChange"), 1) << "the CA has the key already";
  ExpectSettled(true);
}

TEST_F(AccountChangesTest, TheFormerKeyIsKeptWhereTheCaRefusesTheNewOne) {
  Answers("keyChange", ProblemAnswer(400, "badPublicKey", "not this one"));
  const Failure failure = FailureOf([&] { Rollover(); });
  EXPECT_EQ(failure.acme_type, "badPublicKey");
  EXPECT_THAT(failure.detail, HasSubstr(kDirectoryUrl));
  ca_.before = nullptr;
  ExpectSettled(false);
}

TEST_F(AccountChangesTest, ACaWithoutKeyChangeKeepsTheFormerKey) {
  ca_.key_change = false;
  Restart();
  EXPECT_THAT(FailureOf([&] { Rollover(); }).advice, HasSubstr("keyChange"));
  ExpectSettled(false);
}

TEST_F(AccountChangesTest, ARollOverWaitsForWhoeverHoldsTheKey) {
  std::optional held = accounts().HoldKey();
  int slept = 0;
  clock_.on_sleep = [&] {
    EXPECT_EQ(ca_.Count("keyChange"), 0);
    if (++slept == 3) held.reset();
  };
  Rollover();
  clock_.on_sleep = nullptr;
  EXPECT_EQ(slept, 3);
  ExpectSettled(true);
}

TEST_F(AccountChangesTest, ButNotForEver) {
  const auto held = accounts().HoldKey();
  const Failure failure = FailureOf([&] { Rollover(); });
  EXPECT_EQ(failure.code, FailureCode::kTimeout);
  EXPECT_TRUE(Stored().next_key_pem.empty()) << "nothing was begun";
  EXPECT_EQ(ca_.Posts(), "");
}

// Its challenges were not started: they are, with the new key.
TEST_F(AccountChangesTest, AnOrderThatWaitsInTheStoreGoesOnWithTheNewKey) {
  Cut("authz");
  EXPECT_THROW(Obtain({"a.example.org"}), Error);
  ca_.before = nullptr;
  Restart();
  Rollover();
  EXPECT_TRUE(Obtain({"a.example.org"}).issued);
  EXPECT_EQ(ca_.Orders(), 1u);
  EXPECT_THAT(presenter_.Presented().back().second,
              HasSubstr(crypto::Thumbprint(crypto::PrivateKey::FromPem(Stored().key_pem))));
}

TEST_F(AccountChangesTest, ADeactivatedAccountSaysWhatToDo) {
  accounts().Deactivate(nullptr, {});
  EXPECT_EQ(Stored().status, "deactivated");
  ca_.Forget();
  const Failure failure = Fails({"a.example.org"});
  EXPECT_EQ(failure.code, FailureCode::kRefused);
  EXPECT_THAT(failure.detail, HasSubstr("deactivated"));
  EXPECT_THAT(failure.advice, HasSubstr("account register"));
  EXPECT_EQ(FailureOf([&] { Rollover(); }).detail, failure.detail);
  EXPECT_EQ(accounts().Deactivate(nullptr, {}).status, "deactivated");
  EXPECT_EQ(ca_.Posts(), "") << "there is nothing to ask";
}

TEST_F(AccountChangesTest, RegisterMakesAnotherAccountInItsPlace) {
  accounts().Deactivate(nullptr, {});
  const model::Account next = accounts().Register(nullptr, {});
  EXPECT_EQ(next.url, "https://ca.test/account/2");
  EXPECT_EQ(next.status, "valid");
  EXPECT_NE(next.key_pem, first_key_);
  EXPECT_TRUE(Obtain({"a.example.org"}).issued);
}

TEST_F(AccountChangesTest, ADeactivationWhoseAnswerWasLostIsMadeUpFor) {
  ca_.after = [lose = true](const Seen& seen, http::Response&) mutable {
    if (seen.kind == "accountUrl" && std::exchange(lose, false)) throw Error(NetworkFailure());
  };
  EXPECT_EQ(accounts().Deactivate(nullptr, {}).status, "deactivated");
  EXPECT_EQ(Stored().status, "deactivated");
}

}  // namespace
}  // namespace certwright::issue
