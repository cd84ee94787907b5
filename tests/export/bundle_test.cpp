#include "certwright/export/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certwright/base/encoding.h"
#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"

namespace certwright::exports {
namespace {

using ::testing::HasSubstr;

// A real key and certificate; the issuer is another self-signed one (nobody here looks at
// signatures).
const model::CertificateVersion& Sample() {
  static const model::CertificateVersion version = [] {
    auto leaf = crypto::SelfSigned(model::ParseIdentifiers({"a.example.org", "*.example.org"}),
                                   1'700'000'000, 1'900'000'000);
    const auto issuer = crypto::SelfSigned(model::ParseIdentifiers({"ca.example.org"}),
                                           1'700'000'000, 1'900'000'000);
    leaf.chain_pem += issuer.chain_pem;
    return leaf;
  }();
  return version;
}

std::string Labels(const std::string& text) {
  std::vector<std::string> labels;
  for (const auto& block : SplitPem(text)) labels.push_back(block.label);
  return Join(labels, " ");
}

TEST(MakeBundle, PutsThePartsInTheOrderOfTheFormat) {
  struct Row {
    Format format;
    const char* name;
    const char* labels;
    bool has_key;
  };
  const Row rows[] = {
      {Format::kPem, "pem", "CERTIFICATE CERTIFICATE PRIVATE KEY", true},
      {Format::kFullchain, "fullchain", "CERTIFICATE CERTIFICATE", false},
      {Format::kCert, "cert", "CERTIFICATE", false},
      {Format::kChain, "chain", "CERTIFICATE", false},
      {Format::kKey, "key", "PRIVATE KEY", true},
      {Format::kCombined, "combined", "PRIVATE KEY CERTIFICATE CERTIFICATE", true},
      {Format::kHaproxy, "haproxy", "CERTIFICATE CERTIFICATE PRIVATE KEY", true},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string text = MakeBundle(Sample(), row.format, Secret()).Reveal();
    EXPECT_EQ(Labels(text), row.labels);
    EXPECT_TRUE(text.ends_with("-----\n"));
    EXPECT_EQ(HasKey(row.format), row.has_key);
    EXPECT_EQ(FormatName(row.format), row.name);
    EXPECT_EQ(FormatFromName(row.name), row.format);
  }
}

TEST(MakeBundle, GivesTheLeafAsDerAndTheIssuersAsChain) {
  const auto blocks = SplitPem(Sample().chain_pem);
  EXPECT_EQ(MakeBundle(Sample(), Format::kDer, Secret()).Reveal(), blocks.at(0).der);
  EXPECT_EQ(SplitPem(MakeBundle(Sample(), Format::kChain, Secret()).Reveal()).at(0).der,
            blocks.at(1).der);
  auto alone = Sample();
  alone.chain_pem = ToPem("CERTIFICATE", blocks.at(0).der);
  EXPECT_EQ(MakeBundle(alone, Format::kChain, Secret()).Reveal(), "");
}

TEST(MakeBundle, MakesAPkcs12ThatIsDer) {
  const std::string der = MakeBundle(Sample(), Format::kPkcs12, Secret("pass word")).Reveal();
  ASSERT_GT(der.size(), 500U);
  EXPECT_EQ(der[0], '\x30');
  EXPECT_EQ(der.find("PRIVATE KEY"), std::string::npos);
}

TEST(MakeBundle, WritesJsonOnOneLine) {
  const std::string text = MakeBundle(Sample(), Format::kJson, Secret()).Reveal();
  EXPECT_THAT(
      text,
      HasSubstr(
          "{\"names\":[\"*.example.org\",\"a.example.org\"],\"serial\":\"" + Sample().serial_hex +
          "\",\"not_before\":\"2023-11-14T22:13:20Z\","
          "\"not_after\":\"2030-03-17T17:46:40Z\",\"cert\":\"-----BEGIN CERTIFICATE-----\\n"));
  EXPECT_THAT(text, HasSubstr("\"key\":\"-----BEGIN PRIVATE KEY-----\\n"));
  EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST(MakeBundle, RefusesUnknownFormatsAndDamagedChains) {
  EXPECT_THROW(FormatFromName("pfx"), Error);
  auto damaged = Sample();
  damaged.chain_pem = "no PEM";
  EXPECT_THROW(MakeBundle(damaged, Format::kPem, Secret()), Error);
}

TEST(MakeBundle, SaysWhichFormatsHoldTheKey) {
  for (const auto& name : FormatNames()) {
    const Format format = FormatFromName(name);
    if (format == Format::kPkcs12) continue;  // encrypted: not to be seen
    const std::string text = MakeBundle(Sample(), format, Secret()).Reveal();
    EXPECT_EQ(text.find("PRIVATE KEY") != std::string::npos, HasKey(format)) << name;
  }
  EXPECT_TRUE(HasKey(Format::kPkcs12));
}

class WritePairTest : public ::testing::Test {
 protected:
  WritePairTest() {
    char name[] = "/tmp/certwright-pair-XXXXXX";
    dir_ = mkdtemp(name);
    cert_ = dir_ / "cert.pem";
    key_ = dir_ / "key.pem";
  }
  ~WritePairTest() override { std::filesystem::remove_all(dir_); }

  static mode_t Mode(const Path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }
  static ino_t Inode(const Path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_ino;
  }
  int Files() const {
    int count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir_)) ++count;
    return count;
  }

  Path dir_;
  Path cert_;
  Path key_;
};

TEST_F(WritePairTest, WritesBothWithTheirModes) {
  EXPECT_TRUE(WritePair(cert_, key_, Sample()));
  EXPECT_EQ(Labels(ReadFile(cert_)), "CERTIFICATE CERTIFICATE");
  EXPECT_EQ(ReadFile(key_), Sample().key_pem.Reveal());
  EXPECT_EQ(Mode(cert_), 0644U);
  EXPECT_EQ(Mode(key_), 0600U);
  EXPECT_EQ(Files(), 2);
}

TEST_F(WritePairTest, LeavesWhatIsTheSame) {
  WritePair(cert_, key_, Sample());
  // Another program's line ends, and a text before the block.
  std::string text = "subject=a\n" + ReadFile(cert_);
  WriteFileAtomically(cert_, text);
  const auto before = std::pair(Inode(cert_), Inode(key_));
  EXPECT_FALSE(WritePair(cert_, key_, Sample()));
  EXPECT_EQ(std::pair(Inode(cert_), Inode(key_)), before);
  EXPECT_EQ(ReadFile(cert_), text);
}

TEST_F(WritePairTest, ReplacesWhatDiffers) {
  struct Row {
    const char* name;
    std::string cert;  // "" : not there
    std::string key;
  };
  const auto other =
      crypto::SelfSigned(model::ParseIdentifiers({"b.example.org"}), 0, 1'900'000'000);
  const std::string cert = MakeBundle(Sample(), Format::kFullchain, Secret()).Reveal();
  const std::string key = Sample().key_pem.Reveal();
  const Row rows[] = {
      {"both missing", "", ""},
      {"certificate missing", "", key},
      {"key missing", cert, ""},
      {"another certificate", other.chain_pem, key},
      {"another key", cert, other.key_pem.Reveal()},
      {"another pair", other.chain_pem, other.key_pem.Reveal()},
      {"issuer missing", ToPem("CERTIFICATE", SplitPem(cert).at(0).der), key},
      {"certificate cut short", cert.substr(0, 100), key},
      {"no PEM at all", "x", "y"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    for (const auto& [file, content] : {std::pair(cert_, row.cert), std::pair(key_, row.key)}) {
      std::filesystem::remove(file);
      if (!content.empty()) WriteFileAtomically(file, content);
    }
    EXPECT_TRUE(WritePair(cert_, key_, Sample()));
    EXPECT_EQ(ReadFile(cert_), cert);
    EXPECT_EQ(ReadFile(key_), key);
    EXPECT_EQ(Files(), 2);
  }
}

TEST_F(WritePairTest, TakesTheKeyAwayFromOthers) {
  WritePair(cert_, key_, Sample());
  ::chmod(key_.c_str(), 0644);
  EXPECT_FALSE(WritePair(cert_, key_, Sample()));
  EXPECT_EQ(Mode(key_), 0600U);
}

TEST_F(WritePairTest, TouchesNeitherFileWhereOneCannotBeWritten) {
  const auto other =
      crypto::SelfSigned(model::ParseIdentifiers({"b.example.org"}), 0, 1'900'000'000);
  WriteFileAtomically(key_, other.key_pem.Reveal());
  try {
    WritePair(dir_ / "missing" / "cert.pem", key_, Sample());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().code, FailureCode::kDisk);
    EXPECT_THAT(error.what(), HasSubstr("the folder does not exist"));
    EXPECT_EQ(std::string(error.what()).find("PRIVATE"), std::string::npos);
  }
  EXPECT_EQ(ReadFile(key_), other.key_pem.Reveal());
  EXPECT_EQ(Files(), 1);
}

TEST_F(WritePairTest, RemovesWhatAKilledRunLeftAlsoWhereNothingChanges) {
  WritePair(cert_, key_, Sample());
  WriteFileAtomically(dir_ / ".key.pem.0123456789abcdef.tmp", "half a key");
  WriteFileAtomically(dir_ / ".cert.pem.0123456789abcdef.tmp", "half a certificate");
  EXPECT_FALSE(WritePair(cert_, key_, Sample()));
  EXPECT_EQ(Files(), 2);
}

TEST_F(WritePairTest, ReplacesNoneOfSeveralWhereOneCannotBeWritten) {
  const auto write = [&](const char* text, const Path& last) {
    WriteTogether({{key_, Secret(text), 0600}, {cert_, Secret(text), 0644}, {last, Secret(text)}});
  };
  write("old", dir_ / "last");
  EXPECT_EQ(Files(), 3);
  EXPECT_THROW(write("new", dir_ / "missing" / "last"), Error);
  EXPECT_EQ(ReadFile(key_), "old");
  EXPECT_EQ(ReadFile(cert_), "old");
  EXPECT_EQ(Files(), 3);
  EXPECT_EQ(Mode(key_), 0600U);
  EXPECT_EQ(Mode(cert_), 0644U);
}

}  // namespace
}  // namespace certwright::exports
