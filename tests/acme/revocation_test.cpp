#include "certwright/acme/revocation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certwright/acme/authorization.h"
#include "certwright/crypto/certificate.h"
#include "certwright/crypto/jws.h"
#include "fake_ca.h"

namespace certwright::acme {
namespace {

using testing::FailureOf;
using testing::kDay;
using testing::kNow;
using testing::ProblemAnswer;
using testing::Seen;
using ::testing::HasSubstr;

class RevocationTest : public ::testing::Test {
 protected:
  void Revoke(const Signer& signer, std::string_view reason = "superseded") {
    RevokeCertificate(client_, signer, version_.chain_pem, reason, {});
  }

  testing::FakeClock clock_;
  testing::FakeCa ca_;
  Client client_{testing::kDirectoryUrl, ca_, clock_};
  Signer account_{crypto::PrivateKey::Generate(model::KeyType::kEc256),
                  "https://ca.test/account/1"};
  model::CertificateVersion version_ = crypto::SelfSigned(
      model::ParseIdentifiers({"a.example.org"}), kNow - kDay, kNow + kDay);
};

TEST_F(RevocationTest, IsAskedByTheAccount) {
  Revoke(account_);
  const Seen seen = ca_.Of("revokeCert").at(0);
  EXPECT_EQ(seen.header.String("kid"), "https://ca.test/account/1");
  EXPECT_FALSE(seen.header.Has("jwk"));
  EXPECT_EQ(seen.payload.Int("reason"), 4);
  EXPECT_EQ(FromBase64Url(seen.payload.String("certificate")),
            crypto::InspectChain(version_.chain_pem).front().der);
}

TEST_F(RevocationTest, OrByTheCertificatesOwnKey) {
  const Signer own{crypto::PrivateKey::FromPem(version_.key_pem), ""};
  Revoke(own, "keyCompromise");
  const Seen seen = ca_.Of("revokeCert").at(0);
  EXPECT_EQ(json::Write(seen.header["jwk"]), crypto::Jwk(own.key));
  EXPECT_FALSE(seen.header.Has("kid"));
  EXPECT_EQ(seen.payload.Int("reason"), 1);
}

TEST_F(RevocationTest, UnspecifiedIsSaidByNoReason) {
  Revoke(account_, "unspecified");
  EXPECT_FALSE(ca_.Of("revokeCert").at(0).payload.Has("reason"));
}

TEST_F(RevocationTest, KnowsTheNumbersOfRfc5280) {
  EXPECT_EQ(RevocationReasonCode("keyCompromise"), 1);
  EXPECT_EQ(RevocationReasonCode("affiliationChanged"), 3);
  EXPECT_EQ(RevocationReasonCode("superseded"), 4);
  EXPECT_EQ(RevocationReasonCode("cessationOfOperation"), 5);
  for (const char* wrong : {"cACompromise", "", "superseded\x1b"}) {
    const Failure failure = FailureOf([&] { RevocationReasonCode(wrong); });
    EXPECT_EQ(failure.code, FailureCode::kInput);
    EXPECT_THAT(failure.advice, HasSubstr("affiliationChanged"));
  }
}

TEST_F(RevocationTest, OneThatIsRevokedAlreadyIsFine) {
  Revoke(account_);
  EXPECT_NO_THROW(Revoke(account_));
  EXPECT_EQ(ca_.Count("revokeCert"), 2);
}

TEST_F(RevocationTest, OtherRefusalsAreNot) {
  ca_.before = [](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind != "revokeCert") return std::nullopt;
    return ProblemAnswer(403, "unauthorized", "not yours");
  };
  EXPECT_EQ(FailureOf([&] { Revoke(account_); }).acme_type, "unauthorized");
}

TEST_F(RevocationTest, ACaWithoutRevokeCertIsSaidToHaveNone) {
  ca_.revoke_cert = false;
  const Failure failure = FailureOf([&] { Revoke(account_); });
  EXPECT_EQ(failure.code, FailureCode::kRefused);
  EXPECT_THAT(failure.advice, HasSubstr("revokeCert"));
  EXPECT_EQ(ca_.Posts(), "");
}

TEST_F(RevocationTest, OnlyAPendingAuthorizationIsDeactivated) {
  client_.Post(account_, "https://ca.test/new-order",
               R"({"identifiers":[{"type":"dns","value":"a.example.org"}]})", {});
  const std::string url = "https://ca.test/authz/0/0";
  ca_.At(0).statuses[0] = "valid";
  EXPECT_FALSE(DeactivatePending(client_, account_, url, {}));
  EXPECT_EQ(ca_.At(0).statuses[0], "valid");
  ca_.At(0).statuses[0] = "pending";
  EXPECT_TRUE(DeactivatePending(client_, account_, url, {}));
  EXPECT_EQ(ca_.At(0).statuses[0], "deactivated");
  EXPECT_EQ(json::Write(ca_.Of("authz").back().payload), R"({"status":"deactivated"})");
  EXPECT_FALSE(DeactivatePending(client_, account_, url, {}));
}

}  // namespace
}  // namespace certwright::acme
