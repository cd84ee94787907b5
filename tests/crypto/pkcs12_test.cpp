#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certwright/base/encoding.h"
#include "certwright/crypto/certificate.h"
#include "fixture.h"

namespace certwright::crypto {
namespace {

using testing::Data;
using testing::FailureOf;
using testing::SecretData;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Pkcs12 : public testing::OpenSslTest {
 protected:
  static std::string Chain() { return Data("leaf.crt") + Data("intermediate.crt"); }
};

TEST_F(Pkcs12, IsReadBackByOpenSsl) {
  Write("file.p12", ToPkcs12(Chain(), SecretData("p256.sec1.pem"), "a.example.org",
                             Secret("correct horse")));
  const Outcome all =
      OpenSsl("pkcs12 -in file.p12 -info -nodes -passin 'pass:correct horse'");
  EXPECT_EQ(all.exit_code, 0) << all.output;
  EXPECT_THAT(all.output, AllOf(HasSubstr("MAC: sha256"), HasSubstr("AES-256-CBC"),
                                HasSubstr("friendlyName: a.example.org")));
  EXPECT_EQ(InspectChain(OpenSsl("pkcs12 -in file.p12 -nokeys -passin 'pass:correct horse'").output)
                .size(),
            2U);
  const Secret key(
      OpenSsl("pkcs12 -in file.p12 -nocerts -nodes -passin 'pass:correct horse'").output);
  EXPECT_EQ(PrivateKey::FromPem(key).PublicKeyDer(),
            PrivateKey::FromPem(SecretData("p256.pkcs8.pem")).PublicKeyDer());
  EXPECT_NE(OpenSsl("pkcs12 -in file.p12 -nodes -passin pass:wrong").exit_code, 0);
}

TEST_F(Pkcs12, MayHaveAnEmptyPasswordAndNoName) {
  Write("file.p12", ToPkcs12(Chain(), SecretData("p256.pkcs8.pem"), "", Secret()));
  const Outcome outcome = OpenSsl("pkcs12 -in file.p12 -nodes -passin pass:");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
}

TEST_F(Pkcs12, IsRefusedForAKeyThatIsNotTheCertificates) {
  const Failure failure =
      FailureOf([] { ToPkcs12(Chain(), SecretData("p384.pkcs8.pem"), "x", Secret("x")); });
  EXPECT_EQ(failure.code, FailureCode::kInput);
  EXPECT_THAT(failure.detail, HasSubstr("not the certificate's"));
}

TEST_F(Pkcs12, IsRefusedForWhatIsNoChainOrNoKey) {
  EXPECT_EQ(FailureOf([] { ToPkcs12("", SecretData("p256.pkcs8.pem"), "", Secret()); }).code,
            FailureCode::kInput);
  EXPECT_EQ(FailureOf([] { ToPkcs12(Chain(), Secret("x"), "", Secret()); }).code,
            FailureCode::kInput);
}

}  // namespace
}  // namespace certwright::crypto
