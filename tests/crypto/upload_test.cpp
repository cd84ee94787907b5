// What trusts an uploaded chain. The roots that this machine has are the system's: here a test's root
// takes their place.
#include "certwright/crypto/certificate.h"

#include <gmock/gmock.h>

#include "certwright/crypto/key.h"
#include "fixture.h"

namespace certwright::crypto {
namespace {

using testing::Data;

const UnixSeconds kBegin = InspectChain(Data("leaf.crt")).front().not_before;
const UnixSeconds kNow = kBegin + 86400;

std::vector<CertificateInfo> Chain(const std::vector<std::string>& files) {
  std::string pem;
  for (const std::string& file : files) pem += Data(file + ".crt");
  return InspectChain(pem);
}

TEST(Upload, IsTrustedWhereARootLeadsToIt) {
  const UnixSeconds end = Chain({"leaf"}).front().not_after;
  const struct {
    const char* name;
    std::vector<std::string> chain;
    std::string roots;
    UnixSeconds now;
    bool trusted;
  } kTable[] = {
      {"with its intermediate", {"leaf", "intermediate"}, Data("root.crt"), kNow, true},
      {"with its root too", {"leaf", "intermediate", "root"}, Data("root.crt"), kNow, true},
      {"straight below the root", {"leaf_of_root"}, Data("root.crt"), kNow, true},
      {"a name alone", {"leaf_cn", "intermediate"}, Data("root.crt"), kNow, true},
      {"without its intermediate", {"leaf"}, Data("root.crt"), kNow, false},
      {"without its root", {"leaf", "intermediate", "root"}, "", kNow, false},
      {"an impostor of the intermediate", {"leaf", "impostor"}, Data("root.crt"), kNow, false},
      {"expired", {"leaf", "intermediate"}, Data("root.crt"), end + 1, false},
      {"before its time", {"leaf", "intermediate"}, Data("root.crt"), kBegin - 1, false},
  };
  for (const auto& row : kTable) {
    const std::string why = WhyUntrusted(Chain(row.chain), row.roots, row.now);
    EXPECT_EQ(why.empty(), row.trusted) << row.name << ": " << why;
  }
}

TEST(Upload, LeadsToASelfSignedOneBesideIt) {
  const auto own = SelfSigned({testing::Dns("a.example.org")}, kNow - 10, kNow + 10);
  EXPECT_EQ(WhyNotSelfSigned(InspectChain(own.chain_pem), kNow), "");
  EXPECT_EQ(WhyNotSelfSigned(Chain({"leaf", "intermediate", "root"}), kNow), "");
  EXPECT_NE(WhyNotSelfSigned(InspectChain(own.chain_pem), kNow + 11), "");
  EXPECT_NE(WhyNotSelfSigned(Chain({"leaf", "intermediate"}), kNow), "");
  EXPECT_NE(WhyNotSelfSigned(Chain({"leaf", "impostor", "root"}), kNow), "");
}

TEST(Upload, TakesEachKindOfKeyInEachForm) {
  for (const char* file : {"p256.pkcs8.pem", "p256.sec1.pem", "p384.pkcs8.pem", "p384.sec1.pem",
                           "p521.pkcs8.pem", "p521.sec1.pem", "rsa.pkcs8.pem", "rsa.pkcs1.pem",
                           "ed25519.pkcs8.pem"}) {
    const PrivateKey key = PrivateKey::FromPem(testing::SecretData(file));
    const auto pair = SelfSigned(key, {testing::Dns("a.example.org")}, kNow - 10, kNow + 10);
    EXPECT_EQ(WhyNotSelfSigned(InspectChain(pair.chain_pem), kNow), "") << file;
    const model::CertificateVersion version = UploadedVersion(pair.chain_pem, key, kNow);
    EXPECT_EQ(version.origin, model::Origin::kUpload);
    EXPECT_TRUE(version.key_pem.Reveal().starts_with("-----BEGIN PRIVATE KEY-----")) << file;
    EXPECT_EQ(model::Names(version.names), std::vector<std::string>{"a.example.org"});
  }
}

}  // namespace
}  // namespace certwright::crypto
