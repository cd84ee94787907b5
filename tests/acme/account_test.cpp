#include "certwright/acme/account.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include "certwright/crypto/jws.h"
#include "fake_ca.h"

namespace certwright::acme {
namespace {

using testing::FailureOf;
using testing::JsonAnswer;
using testing::ProblemAnswer;
using testing::Seen;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AccountTest : public ::testing::Test {
 protected:
  AccountTest() { account_.key_pem = key_.ToPkcs8Pem(); }
  bool Find() { return FindAccountByKey(client_, account_, {}); }
  void Register() { RegisterAccount(client_, wishes_, account_, {}); }
  void AccountAnswer(http::Response response) {
    ca_.before = [=](const Seen& seen) -> std::optional<http::Response> {
      if (seen.kind == "account") return response;
      return std::nullopt;
    };
  }

  testing::FakeClock clock_;
  testing::FakeCa ca_;
  Client client_{testing::kDirectoryUrl, ca_, clock_};
  crypto::PrivateKey key_ = crypto::PrivateKey::Generate(model::KeyType::kEc256);
  AccountWishes wishes_;
  model::Account account_;
};

TEST_F(AccountTest, IsNotFoundWhereTheCaKnowsNone) {
  EXPECT_FALSE(Find());
  EXPECT_EQ(account_.url, "");
  EXPECT_EQ(ca_.Accounts(), 0u) << "asking makes none";
}

TEST_F(AccountTest, IsFoundAgainByItsKey) {
  Register();
  const std::string url = account_.url;
  account_.url.clear();
  account_.status.clear();
  EXPECT_TRUE(Find());
  EXPECT_EQ(account_.url, url);
  EXPECT_EQ(account_.status, "valid");
  EXPECT_EQ(ca_.Accounts(), 1u);
  const Seen seen = ca_.Of("account").back();
  EXPECT_EQ(json::Write(seen.payload), R"({"onlyReturnExisting":true})");
  EXPECT_EQ(json::Write(seen.header["jwk"]), crypto::Jwk(key_));
}

TEST_F(AccountTest, OtherRefusalsAreNotTakenForAMissingAccount) {
  AccountAnswer(ProblemAnswer(403, "unauthorized", "deactivated"));
  EXPECT_EQ(FailureOf([&] { Find(); }).acme_type, "unauthorized");
}

TEST_F(AccountTest, IsRegisteredWithContactAndAgreement) {
  ca_.meta = json::Parse(R"({"termsOfService":"https://ca.test/terms"})");
  wishes_.email = "admin@example.org";
  wishes_.agree_to_terms = true;
  Register();
  const json::Value payload = ca_.Of("account").at(0).payload;
  EXPECT_TRUE(payload.Bool("termsOfServiceAgreed"));
  EXPECT_THAT(payload.Strings("contact"), ElementsAre("mailto:admin@example.org"));
  EXPECT_FALSE(payload.Has("externalAccountBinding"));
  EXPECT_EQ(account_.url, "https://ca.test/account/1");
  EXPECT_EQ(account_.status, "valid");
  EXPECT_EQ(account_.terms, "https://ca.test/terms");
  EXPECT_THAT(account_.contact, ElementsAre("mailto:admin@example.org"));
}

TEST_F(AccountTest, NeedsNoContactAndNoTermsWhereTheCaHasNone) {
  Register();
  const json::Value payload = ca_.Of("account").at(0).payload;
  EXPECT_FALSE(payload.Has("contact"));
  EXPECT_FALSE(payload.Has("termsOfServiceAgreed"));
}

TEST_F(AccountTest, IsNotRegisteredBeforeThePersonAgrees) {
  ca_.meta = json::Parse(R"({"termsOfService":"https://ca.test/terms"})");
  const Failure failure = FailureOf([&] { Register(); });
  EXPECT_EQ(failure.code, FailureCode::kRefused);
  EXPECT_THAT(failure.detail, HasSubstr("https://ca.test/terms"));
  EXPECT_THAT(failure.advice, HasSubstr("acme.agree_to_terms"));
  EXPECT_EQ(ca_.Count("account"), 0);
}

TEST_F(AccountTest, SaysThatTheCaWantsAnExternalAccount) {
  ca_.meta = json::Parse(R"({"externalAccountRequired":true})");
  const Failure failure = FailureOf([&] { Register(); });
  EXPECT_EQ(failure.code, FailureCode::kRefused);
  EXPECT_THAT(failure.advice, HasSubstr("acme.eab_kid"));
  EXPECT_EQ(ca_.Count("account"), 0);
}

// RFC 8555 section 7.3.4: a JWS of its own inside the payload, its HMAC computed anew by OpenSSL.
TEST_F(AccountTest, IsBoundToAnExternalAccount) {
  ca_.meta = json::Parse(R"({"externalAccountRequired":true})");
  const std::string mac_key("raw\0bytes \xff of 32 octets........", 32);
  wishes_.external = ExternalAccount{"kid \"7\"", Secret(mac_key)};
  Register();
  const json::Value bound = ca_.Of("account").at(0).payload["externalAccountBinding"];
  ASSERT_EQ(bound.Fields().size(), 3u);
  const std::string header_text = bound.String("protected");
  const std::string payload_text = bound.String("payload");
  const json::Value header = json::Parse(FromBase64Url(header_text).value());
  EXPECT_EQ(header.String("alg"), "HS256");
  EXPECT_EQ(header.String("kid"), "kid \"7\"");
  EXPECT_EQ(header.String("url"), "https://ca.test/account");
  EXPECT_FALSE(header.Has("nonce"));
  EXPECT_EQ(FromBase64Url(payload_text).value(), crypto::Jwk(key_));

  const std::string signed_text = header_text + "." + payload_text;
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), mac_key.data(), static_cast<int>(mac_key.size()),
       reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size(), mac, &size);
  EXPECT_EQ(FromBase64Url(bound.String("signature")).value(),
            std::string(reinterpret_cast<const char*>(mac), size));
}

TEST_F(AccountTest, TakesNoAccountWithoutItsUrl) {
  AccountAnswer(JsonAnswer(201, json::Value::Object({{"status", "valid"}})));
  EXPECT_EQ(FailureOf([&] { Register(); }).code, FailureCode::kProtocol);
  AccountAnswer(JsonAnswer(201, json::Value::Object({{"status", "valid"}}),
                           {{"location", "http://ca.test/account/1"}}));
  EXPECT_EQ(FailureOf([&] { Register(); }).code, FailureCode::kProtocol);
  EXPECT_EQ(account_.url, "");
}

TEST_F(AccountTest, APageOfAProxyInPlaceOfTheAccountMayPass) {
  for (const char* page : {"<html>502 Bad Gateway</html>", ""}) {
    http::Response response;
    response.status = 200;
    response.body = page;
    AccountAnswer(response);
    const Failure failure = FailureOf([&] { Register(); });
    EXPECT_EQ(failure.code, FailureCode::kProtocol);
    EXPECT_TRUE(failure.transient) << failure.detail;
  }
}

TEST_F(AccountTest, TakesNoAccountThatIsGone) {
  for (const char* status : {"deactivated", "revoked", "odd\x1b"}) {
    AccountAnswer(JsonAnswer(200, json::Value::Object({{"status", status}}),
                             {{"location", "https://ca.test/account/1"}}));
    const Failure failure = FailureOf([&] { Find(); });
    EXPECT_EQ(failure.code, FailureCode::kRefused) << status;
    EXPECT_THAT(failure.detail, ::testing::Not(HasSubstr("\x1b")));
  }
}

TEST_F(AccountTest, ReadsAnAnswerWithoutStatusAndContact) {
  AccountAnswer(
      JsonAnswer(200, json::Value::Object(), {{"location", "https://ca.test/account/1"}}));
  EXPECT_TRUE(Find());
  EXPECT_EQ(account_.status, "valid");
  EXPECT_TRUE(account_.contact.empty());
}

}  // namespace
}  // namespace certwright::acme
