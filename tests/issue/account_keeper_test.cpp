#include "certwright/issue/account_keeper.h"

#include <thread>

#include "certwright/base/encoding.h"
#include "certwright/base/text.h"
#include "certwright/crypto/jws.h"
#include "fixture.h"

namespace certwright::issue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class AccountKeeperTest : public IssueTest {
 protected:
  acme::Signer Ensure() { return process_->accounts.Ensure(nullptr, {}); }
  model::Account Stored() { return process_->accounts.Find().value_or(model::Account{}); }
  // As after an answer that was lost, or a backup from before it.
  void LoseUrl() {
    process_->database->Write([&](store::Session& session) {
      model::Account account = *store::FindAccount(session, directory_url_);
      account.url.clear();
      store::SaveAccount(session, account);
    });
  }
};

TEST_F(AccountKeeperTest, MakesTheAccountOnceAndKeepsIt) {
  EXPECT_FALSE(process_->accounts.Find());
  const acme::Signer first = Ensure();
  EXPECT_EQ(first.account_url, "https://ca.test/account/1");
  EXPECT_EQ(Ensure().account_url, first.account_url);
  Restart();
  const acme::Signer again = Ensure();
  EXPECT_EQ(again.account_url, first.account_url);
  EXPECT_EQ(again.key.PublicKeyDer(), first.key.PublicKeyDer());
  EXPECT_EQ(ca_.Count("account"), 1) << "a stored account is not asked for";
  EXPECT_EQ(Stored().status, "valid");
  EXPECT_EQ(Stored().created_at, kNow);
  EXPECT_EQ(Stored().directory, kDirectoryUrl);
}

TEST_F(AccountKeeperTest, StoresTheKeyBeforeTheCaHearsOfIt) {
  std::string stored_key = "none";
  ca_.before = [&](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind != "account") return std::nullopt;
    const model::Account account = Stored();
    if (!account.key_pem.empty()) {
      stored_key = crypto::Jwk(crypto::PrivateKey::FromPem(account.key_pem));
    }
    EXPECT_EQ(account.url, "");
    return std::nullopt;
  };
  Ensure();
  EXPECT_EQ(stored_key, json::Write(ca_.Of("account").at(0).header["jwk"]));
}

TEST_F(AccountKeeperTest, FindsTheAccountAgainByItsKey) {
  const acme::Signer first = Ensure();
  LoseUrl();
  Restart();
  ca_.Forget();
  const acme::Signer again = Ensure();
  EXPECT_EQ(again.account_url, first.account_url);
  EXPECT_EQ(again.key.PublicKeyDer(), first.key.PublicKeyDer());
  EXPECT_EQ(ca_.Accounts(), 1u);
  ASSERT_EQ(ca_.Count("account"), 1);
  EXPECT_TRUE(ca_.Of("account")[0].payload.Bool("onlyReturnExisting")) << "asked, not registered";
  EXPECT_EQ(Stored().url, first.account_url) << "and stored for the next time";
}

TEST_F(AccountKeeperTest, TakesUpTheAccountWhoseAnswerWasLost) {
  bool lose = true;
  ca_.after = [&](const Seen& seen, http::Response&) {
    if (seen.kind == "account" && std::exchange(lose, false)) throw Error(NetworkFailure());
  };
  EXPECT_EQ(Ensure().account_url, "https://ca.test/account/1");
  EXPECT_EQ(ca_.Accounts(), 1u);
}

TEST_F(AccountKeeperTest, RegistersTheSameKeyWhereTheCaKnowsNone) {
  Answers("account", ProblemAnswer(403, "unauthorized", "not today"));
  EXPECT_EQ(FailureOf([&] { Ensure(); }).acme_type, "unauthorized");
  const Secret key = Stored().key_pem;
  EXPECT_FALSE(key.empty());
  ca_.before = nullptr;
  ca_.Forget();
  EXPECT_EQ(Ensure().account_url, "https://ca.test/account/1");
  EXPECT_EQ(ca_.Count("account"), 2) << "asked for first, then registered";
  EXPECT_EQ(Stored().key_pem, key);
}

TEST_F(AccountKeeperTest, SaysWhichAccountIsRefusedInTheCasWords) {
  struct Row {
    const char* name;
    int status;
    const char* type;
    FailureCode code;
  };
  for (const Row& row : {Row{"refused", 403, "unauthorized", FailureCode::kRefused},
                         Row{"contact", 400, "invalidContact", FailureCode::kRefused},
                         Row{"too many", 429, "rateLimited", FailureCode::kRateLimited}}) {
    SCOPED_TRACE(row.name);
    for (const char* email : {"", "admin@example.org"}) {
      SetUpAgain();
      wishes_.email = email;
      Answers("account", ProblemAnswer(row.status, row.type, "not you"));
      const Failure failure = FailureOf([&] { Ensure(); });
      EXPECT_EQ(failure.code, row.code);
      EXPECT_EQ(failure.acme_type, row.type);
      EXPECT_THAT(failure.detail, testing::StartsWith(Cat("the account at ", kDirectoryUrl)));
      EXPECT_THAT(failure.detail, HasSubstr("not you"));
      EXPECT_EQ(failure.detail.find("(admin@example.org)") != std::string::npos, *email != '\0');
    }
  }
}

TEST_F(AccountKeeperTest, SaysNothingOfTheAccountWhereTheCaWasNotReached) {
  Cut("account");
  EXPECT_THAT(FailureOf([&] { Ensure(); }).detail, testing::Not(HasSubstr("the account at")));
}

TEST_F(AccountKeeperTest, AnOrderOfAnAccountThatTheCaForgotNamesTheAccount) {
  Ensure();
  Answers("newOrder", ProblemAnswer(400, "accountDoesNotExist", "never heard of it"));
  const Failure failure = Fails({"a.example.org"});
  EXPECT_THAT(failure.detail, testing::StartsWith(Cat("the account at ", kDirectoryUrl)));
  EXPECT_THAT(failure.detail, HasSubstr("never heard of it"));
  EXPECT_THAT(Held("a.example.org").certificate.last_error->detail, failure.detail);
}

TEST_F(AccountKeeperTest, HasOneForEachCa) {
  const acme::Signer first = Ensure();
  FakeCa other;
  ChangeCa("https://other.test/directory", other);
  EXPECT_FALSE(process_->accounts.Find());
  const acme::Signer second = Ensure();
  EXPECT_EQ(other.Accounts(), 1u);
  EXPECT_NE(second.key.PublicKeyDer(), first.key.PublicKeyDer());
  EXPECT_EQ(Stored().directory, "https://other.test/directory");
  ChangeCa(kDirectoryUrl, ca_);
  EXPECT_EQ(Ensure().key.PublicKeyDer(), first.key.PublicKeyDer());
  EXPECT_EQ(ca_.Count("account"), 1) << "the first one is still known";
}

TEST_F(AccountKeeperTest, RegistersOnceForCallersSideBySide) {
  std::vector<std::jthread> callers;
  std::vector<std::string> urls(8);
  for (std::string& url : urls) callers.emplace_back([&] { url = Ensure().account_url; });
  callers.clear();
  EXPECT_THAT(urls, testing::Each("https://ca.test/account/1"));
  EXPECT_EQ(ca_.Count("account"), 1);
}

TEST_F(AccountKeeperTest, RegisterLooksAtTheCaEachTime) {
  Ensure();
  const model::Account account = process_->accounts.Register(nullptr, {});
  EXPECT_EQ(account.url, "https://ca.test/account/1");
  EXPECT_EQ(ca_.Count("account"), 2);
  EXPECT_EQ(ca_.Accounts(), 1u);
}

TEST_F(AccountKeeperTest, TellsContactTermsAndExternalAccount) {
  ca_.meta =
      json::Parse(R"({"termsOfService":"https://ca.test/terms","externalAccountRequired":true})");
  wishes_.email = "admin@example.org";
  wishes_.agree_to_terms = true;
  wishes_.external = acme::ExternalAccount{"kid-7", Secret("0123456789abcdef0123456789abcdef")};
  Restart();
  Ensure();
  const json::Value payload = ca_.Of("account").at(0).payload;
  EXPECT_THAT(payload.Strings("contact"), ElementsAre("mailto:admin@example.org"));
  EXPECT_TRUE(payload.Bool("termsOfServiceAgreed"));
  const std::string header =
      FromBase64Url(payload["externalAccountBinding"].String("protected")).value_or("");
  EXPECT_THAT(header, HasSubstr("kid-7"));
  EXPECT_EQ(Stored().terms, "https://ca.test/terms");
  EXPECT_THAT(Stored().contact, ElementsAre("mailto:admin@example.org"));
}

TEST_F(AccountKeeperTest, StopsBeforeTermsThatNobodyAgreedTo) {
  ca_.meta = json::Parse(R"({"termsOfService":"https://ca.test/terms"})");
  const Failure failure = FailureOf([&] { Ensure(); });
  EXPECT_EQ(failure.code, FailureCode::kRefused);
  EXPECT_THAT(failure.detail, HasSubstr("https://ca.test/terms"));
  EXPECT_EQ(ca_.Accounts(), 0u);
  wishes_.agree_to_terms = true;
  Restart();
  EXPECT_EQ(Ensure().account_url, "https://ca.test/account/1");
}

TEST_F(AccountKeeperTest, TriesAgainWhatPassesAndTellsIt) {
  int cuts = 2;
  ca_.before = [&](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind == "account" && cuts-- > 0) throw Error(NetworkFailure());
    return std::nullopt;
  };
  std::vector<std::string> told;
  process_->accounts.Ensure([&](const model::Progress& step) { told.push_back(step.step); }, {});
  EXPECT_THAT(told, ElementsAre("account", "retry", "retry", "account"));
  EXPECT_EQ(clock_.Sleeps().size(), 2u);
}

TEST_F(AccountKeeperTest, DoesNotWaitWhenItIsToldToStop) {
  Cut("account");
  std::stop_source stop;
  clock_.on_sleep = [&] { stop.request_stop(); };
  FailureOf([&] { process_->accounts.Ensure(nullptr, stop.get_token()); });
  EXPECT_EQ(clock_.Sleeps().size(), 1u);
  EXPECT_EQ(ca_.Count("account"), 1);
}

}  // namespace
}  // namespace certwright::issue
