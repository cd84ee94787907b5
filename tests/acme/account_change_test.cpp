// What becomes of an account: another contact, another key, its end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certwright/acme/account.h"
#include "certwright/crypto/jws.h"
#include "fake_ca.h"

namespace certwright::acme {
namespace {

using testing::FailureOf;
using testing::NetworkFailure;
using testing::ProblemAnswer;
using testing::Seen;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Secret NewKey() { return crypto::PrivateKey::Generate(model::KeyType::kEc256).ToPkcs8Pem(); }

class AccountChangeTest : public ::testing::Test {
 protected:
  AccountChangeTest() {
    account_.key_pem = NewKey();
    AccountWishes wishes;
    wishes.email = "admin@example.org";
    RegisterAccount(client_, wishes, account_, {});
    account_.next_key_pem = NewKey();
    ca_.Forget();
  }
  // Whether the CA finds our account by this key.
  bool Knows(const Secret& key) {
    model::Account asked;
    asked.key_pem = key;
    return FindAccountByKey(client_, asked, {}) && asked.url == account_.url;
  }
  void Roll() { RolloverKey(client_, account_, {}); }
  void Deactivate() { DeactivateAccount(client_, account_, {}); }

  testing::FakeClock clock_;
  testing::FakeCa ca_;
  Client client_{testing::kDirectoryUrl, ca_, clock_};
  model::Account account_;
};

TEST_F(AccountChangeTest, TheContactBecomesWhatIsAsked) {
  UpdateContact(client_, "new@example.org", account_, {});
  EXPECT_THAT(account_.contact, ElementsAre("mailto:new@example.org"));
  EXPECT_EQ(ca_.Posts(), "accountUrl");
  const Seen seen = ca_.Of("accountUrl").at(0);
  EXPECT_EQ(json::Write(seen.payload), R"({"contact":["mailto:new@example.org"]})");
  EXPECT_EQ(seen.header.String("kid"), account_.url);
  UpdateContact(client_, "", account_, {});
  EXPECT_THAT(account_.contact, IsEmpty());
  EXPECT_EQ(json::Write(ca_.Of("accountUrl").at(1).payload), R"({"contact":[]})");
}

TEST_F(AccountChangeTest, AContactThatTheCaRefusesChangesNothing) {
  ca_.before = [](const Seen&) { return ProblemAnswer(400, "invalidContact", "no such domain"); };
  EXPECT_EQ(FailureOf([&] { UpdateContact(client_, "x@y", account_, {}); }).acme_type,
            "invalidContact");
  EXPECT_THAT(account_.contact, ElementsAre("mailto:admin@example.org"));
}

// The CA in memory holds every part of section 7.3.5 against the request.
TEST_F(AccountChangeTest, TheKeyIsRolledOver) {
  const model::Account before = account_;
  Roll();
  EXPECT_EQ(account_.key_pem, before.key_pem) << "who asked settles it";
  EXPECT_TRUE(Knows(account_.next_key_pem));
  EXPECT_FALSE(Knows(account_.key_pem));
  const Seen seen = ca_.Of("keyChange").at(0);
  EXPECT_EQ(seen.header.String("kid"), account_.url);
  EXPECT_FALSE(seen.header.Has("jwk"));
}

TEST_F(AccountChangeTest, ACaWithoutKeyChangeIsSaidToHaveNone) {
  ca_.key_change = false;
  clock_.Pass(std::chrono::hours(2));  // the directory is kept for an hour
  const Failure failure = FailureOf([&] { Roll(); });
  EXPECT_EQ(failure.code, FailureCode::kRefused);
  EXPECT_THAT(failure.advice, HasSubstr("keyChange"));
  EXPECT_EQ(ca_.Posts(), "");
}

TEST_F(AccountChangeTest, TheKeyOfAnotherAccountIsRefused) {
  model::Account other;
  other.key_pem = account_.next_key_pem;
  RegisterAccount(client_, {}, other, {});
  EXPECT_EQ(FailureOf([&] { Roll(); }).code, FailureCode::kRefused);
  EXPECT_TRUE(Knows(account_.key_pem));
}

TEST_F(AccountChangeTest, IsDeactivatedOnceAndForAll) {
  Deactivate();
  EXPECT_EQ(account_.status, "deactivated");
  EXPECT_EQ(FailureOf([&] { Knows(account_.key_pem); }).acme_type, "unauthorized");
  account_.status = "valid";
  Deactivate();
  EXPECT_EQ(account_.status, "deactivated") << "that it is already is fine";
}

TEST_F(AccountChangeTest, ALostAnswerToTheDeactivationIsMadeUpFor) {
  ca_.after = [lose = true](const Seen& seen, http::Response&) mutable {
    if (seen.kind == "accountUrl" && std::exchange(lose, false)) throw Error(NetworkFailure());
  };
  EXPECT_EQ(FailureOf([&] { Deactivate(); }).code, FailureCode::kNetwork);
  EXPECT_EQ(account_.status, "valid");
  Deactivate();
  EXPECT_EQ(account_.status, "deactivated");
}

TEST_F(AccountChangeTest, AKeyThatIsNotTheAccountsDeactivatesNothing) {
  account_.key_pem = NewKey();
  EXPECT_THROW(Deactivate(), Error);
  EXPECT_EQ(account_.status, "valid");
}

}  // namespace
}  // namespace certwright::acme
