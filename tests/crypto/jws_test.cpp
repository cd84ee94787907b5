#include "certwright/crypto/jws.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certwright/base/encoding.h"
#include "fixture.h"

namespace certwright::crypto {
namespace {

using testing::FailureOf;
using testing::SecretData;

// The example key of RFC 7515 appendix A.3.1.
PrivateKey RfcKey() { return PrivateKey::FromPem(SecretData("rfc7515.pem")); }

// The member of a flattened JWS; its values hold no quotes.
std::string Member(const std::string& jws, const std::string& name) {
  const std::string start = "\"" + name + "\":\"";
  const std::size_t at = jws.find(start) + start.size();
  return jws.substr(at, jws.find('"', at) - at);
}

TEST(Jwk, IsTheOneOfRfc7515InTheOrderOfRfc7638) {
  EXPECT_EQ(Jwk(RfcKey()),
            R"({"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
            R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
}

TEST(Jwk, HasCoordinatesOfFixedWidth) {
  // One key in 128 has a coordinate that begins with a zero octet.
  for (int i = 0; i < 300; ++i) {
    const std::string jwk = Jwk(PrivateKey::Generate(model::KeyType::kEc256));
    ASSERT_EQ(FromBase64Url(Member(jwk, "x"))->size(), 32U);
    ASSERT_EQ(FromBase64Url(Member(jwk, "y"))->size(), 32U);
  }
}

TEST(Thumbprint, IsTheHashOfTheJwk) {
  // By Python's hashlib of the JWK above.
  EXPECT_EQ(Thumbprint(RfcKey()), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
  EXPECT_EQ(KeyAuthorization("token-1", RfcKey()),
            "token-1.oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
}

TEST(SignJws, RefusesKeysThatNoCaTakes) {
  for (const char* file : {"ed25519.pkcs8.pem", "p521.pkcs8.pem"}) {
    const PrivateKey key = PrivateKey::FromPem(SecretData(file));
    EXPECT_EQ(FailureOf([&] { Jwk(key); }).code, FailureCode::kInput) << file;
    EXPECT_EQ(FailureOf([&] { SignJws(key, "{}", ""); }).code, FailureCode::kInput) << file;
    EXPECT_EQ(FailureOf([&] { JwsAlgorithm(key); }).code, FailureCode::kInput) << file;
  }
}

// RFC 7515 appendix A.1.
TEST(SignJwsHmac, GivesTheSignatureOfRfc7515) {
  const Secret key(*FromBase64Url("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj"
                                  "0iPS4hcgUuTwjAzZr1Z9CAow"));
  const std::string jws =
      SignJwsHmac(key, "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}",
                  "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
                  "\"http://example.com/is_root\":true}");
  EXPECT_EQ(Member(jws, "protected"), "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9");
  EXPECT_EQ(Member(jws, "payload"),
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290"
            "Ijp0cnVlfQ");
  EXPECT_EQ(Member(jws, "signature"), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

// A DER INTEGER of unsigned octets.
std::string Integer(std::string octets) {
  while (octets.size() > 1 && octets[0] == 0) octets.erase(0, 1);
  if (octets[0] & 0x80) octets.insert(octets.begin(), '\0');
  return std::string("\x02") + static_cast<char>(octets.size()) + octets;
}

struct Algorithm {
  model::KeyType type;
  const char* name;
  const char* digest;
  std::size_t width;
};

class SignedJws : public testing::OpenSslTest {};

TEST_F(SignedJws, IsVerifiedByOpenSsl) {
  for (const Algorithm& algorithm :
       {Algorithm{model::KeyType::kEc256, "ES256", "-sha256", 32},
        Algorithm{model::KeyType::kEc384, "ES384", "-sha384", 48}}) {
    const PrivateKey key = PrivateKey::Generate(algorithm.type);
    EXPECT_EQ(JwsAlgorithm(key), algorithm.name);
    Write("public.pem", ToPem("PUBLIC KEY", key.PublicKeyDer()));
    const std::string jws = SignJws(key, R"({"alg":"x","nonce":"n"})", R"({"a":1})");
    EXPECT_EQ(FromBase64Url(Member(jws, "protected")), R"({"alg":"x","nonce":"n"})");
    EXPECT_EQ(FromBase64Url(Member(jws, "payload")), R"({"a":1})");
    const std::string raw = *FromBase64Url(Member(jws, "signature"));
    ASSERT_EQ(raw.size(), 2 * algorithm.width);
    const std::string numbers =
        Integer(raw.substr(0, algorithm.width)) + Integer(raw.substr(algorithm.width));
    Write("signature", std::string("\x30") + static_cast<char>(numbers.size()) + numbers);

    const std::string verify =
        std::string("dgst ") + algorithm.digest + " -verify public.pem -signature signature input";
    Write("input", Member(jws, "protected") + "." + Member(jws, "payload"));
    EXPECT_EQ(OpenSsl(verify).exit_code, 0) << algorithm.name;
    Write("input", Member(jws, "protected") + "." + Member(jws, "payload") + "x");
    EXPECT_NE(OpenSsl(verify).exit_code, 0) << algorithm.name;
  }
}

TEST_F(SignedJws, OfAnRsaKeyIsVerifiedByOpenSsl) {
  const PrivateKey key = PrivateKey::FromPem(SecretData("rsa.pkcs8.pem"));
  EXPECT_EQ(JwsAlgorithm(key), "RS256");
  Write("public.pem", ToPem("PUBLIC KEY", key.PublicKeyDer()));
  const std::string jws = SignJws(key, "{}", R"({"a":1})");
  Write("signature", *FromBase64Url(Member(jws, "signature")));
  Write("input", Member(jws, "protected") + "." + Member(jws, "payload"));
  const std::string verify = "dgst -sha256 -verify public.pem -signature signature input";
  EXPECT_EQ(OpenSsl(verify).exit_code, 0);
  Write("input", Member(jws, "protected") + "." + Member(jws, "payload") + "x");
  EXPECT_NE(OpenSsl(verify).exit_code, 0);
}

TEST(Jwk, OfAnRsaKeyHasItsNumbersWithoutASign) {
  const PrivateKey key = PrivateKey::FromPem(SecretData("rsa.pkcs8.pem"));
  const std::string jwk = Jwk(key);
  EXPECT_EQ(jwk.find(R"({"e":"AQAB","kty":"RSA","n":")"), 0U);
  const std::string modulus = *FromBase64Url(Member(jwk, "n"));
  EXPECT_EQ(modulus.size() % 64, 0U) << "whole bits, no leading zero octet";
  EXPECT_NE(key.PublicKeyDer().find(modulus), std::string::npos);
}

TEST(SignJws, OfAnEmptyPayloadHasAnEmptyPayload) {  // POST-as-GET, RFC 8555 section 6.3
  EXPECT_EQ(Member(SignJws(RfcKey(), "{}", ""), "payload"), "");
}

}  // namespace
}  // namespace certwright::crypto
