#include "certwright/crypto/key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certwright/base/encoding.h"
#include "fixture.h"

namespace certwright::crypto {
namespace {

using testing::Data;
using testing::FailureOf;
using testing::SecretData;
using ::testing::HasSubstr;
using ::testing::Not;

struct KeyForm {
  const char* file;
  const char* public_key;  // as openssl wrote it
};
void PrintTo(const KeyForm& form, std::ostream* out) { *out << form.file; }

class KeyForms : public ::testing::TestWithParam<KeyForm> {};

TEST_P(KeyForms, GivesThePublicKeyThatOpenSslGives) {
  const PrivateKey key = PrivateKey::FromPem(SecretData(GetParam().file));
  EXPECT_EQ(ToPem("PUBLIC KEY", key.PublicKeyDer()), Data(GetParam().public_key));
}

TEST_P(KeyForms, IsTheSameKeyAfterPkcs8) {
  const PrivateKey key = PrivateKey::FromPem(SecretData(GetParam().file));
  const Secret pem = key.ToPkcs8Pem();
  EXPECT_TRUE(pem.Reveal().starts_with("-----BEGIN PRIVATE KEY-----\n"));
  EXPECT_EQ(PrivateKey::FromPem(pem).PublicKeyDer(), key.PublicKeyDer());
}

INSTANTIATE_TEST_SUITE_P(
    All, KeyForms,
    ::testing::Values(KeyForm{"p256.pkcs8.pem", "p256.pub.pem"},
                      KeyForm{"p256.sec1.pem", "p256.pub.pem"},
                      KeyForm{"p256.parameters.pem", "p256.parameters.pub.pem"},
                      KeyForm{"p384.pkcs8.pem", "p384.pub.pem"},
                      KeyForm{"p384.sec1.pem", "p384.pub.pem"},
                      KeyForm{"p521.pkcs8.pem", "p521.pub.pem"},
                      KeyForm{"p521.sec1.pem", "p521.pub.pem"},
                      KeyForm{"rsa.pkcs8.pem", "rsa.pub.pem"},
                      KeyForm{"rsa.pkcs1.pem", "rsa.pub.pem"},
                      KeyForm{"ed25519.pkcs8.pem", "ed25519.pub.pem"}));

struct BadKey {
  const char* name;
  std::string pem;
  const char* says;
};
void PrintTo(const BadKey& key, std::ostream* out) { *out << key.name; }

std::string Cut(std::string pem, std::size_t lines) {
  std::size_t end = 0;
  while (lines-- > 0) end = pem.find('\n', end) + 1;
  return pem.substr(0, end);
}

class BadKeys : public ::testing::TestWithParam<BadKey> {};

TEST_P(BadKeys, AreRefusedInWordsAndNeverQuoted) {
  const Failure failure = FailureOf([] { PrivateKey::FromPem(Secret(GetParam().pem)); });
  EXPECT_EQ(failure.code, FailureCode::kInput);
  EXPECT_THAT(failure.detail, HasSubstr(GetParam().says));
  EXPECT_TRUE(failure.detail.starts_with("the private key "));
  // The second line of the fixture is content.
  const std::size_t line = GetParam().pem.find('\n') + 1;
  if (const std::string content = GetParam().pem.substr(line, 20); content.size() == 20) {
    EXPECT_THAT(failure.detail + failure.advice, Not(HasSubstr(content)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, BadKeys,
    ::testing::Values(
        BadKey{"empty", "", "is missing"},
        BadKey{"garbage", "\x01\x02 no key at all", "is missing"},
        BadKey{"html", "<html><body>502</body></html>", "is missing"},
        BadKey{"encrypted pkcs8", Data("p256.encrypted.pem"), "is encrypted"},
        BadKey{"encrypted traditional", Data("rsa.encrypted.pem"), "is encrypted"},
        BadKey{"certificate", Data("leaf.crt"), "is missing"},
        BadKey{"two keys", Data("p256.pkcs8.pem") + Data("rsa.pkcs8.pem"), "more than one"},
        BadKey{"cut off", Cut(Data("rsa.pkcs8.pem"), 5), "PEM is damaged"},
        BadKey{"no base64", "-----BEGIN PRIVATE KEY-----\n*secretsecretsecret*\n"
                            "-----END PRIVATE KEY-----\n", "PEM is damaged"},
        BadKey{"half", Cut(Data("rsa.pkcs8.pem"), 5) + "-----END PRIVATE KEY-----\n",
               "is damaged"},
        BadKey{"wrong label", "-----BEGIN RSA PRIVATE KEY-----\n" +
                                  Data("p256.sec1.pem").substr(31, 167) +
                                  "\n-----END RSA PRIVATE KEY-----\n",
               "is damaged"},
        BadKey{"openssh", "-----BEGIN OPENSSH PRIVATE KEY-----\nMAA=\n"
                          "-----END OPENSSH PRIVATE KEY-----\n", "not supported"},
        BadKey{"x25519", Data("x25519.pem"), "kind that is not supported"},
        BadKey{"another curve", Data("secp256k1.pem"), "curve that is not supported"},
        BadKey{"explicit curve", Data("p256.explicit.pem"), "curve that is not supported"},
        BadKey{"public part of another key", Data("p256.mixed.pem"), "do not belong together"}));

TEST(PrivateKeyFromDer, TellsTheThreeFormsApart) {
  for (const auto& [file, public_key] :
       {std::pair{"p256.pkcs8.pem", "p256.pub.pem"}, std::pair{"p256.sec1.pem", "p256.pub.pem"},
        std::pair{"rsa.pkcs8.pem", "rsa.pub.pem"}, std::pair{"rsa.pkcs1.pem", "rsa.pub.pem"},
        std::pair{"ed25519.pkcs8.pem", "ed25519.pub.pem"}}) {
    const Secret der(SplitPem(Data(file)).front().der);
    EXPECT_EQ(ToPem("PUBLIC KEY", PrivateKey::FromDer(der).PublicKeyDer()), Data(public_key))
        << file;
  }
  for (const std::string& wrong :
       {std::string(), std::string("text"), std::string("\x30\x00", 2)}) {
    EXPECT_EQ(FailureOf([&] { PrivateKey::FromDer(Secret(wrong)); }).code, FailureCode::kInput);
  }
}

// The example key of RFC 7515 appendix A.3.1.
std::map<std::string, Secret> RfcJwk() {
  return {{"kty", Secret("EC")},
          {"crv", Secret("P-256")},
          {"x", Secret("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")},
          {"y", Secret("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")},
          {"d", Secret("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")}};
}

// Lines "member value", as data/make.py wrote them.
std::map<std::string, Secret> JwkData(const std::string& name) {
  std::map<std::string, Secret> members;
  std::istringstream lines(Data(name));
  for (std::string member, value; lines >> member >> value;) {
    members.emplace(member, Secret(value));
  }
  return members;
}

TEST(PrivateKeyFromJwk, IsTheKeyThatOthersReadFromIt) {
  EXPECT_EQ(PrivateKey::FromJwk(RfcJwk()).PublicKeyDer(),
            PrivateKey::FromPem(SecretData("rfc7515.pem")).PublicKeyDer());
  for (const auto& [jwk, pem] :
       {std::pair{"rsa.jwk", "rsa.pkcs8.pem"}, std::pair{"p384.jwk", "p384.pkcs8.pem"},
        std::pair{"p521.jwk", "p521.pkcs8.pem"}}) {
    EXPECT_EQ(PrivateKey::FromJwk(JwkData(jwk)).PublicKeyDer(),
              PrivateKey::FromPem(SecretData(pem)).PublicKeyDer())
        << jwk;
  }
}

TEST(PrivateKeyFromJwk, RefusesWhatIsIncompleteOrMixed) {
  struct Wrong {
    const char* member;
    const char* value;  // "" : the member is left out
    const char* says;
  };
  for (const Wrong& wrong :
       {Wrong{"kty", "", "has no member 'kty'"}, Wrong{"kty", "oct", "neither RSA nor EC"},
        Wrong{"crv", "secp256k1", "not supported"}, Wrong{"d", "", "has no member 'd'"},
        Wrong{"d", "*", "is damaged"}, Wrong{"d", "AA", "damaged"},
        Wrong{"x", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "damaged"},
        Wrong{"d", "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LIx", "damaged"}}) {
    auto members = RfcJwk();
    members.erase(wrong.member);
    if (*wrong.value != '\0') members.emplace(wrong.member, Secret(wrong.value));
    const Failure failure = FailureOf([&] { PrivateKey::FromJwk(members); });
    EXPECT_EQ(failure.code, FailureCode::kInput);
    EXPECT_THAT(failure.detail, HasSubstr(wrong.says)) << wrong.member << ' ' << wrong.value;
  }
}

TEST(PrivateKey, KnowsItsType) {
  using model::KeyType;
  for (const auto type : {KeyType::kEc256, KeyType::kEc384, KeyType::kRsa2048}) {
    EXPECT_EQ(PrivateKey::Generate(type).Type(), type);
  }
  for (const char* file : {"p521.pkcs8.pem", "ed25519.pkcs8.pem"}) {
    EXPECT_EQ(PrivateKey::FromPem(SecretData(file)).Type(), std::nullopt) << file;
  }
}

struct Generated {
  model::KeyType type;
  std::size_t least_der_bytes;
};

TEST(PrivateKey, GeneratesEachTypeAndNeverTheSameTwice) {
  for (const auto& [type, least] :
       {Generated{model::KeyType::kEc256, 91}, Generated{model::KeyType::kEc384, 120},
        Generated{model::KeyType::kRsa2048, 294}, Generated{model::KeyType::kRsa3072, 422}}) {
    const PrivateKey key = PrivateKey::Generate(type);
    EXPECT_EQ(key.PublicKeyDer().size(), least) << model::KeyTypeName(type);
    EXPECT_NE(key.PublicKeyDer(), PrivateKey::Generate(type).PublicKeyDer());
  }
}

class GeneratedKey : public testing::OpenSslTest {};

TEST_F(GeneratedKey, IsConsistentForOpenSsl) {
  for (const auto type : {model::KeyType::kEc256, model::KeyType::kEc384,
                          model::KeyType::kRsa2048}) {
    Write("key.pem", PrivateKey::Generate(type).ToPkcs8Pem().Reveal());
    const Outcome outcome = OpenSsl("pkey -in key.pem -check -noout");
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    EXPECT_THAT(outcome.output, HasSubstr("Key is valid"));
  }
}

}  // namespace
}  // namespace certwright::crypto
