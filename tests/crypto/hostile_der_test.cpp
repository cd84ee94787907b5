// Every certificate with one octet changed or missing: read or refused, and nothing else.
#include <gtest/gtest.h>

#include "certwright/base/encoding.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"
#include "fixture.h"

namespace certwright::crypto {
namespace {

using testing::Data;
using testing::Dns;
using testing::FailureOf;

std::string Leaf() { return SplitPem(Data("subject_forms.crt")).at(0).der; }

// Whether it was read. Anything but Error(kInput) fails the test.
bool IsRead(const std::string& der) {
  try {
    const CertificateInfo info = Inspect(der);
    EXPECT_EQ(Printable(info.subject, 1 << 20), info.subject);
    EXPECT_EQ(Printable(info.issuer, 1 << 20), info.issuer);
    for (const auto& name : info.names) EXPECT_EQ(Printable(name.value), name.value);
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().code, FailureCode::kInput);
    return false;
  }
}

TEST(Inspect, RefusesEveryTruncation) {
  const std::string der = Leaf();
  ASSERT_TRUE(IsRead(der));
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_FALSE(IsRead(der.substr(0, size))) << size;
  }
  EXPECT_FALSE(IsRead(der + '\0'));
}

TEST(Inspect, SurvivesEveryChangedOctet) {
  const std::string der = Leaf();
  std::size_t refused = 0;
  for (std::size_t at = 0; at < der.size(); ++at) {
    for (const char mask : {'\x01', '\x80', '\x7f', '\xff'}) {
      std::string changed = der;
      changed[at] = static_cast<char>(changed[at] ^ mask);
      refused += IsRead(changed) ? 0 : 1;
    }
  }
  EXPECT_GT(refused, der.size() / 2);  // tags and lengths
}

// The same at the door of the CA: also Botan sees these, through the check of the signature.
TEST(CheckedVersion, RefusesEveryChangedOctetOfAnIssuer) {
  const std::string leaf = Data("leaf.crt");
  const std::string issuer = SplitPem(Data("intermediate.crt")).at(0).der;
  const std::string root = Data("root.crt");
  for (std::size_t at = 0; at < issuer.size(); ++at) {
    std::string changed = issuer;
    changed[at] = static_cast<char>(changed[at] ^ 0x01);
    const Failure failure = FailureOf([&] {
      CheckedVersion(leaf + ToPem("CERTIFICATE", changed) + root,
                     testing::SecretData("p256.pkcs8.pem"),
                     {Dns("a.example.org"), Dns("b.example.org"), testing::Ip("192.0.2.7"),
                      testing::Ip("2001:db8::7")},
                     1767312000);
    });
    EXPECT_EQ(failure.code, FailureCode::kProtocol) << at;
  }
}

TEST(Inspect, RefusesForgedLengths) {
  for (const char* hex :
       {"", "30", "3000", "3080", "30840fffffff", "3084ffffffff", "3085ffffffffff", "30820001",
        "308100", "3081053003020100", "30030101", "1f1f00", "30073005020100020100",
        "308200053003020100"}) {
    EXPECT_FALSE(IsRead(*FromHex(hex))) << hex;
  }
}

TEST(Inspect, IsNotSlowedByDeepNesting) {
  std::string der;
  for (int i = 0; i < 20000; ++i) der += "\x30\x80";
  EXPECT_FALSE(IsRead(der));
}

}  // namespace
}  // namespace certwright::crypto
