#include "certwright/crypto/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certwright/base/encoding.h"
#include "fixture.h"

namespace certwright::crypto {
namespace {

using testing::Data;
using testing::Dns;
using testing::FailureOf;
using testing::Ip;
using testing::SecretData;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

CertificateInfo InspectFile(const std::string& name) {
  return Inspect(SplitPem(Data(name)).at(0).der);
}

TEST(Inspect, TellsWhatOpenSslWrote) {
  const CertificateInfo leaf = InspectFile("leaf.crt");
  EXPECT_THAT(leaf.names, ElementsAre(Dns("a.example.org"), Dns("b.example.org"), Ip("192.0.2.7"),
                                      Ip("2001:db8::7")));
  EXPECT_EQ(leaf.common_name, "");
  EXPECT_EQ(leaf.subject, "");
  EXPECT_EQ(leaf.issuer, "CN=Test Intermediate");
  EXPECT_EQ(leaf.issuer_common_name, "Test Intermediate");
  EXPECT_EQ(leaf.serial_hex, "008765432101");
  EXPECT_EQ(leaf.serial_decimal, "581519483137");
  EXPECT_EQ(leaf.not_before, ParseRfc3339("2026-01-01T00:00:00Z"));
  EXPECT_EQ(leaf.not_after, ParseRfc3339("2026-04-01T00:00:00Z"));
  EXPECT_FALSE(leaf.is_ca);
  EXPECT_EQ(ToPem("PUBLIC KEY", leaf.public_key_der), Data("p256.pub.pem"));
  EXPECT_EQ(leaf.authority_key_id.size(), 20U);
  EXPECT_TRUE(InspectFile("intermediate.crt").is_ca);
}

TEST(Inspect, WritesNamesAsRfc4514AndSafeToPrint) {
  const CertificateInfo info = InspectFile("subject_forms.crt");
  EXPECT_EQ(info.subject,
            "CN=a?[31m?b,serialNumber=7,OU=\\#1+L=\\ Lučić\\ ,"
            "O=Sue\\, \\\"Grabbit\\\" \\+ \\<Runn\\>\\; \\\\ Co,C=IT");
  EXPECT_EQ(info.common_name, "a?[31m?b");
}

TEST(Inspect, MakesHostNamesLowerCaseAndSafeToPrint) {
  EXPECT_THAT(InspectFile("leaf_upper.crt").names,
              ElementsAre(Dns("a.example.org"), Dns("b.example.org"), Ip("192.0.2.7"),
                          Ip("2001:db8::7")));
  for (const auto& name : InspectFile("leaf_escape.crt").names) {
    EXPECT_EQ(name.value.find_first_of("\x1b\n"), std::string::npos);
  }
}

class InspectedByOpenSsl : public testing::OpenSslTest {};

TEST_F(InspectedByOpenSsl, HasTheSameFingerprintAndSerial) {
  const CertificateInfo leaf = InspectFile("leaf.crt");
  Write("leaf.der", leaf.der);
  std::string output = OpenSsl("x509 -inform der -in leaf.der -noout -fingerprint -sha256").output;
  std::string expected;
  for (const char c : output.substr(output.find('=') + 1)) {
    if (isxdigit(static_cast<unsigned char>(c))) expected += static_cast<char>(tolower(c));
  }
  EXPECT_EQ(leaf.fingerprint, expected);
  EXPECT_THAT(OpenSsl("x509 -inform der -in leaf.der -noout -serial").output,
              HasSubstr("serial=8765432101"));
}

TEST(InspectChain, ReadsLeafFirstWhateverStandsBetween) {
  const auto chain = InspectChain("leaf:\r\n" + Data("leaf.crt") + "\nissuer\n" +
                                  Data("intermediate.crt") + "\n\n\n");
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_EQ(chain[1].common_name, "Test Intermediate");
  EXPECT_TRUE(ChainHasIssuer(chain, "Test Root"));
  EXPECT_TRUE(ChainHasIssuer(chain, "Test Intermediate"));
  EXPECT_FALSE(ChainHasIssuer(chain, "test root"));
  EXPECT_FALSE(ChainHasIssuer({}, "Test Root"));
}

TEST(InspectChain, RefusesWhatIsNoChain) {
  std::string eleven;
  for (int i = 0; i < 11; ++i) eleven += Data("leaf.crt");
  const struct {
    std::string text;
    const char* says;
  } rows[] = {
      {"", "is empty"},
      {" \r\n\t", "is empty"},
      {"\n<!DOCTYPE html><html>", "HTML"},
      {"no PEM", "no PEM"},
      {eleven, "more than 10"},
      {std::string(2 << 20, 'x') + Data("leaf.crt"), "1 MiB"},
      {Data("leaf.crt") + Data("p256.pkcs8.pem"), "private key"},
      {Data("leaf.crt") + Data("p256.sec1.pem"), "private key"},
      {Data("leaf.crt") + Data("p256.pub.pem"), "'PUBLIC KEY'"},
      {Data("leaf.crt").substr(0, 200), "damaged"},
      {"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "no certificate"},
  };
  for (const auto& row : rows) {
    const Failure failure = FailureOf([&] { InspectChain(row.text); });
    EXPECT_EQ(failure.code, FailureCode::kInput) << row.says;
    EXPECT_THAT(failure.detail, HasSubstr(row.says));
  }
}

TEST(AriId, IsTheExampleOfRfc9773) {
  EXPECT_EQ(AriId(InspectFile("rfc9773.crt")), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
}

TEST(AriId, IsEmptyWithoutAuthorityKeyIdentifier) {
  const auto pair = SelfSigned({Dns("a.example.org")}, 0, 1);
  EXPECT_EQ(AriId(InspectChain(pair.chain_pem).front()), "");
}

const std::vector<model::Identifier> kAll = {Dns("*.example.org"), Dns("a.example.net"),
                                             Ip("192.0.2.1"), Ip("2001:db8::1"), Ip("::1")};

class CreatedRequest : public testing::OpenSslTest {};

TEST_F(CreatedRequest, IsVerifiedByOpenSslForEachKindOfKey) {
  for (const char* file : {"p256.pkcs8.pem", "p384.pkcs8.pem", "p521.pkcs8.pem", "rsa.pkcs8.pem",
                           "ed25519.pkcs8.pem"}) {
    Write("request.der", CreateCsr(PrivateKey::FromPem(SecretData(file)), kAll));
    const Outcome outcome = OpenSsl("req -inform der -in request.der -verify -noout -text");
    EXPECT_EQ(outcome.exit_code, 0) << file;
    EXPECT_THAT(outcome.output,
                AllOf(HasSubstr("verify OK"), HasSubstr("Subject: \n"),
                      HasSubstr("DNS:*.example.org, DNS:a.example.net, IP Address:192.0.2.1, "
                                "IP Address:2001:DB8:0:0:0:0:0:1, IP Address:0:0:0:0:0:0:0:1")))
        << file;
    EXPECT_EQ(OpenSsl("req -inform der -in request.der -noout -pubkey").output,
              Data(std::string(file).substr(0, std::string(file).find('.')) + ".pub.pem"));
  }
}

TEST_F(CreatedRequest, HoldsAHundredLongNames) {
  std::vector<model::Identifier> names;
  for (int i = 0; i < 100; ++i) {
    names.push_back(Dns(std::to_string(i) + "." + std::string(60, 'a') + "." +
                        std::string(60, 'b') + "." + std::string(60, 'c') + ".example.org"));
  }
  Write("request.der", CreateCsr(PrivateKey::FromPem(SecretData("p256.pkcs8.pem")), names));
  const Outcome outcome = OpenSsl("req -inform der -in request.der -verify -noout -text");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.output, HasSubstr("DNS:" + names.back().value));
}

TEST(CreateCsr, RefusesAnAddressThatIsNone) {
  const PrivateKey key = PrivateKey::FromPem(SecretData("p256.pkcs8.pem"));
  EXPECT_EQ(FailureOf([&] { CreateCsr(key, {Ip("300.1.2.3")}); }).code, FailureCode::kInput);
}

class SelfSignedPair : public testing::OpenSslTest {};

TEST_F(SelfSignedPair, IsVerifiedByOpenSslAndHasEachName) {
  const auto pair = SelfSigned(kAll, 1700000000, 4000000000);  // beyond 2049: GeneralizedTime
  Write("pair.pem", pair.chain_pem);
  Write("key.pem", pair.key_pem.Reveal());
  for (const char* name : {"-verify_hostname a.example.net", "-verify_hostname x.example.org",
                           "-verify_ip 192.0.2.1", "-verify_ip 2001:db8::1"}) {
    const Outcome outcome = OpenSsl(std::string("verify -x509_strict -purpose sslserver ") + name +
                                    " -CAfile pair.pem pair.pem");
    EXPECT_EQ(outcome.exit_code, 0) << name << outcome.output;
  }
  EXPECT_NE(OpenSsl("verify -verify_ip 192.0.2.2 -CAfile pair.pem pair.pem").exit_code, 0);
  EXPECT_EQ(OpenSsl("pkey -in key.pem -pubout").output,
            OpenSsl("x509 -in pair.pem -noout -pubkey").output);
}

TEST(SelfSigned, FillsTheVersion) {
  const auto pair = SelfSigned(kAll, 1700000000, 4000000000);
  EXPECT_EQ(pair.origin, model::Origin::kSelfSigned);
  EXPECT_EQ(pair.subject, "*.example.org");
  EXPECT_EQ(pair.not_before, 1700000000);
  EXPECT_EQ(pair.not_after, 4000000000);
  EXPECT_THAT(pair.names, ElementsAre(Dns("*.example.org"), Dns("a.example.net"), Ip("192.0.2.1"),
                                      Ip("2001:db8::1"), Ip("::1")));
  EXPECT_EQ(pair.serial_hex.size(), 32U);
  EXPECT_NE(pair.serial_hex, SelfSigned(kAll, 0, 1).serial_hex);
}

TEST_F(SelfSignedPair, TakesANameThatIsTooLongForACommonName) {
  const std::string name = std::string(63, 'a') + "." + std::string(63, 'b') + ".example.org";
  Write("pair.pem", SelfSigned({Dns(name)}, 1700000000, 4000000000).chain_pem);
  EXPECT_EQ(OpenSsl("verify -verify_hostname " + name + " -CAfile pair.pem pair.pem").exit_code, 0);
}

TEST(Sha256, IsTheExampleOfFips180) {
  EXPECT_EQ(Hex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace certwright::crypto
