// What a CA may send (invariant I6): only a chain that is ours in every respect becomes a version.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certwright/base/encoding.h"
#include "certwright/crypto/certificate.h"
#include "fixture.h"

namespace certwright::crypto {
namespace {

using testing::Data;
using testing::Dns;
using testing::FailureOf;
using testing::Ip;
using testing::SecretData;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<model::Identifier> kAsked = {Dns("a.example.org"), Dns("b.example.org"),
                                               Ip("192.0.2.7"), Ip("2001:db8::7")};
const UnixSeconds kBegin = 1767225600;  // 2026-01-01
const UnixSeconds kEnd = 1775001600;    // 2026-04-01
const UnixSeconds kNow = kBegin + 86400;

std::string Chain(const std::vector<std::string>& names) {
  std::string chain;
  for (const std::string& name : names) chain += Data(name + ".crt");
  return chain;
}

model::CertificateVersion Check(const std::string& chain, UnixSeconds now = kNow,
                                const std::vector<model::Identifier>& asked = kAsked) {
  return CheckedVersion(chain, SecretData("p256.sec1.pem"), asked, now);
}

TEST(CheckedVersion, IsFilledFromAGoodChain) {
  const auto version = Check("text\r\n" + Chain({"leaf", "intermediate"}) + "\nmore text");
  EXPECT_EQ(version.chain_pem, Chain({"leaf", "intermediate"}));
  EXPECT_EQ(version.key_pem, PrivateKey::FromPem(SecretData("p256.pkcs8.pem")).ToPkcs8Pem());
  EXPECT_EQ(version.serial_hex, "008765432101");
  EXPECT_EQ(version.subject, "");
  EXPECT_EQ(version.issuer, "CN=Test Intermediate");
  EXPECT_EQ(version.names, kAsked);
  EXPECT_EQ(version.not_before, kBegin);
  EXPECT_EQ(version.not_after, kEnd);
  EXPECT_EQ(version.created_at, kNow);
  EXPECT_EQ(version.fingerprint.size(), 64U);
  EXPECT_TRUE(version.ari_id.ends_with(".AIdlQyEB")) << version.ari_id;
}

TEST(CheckedVersion, TakesWhatIsOddButLegal) {
  EXPECT_NO_THROW(Check(Chain({"leaf", "intermediate", "root"})));
  EXPECT_NO_THROW(Check(Chain({"leaf", "intermediate", "root", "root"})));
  EXPECT_NO_THROW(Check(Chain({"leaf"})));
  EXPECT_NO_THROW(Check(Chain({"leaf_of_root", "root"})));
  EXPECT_NO_THROW(Check(Chain({"leaf_upper", "intermediate"})));
  EXPECT_NO_THROW(Check(Chain({"leaf_cn_other", "intermediate"})));
  EXPECT_NO_THROW(Check(Chain({"leaf"}), kBegin - 3600));
  EXPECT_NO_THROW(Check(Chain({"leaf"}), kEnd));
  EXPECT_NO_THROW(Check(Chain({"leaf"}), kNow,
                        {Ip("2001:0DB8:0::7"), Ip("192.0.2.7"), Dns("B.example.org"),
                         Dns("a.example.org"), Dns("a.example.org")}));
}

TEST(KeptVersion, TakesTheNamesOfTheLeaf) {
  const std::string chain = Chain({"leaf", "intermediate"});
  EXPECT_EQ(KeptVersion(chain, SecretData("p256.sec1.pem"), kNow).names, kAsked);
  struct Wrong {
    std::string chain;
    const char* key;
    UnixSeconds now;
    const char* says;
  };
  for (const Wrong& wrong :
       {Wrong{chain, "p384.sec1.pem", kNow, "another key than that beside it"},
        Wrong{chain, "p256.sec1.pem", kEnd + 1, "expired at 2026-04-01"},
        Wrong{Chain({"leaf_cn"}), "p256.sec1.pem", kNow, "without a host name"},
        Wrong{Chain({"leaf", "root"}), "p256.sec1.pem", kNow, "was issued by"},
        Wrong{"", "p256.sec1.pem", kNow, "is empty"}}) {
    const Failure failure =
        FailureOf([&] { KeptVersion(wrong.chain, SecretData(wrong.key), wrong.now); });
    EXPECT_EQ(failure.code, FailureCode::kInput);
    EXPECT_THAT(failure.detail, HasSubstr(wrong.says));
    EXPECT_TRUE(failure.detail.starts_with("there is a certificate ")) << failure.detail;
  }
}

// No TLS client looks at it any more (RFC 9525 section 6.3).
TEST(CheckedVersion, DoesNotTakeTheCommonNameForAName) {
  EXPECT_THROW(Check(Chain({"leaf_cn", "intermediate"}), kNow, {Dns("a.example.org")}), Error);
}

struct Hostile {
  const char* name;
  std::string chain;
  const char* says;
  UnixSeconds now = kNow;
};
void PrintTo(const Hostile& row, std::ostream* out) { *out << row.name; }

class HostileChains : public ::testing::TestWithParam<Hostile> {};

TEST_P(HostileChains, AreRefusedAndTheRuleIsSaid) {
  const Failure failure = FailureOf([] { Check(GetParam().chain, GetParam().now); });
  EXPECT_EQ(failure.code, FailureCode::kProtocol);
  EXPECT_TRUE(failure.detail.starts_with("the CA sent a certificate ")) << failure.detail;
  EXPECT_THAT(failure.detail, HasSubstr(GetParam().says));
  EXPECT_NE(failure.advice, "");
  EXPECT_FALSE(failure.transient);
  for (const char c : failure.detail) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
}

std::string Repeated(const std::string& text, int times) {
  std::string out;
  while (times-- > 0) out += text;
  return out;
}

// The last octet of the signature is another one.
std::string Altered(const std::string& name) {
  std::string der = SplitPem(Data(name + ".crt")).at(0).der;
  der.back() = static_cast<char>(der.back() ^ 1);
  return ToPem("CERTIFICATE", der);
}

INSTANTIATE_TEST_SUITE_P(
    All, HostileChains,
    ::testing::Values(
        Hostile{"empty", "", "chain that is empty"},
        Hostile{"html", "<html><h1>502 Bad Gateway</h1></html>", "chain that is an HTML page"},
        Hostile{"json", R"({"status":"valid"})", "no PEM"},
        Hostile{"cut off", Data("leaf.crt").substr(0, 300), "chain that is damaged"},
        Hostile{"second cut off", Data("leaf.crt") + Data("intermediate.crt").substr(0, 99),
                "chain that is damaged"},
        Hostile{"no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "that is no certificate"},
        Hostile{"private key", Chain({"leaf"}) + Data("p256.pkcs8.pem"), "private key in it"},
        Hostile{"only a private key", Data("p256.sec1.pem"), "private key in it"},
        Hostile{"public key", Chain({"leaf"}) + Data("p256.pub.pem"), "'PUBLIC KEY'"},
        Hostile{"eleven", Repeated(Chain({"leaf"}), 11), "more than 10 certificates"},
        Hostile{"two mebibytes", Repeated(Chain({"leaf"}), 3000), "more than 1 MiB"},
        Hostile{"other key", Chain({"leaf_other_key", "intermediate"}), "another key than ours"},
        Hostile{"issuer first", Chain({"intermediate", "leaf"}), "another key than ours"},
        Hostile{"one more name", Chain({"leaf_one_more", "intermediate"}),
                "not asked for: c.example.org"},
        Hostile{"one name less", Chain({"leaf_missing", "intermediate"}),
                "lacks names asked for: a.example.org"},
        Hostile{"wildcard instead", Chain({"leaf_wildcard", "intermediate"}),
                "a.example.org, b.example.org missing, *.example.org not asked for"},
        Hostile{"mail address too", Chain({"leaf_email", "intermediate"}), "not asked for"},
        Hostile{"escape sequence in a name", Chain({"leaf_escape", "intermediate"}),
                "not asked for: ?[2jc.example.org"},
        Hostile{"only the common name", Chain({"leaf_cn", "intermediate"}), "lacks names"},
        Hostile{"ca", Chain({"leaf_ca", "intermediate"}), "is itself a CA's"},
        Hostile{"expired", Chain({"leaf", "intermediate"}), "expired at 2026-04-01T00:00:00Z",
                kEnd + 1},
        Hostile{"not yet valid", Chain({"leaf", "intermediate"}),
                "not valid before 2026-01-01T00:00:00Z", kBegin - 3601},
        Hostile{"root skipped to", Chain({"leaf", "root"}),
                "was issued by CN=Test Intermediate but the next one is CN=Test Root"},
        Hostile{"root before intermediate", Chain({"leaf", "root", "intermediate"}),
                "was issued by"},
        Hostile{"leaf twice", Chain({"leaf", "leaf"}), "was issued by"},
        Hostile{"root twice apart", Chain({"leaf", "intermediate", "root", "intermediate"}),
                "certificate 3"},
        Hostile{"issuer of the same name", Chain({"leaf", "impostor"}),
                "not signed by the key of the next one"},
        Hostile{"issuer that is no ca", Chain({"leaf", "no_ca"}), "no CA"},
        Hostile{"altered leaf", Altered("leaf") + Chain({"intermediate"}), "not signed by"},
        Hostile{"altered intermediate", Chain({"leaf"}) + Altered("intermediate") + Chain({"root"}),
                "certificate 2"}));

TEST(CheckedVersion, OwnsUpToABadKeyOfOurOwn) {
  const Failure failure = FailureOf([] {
    CheckedVersion(Chain({"leaf"}), Secret("x"), kAsked, kNow);
  });
  EXPECT_EQ(failure.code, FailureCode::kInput);
  EXPECT_THAT(failure.detail, HasSubstr("the private key"));
}

}  // namespace
}  // namespace certwright::crypto
