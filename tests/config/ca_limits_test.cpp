#include "certwright/config/ca_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "certwright/base/error.h"

namespace certwright::config {
namespace {

using model::CaLimits;
using model::Limit;
using model::LimitName;
using ::testing::HasSubstr;

constexpr char kProduction[] = "https://acme-v02.api.letsencrypt.org/directory";
constexpr char kStaging[] = "https://acme-staging-v02.api.letsencrypt.org/directory";
constexpr UnixSeconds kHour = 3600;
constexpr UnixSeconds kDay = 24 * kHour;

class CaLimitsFile : public ::testing::Test {
 protected:
  CaLimitsFile() {
    char name[] = "/tmp/certwright-limits-XXXXXX";
    dir_ = mkdtemp(name);
  }
  ~CaLimitsFile() override { std::filesystem::remove_all(dir_); }

  std::vector<CaLimits> Load(const std::string& text) {
    std::ofstream(dir_ / "limits.toml") << text;
    return LoadCaLimits(dir_ / "limits.toml");
  }
  std::string ErrorOf(const std::string& text) {
    try {
      Load(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.failure().code, FailureCode::kConfig);
      EXPECT_NE(error.failure().advice, "");
      return error.failure().detail;
    }
    return "(no error)";
  }

  Path dir_;
};

const CaLimits* Of(const std::vector<CaLimits>& cas, const std::string& directory) {
  for (const CaLimits& ca : cas) {
    const auto& all = ca.directories;
    if (std::find(all.begin(), all.end(), directory) != all.end()) return &ca;
  }
  return nullptr;
}

Limit LimitOf(const CaLimits& ca, LimitName name) {
  for (const Limit& limit : ca.limits) {
    if (limit.name == name) return limit;
  }
  ADD_FAILURE() << model::LimitText(name);
  return {};
}

// letsencrypt.org/docs/rate-limits as of autumn 2026.
TEST_F(CaLimitsFile, LetsEncryptIsBuiltIn) {
  const auto cas = LoadCaLimits("");
  ASSERT_EQ(cas.size(), 2u);
  const CaLimits* production = Of(cas, kProduction);
  ASSERT_NE(production, nullptr);
  const Limit kExpected[] = {
      {LimitName::kOrders, 300, 3 * kHour, true, true, 30},
      {LimitName::kCertificatesPerDomain, 50, 7 * kDay, true, true, 5},
      {LimitName::kCertificatesPerExactSet, 5, 7 * kDay, true, false, 0},
      {LimitName::kFailedAuthorizations, 5, kHour, true, false, 0},
      {LimitName::kConsecutiveFailures, 1152, 1152 * kDay, true, false, 0},
      {LimitName::kAccounts, 10, 3 * kHour, false, false, 0},
  };
  EXPECT_EQ(production->limits.size(), std::size(kExpected));
  for (const Limit& expected : kExpected) {
    EXPECT_EQ(LimitOf(*production, expected.name), expected) << model::LimitText(expected.name);
  }
  const CaLimits* staging = Of(cas, kStaging);
  ASSERT_NE(staging, nullptr);
  EXPECT_EQ(LimitOf(*staging, LimitName::kOrders).burst, 1500);
  EXPECT_EQ(LimitOf(*staging, LimitName::kCertificatesPerExactSet).burst, 30000);
}

TEST_F(CaLimitsFile, AnEntryTakesThePlaceOfTheBuiltInOne) {
  const auto cas = Load(
      "[[ca]]\nname = \"ours, raised\"\ndirectories = [\"letsencrypt\"]\n"
      "[[ca.limit]]\nname = \"certificates-per-domain\"\nburst = 2000\nwindow = \"7d\"\n"
      "renewal_reserve = 0\n");
  const CaLimits* production = Of(cas, kProduction);
  ASSERT_NE(production, nullptr);
  EXPECT_EQ(production->name, "ours, raised");
  ASSERT_EQ(production->limits.size(), 1u) << "as a whole";
  EXPECT_EQ(production->limits[0],
            (Limit{LimitName::kCertificatesPerDomain, 2000, 7 * kDay, false, false, 0}));
  EXPECT_NE(Of(cas, kStaging), nullptr) << "the others stay";
}

TEST_F(CaLimitsFile, AnEntryAddsACaOrTakesItsLimitsAway) {
  const auto cas = Load(
      "[[ca]]\nname = \"private\"\ndirectories = [\"https://ca.example.org/dir\", "
      "\"https://ca2.example.org/dir\"]\n"
      "[[ca.limit]]\nname = \"orders\"\nburst = 9\nwindow = 60\n"
      "[[ca]]\nname = \"no limits\"\ndirectories = [\"letsencrypt-staging\"]\n");
  ASSERT_NE(Of(cas, "https://ca2.example.org/dir"), nullptr);
  EXPECT_EQ(Of(cas, "https://ca2.example.org/dir")->limits[0],
            (Limit{LimitName::kOrders, 9, 60, false, false, 0}))
      << "nothing is kept of fewer than ten";
  EXPECT_TRUE(Of(cas, kStaging)->limits.empty());
  EXPECT_EQ(Of(cas, kProduction)->name, "Let's Encrypt");
}

TEST_F(CaLimitsFile, WhatIsWrongIsToldWithLineAndKey) {
  const std::string ca = "[[ca]]\nname = \"x\"\ndirectories = [\"https://ca.example.org/dir\"]\n";
  const std::string good = "[[ca.limit]]\nname = \"orders\"\nburst = 9\nwindow = \"1h\"\n";
  const struct {
    const char* name;
    std::string text;
    std::vector<std::string> words;
  } kTable[] = {
      {"no TOML", "[[ca]\n", {"limits.toml:1:", "is not TOML"}},
      {"unknown section", "[limits]\n", {"limits.toml:1: limits: unknown key"}},
      {"no section", "ca = 5\n", {":1: ca: is the integer 5", "[[ca]]"}},
      {"unknown key of a CA", ca + "directory = \"x\"\n",
       {":4: ca.directory: unknown key; did you mean ca.directories?"}},
      {"no directory", "[[ca]]\nname = \"x\"\n", {":1: ca.directories: is missing"}},
      {"a directory that is none", "[[ca]]\nname = \"x\"\ndirectories = [\"letsencrpt\"]\n",
       {":3: ca.directories: ", "did you mean \"letsencrypt\"?"}},
      {"a directory twice", ca + "\n" + ca, {":7: ca.directories: ", "here twice"}},
      {"unknown limit", ca + "[[ca.limit]]\nname = \"order\"\nburst = 1\nwindow = \"1h\"\n",
       {":5: ca.limit.name: \"order\" is none of orders, certificates-per-domain"}},
      {"no window", ca + "[[ca.limit]]\nname = \"orders\"\nburst = 1\n",
       {":4: ca.limit.window: is missing"}},
      {"nothing at all", ca + "[[ca.limit]]\nname = \"orders\"\nburst = 0\nwindow = \"1h\"\n",
       {":6: ca.limit.burst: 0 is out of range; it goes from 1 to 1000000"}},
      {"no duration", ca + "[[ca.limit]]\nname = \"orders\"\nburst = 1\nwindow = \"week\"\n",
       {":7: ca.limit.window: \"week\" is no duration"}},
      {"unknown exemption", ca + good + "exempt = [\"renewal\"]\n",
       {":8: ca.limit.exempt: \"renewal\" is neither replaces nor same-set"}},
      {"no list", ca + good + "exempt = \"replaces\"\n", {":8: ca.limit.exempt: is the text"}},
      {"all reserved", ca + good + "renewal_reserve = 9\n",
       {"ca.limit.renewal_reserve: leaves nothing"}},
      {"a limit twice", ca + good + good, {":8: ca.limit.name: orders is there twice"}},
      {"two problems", ca + good + "exempt = 1\nburts = 1\n", {"ca.limit.exempt", "burst"}},
  };
  for (const auto& row : kTable) {
    const std::string error = ErrorOf(row.text);
    for (const std::string& words : row.words) {
      EXPECT_THAT(error, HasSubstr(words)) << row.name;
    }
  }
}

TEST_F(CaLimitsFile, AFileThatIsNotThereIsNamed) {
  try {
    LoadCaLimits(dir_ / "missing.toml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.failure().detail, HasSubstr("ledger.limits"));
    EXPECT_THAT(error.failure().detail, HasSubstr("missing.toml"));
  }
}

}  // namespace
}  // namespace certwright::config
