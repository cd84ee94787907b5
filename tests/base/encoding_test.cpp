#include "certwright/base/encoding.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright {
namespace {

using std::string_literals::operator""s;

TEST(Encoding, KnowsTheVectorsOfRfc4648) {
  struct Row {
    std::string bytes, standard, url;
  };
  const std::vector<Row> rows = {
      {"", "", ""},
      {"f", "Zg==", "Zg"},
      {"fo", "Zm8=", "Zm8"},
      {"foo", "Zm9v", "Zm9v"},
      {"foob", "Zm9vYg==", "Zm9vYg"},
      {"fooba", "Zm9vYmE=", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
      {"\xfb\xff\xfe", "+//+", "-__-"},
      {"\0\0"s, "AAA=", "AAA"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Base64(row.bytes), row.standard);
    EXPECT_EQ(Base64Url(row.bytes), row.url);
    EXPECT_EQ(FromBase64(row.standard), row.bytes) << row.standard;
    EXPECT_EQ(FromBase64Url(row.url), row.bytes) << row.url;
  }
}

TEST(Encoding, RefusesWhatIsNoBase64Url) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"padding", "Zg=="},      {"standard alphabet", "+//+"}, {"blank", "Zm 9v"},
      {"line break", "Zm9v\n"}, {"one character", "Z"},        {"bits left over", "Zh"},
      {"NUL", "Zm9\0"s},        {"high byte", "Zm9\xc3"},
  };
  for (const auto& [name, text] : rows) EXPECT_FALSE(FromBase64Url(text).has_value()) << name;
}

TEST(Encoding, TellsTokensFromOtherText) {
  EXPECT_TRUE(IsBase64Url("LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"));
  for (const char* text : {"", "../etc", "a.b", "a=", "a b", "a\n", "a/b", "\xc3\xa4"}) {
    EXPECT_FALSE(IsBase64Url(text)) << text;
  }
}

TEST(Encoding, ReadsBase64OverLinesButNothingElse) {
  EXPECT_EQ(FromBase64("Zm9v\r\nYmFy\n"), "foobar");
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"no padding", "Zg"},     {"half the padding", "Zg="},    {"three marks", "Z==="},
      {"blank", "Zm9v YmFy"},   {"padding inside", "Zg==Zg=="}, {"only padding", "===="},
      {"url alphabet", "-__-"},
  };
  for (const auto& [name, text] : rows) EXPECT_FALSE(FromBase64(text).has_value()) << name;
}

TEST(Encoding, WritesAndReadsHex) {
  EXPECT_EQ(Hex("\x00\x7f\xff"s), "007fff");
  EXPECT_EQ(FromHex("007FfF"), "\x00\x7f\xff"s);
  for (const char* text : {"0", "0g", "0x", " 0", "00 "}) EXPECT_FALSE(FromHex(text)) << text;
}

TEST(Pem, ReadsEveryBlockAndIgnoresTheRest) {
  const std::string text = "subject=/CN=x\n" + ToPem("CERTIFICATE", "first") + "\n\nissuer\n" +
                           ToPem("PRIVATE KEY", "second") + "\r\n";
  const std::vector<PemBlock> blocks = SplitPem(text);
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].label, "CERTIFICATE");
  EXPECT_EQ(blocks[0].der, "first");
  EXPECT_EQ(blocks[1].label, "PRIVATE KEY");
  EXPECT_EQ(blocks[1].der, "second");
  EXPECT_TRUE(SplitPem("no block at all").empty());
  EXPECT_TRUE(SplitPem("a -----BEGIN X----- in the middle of a line").empty());
}

TEST(Pem, WritesLinesOf64) {
  const std::string der(100, 'x');
  const std::string text = ToPem("X", der);
  for (const std::string& line : Split(text, '\n')) EXPECT_LE(line.size(), 64U);
  EXPECT_TRUE(text.starts_with("-----BEGIN X-----\n"));
  EXPECT_TRUE(text.ends_with("\n-----END X-----\n"));
  EXPECT_EQ(SplitPem(text).at(0).der, der);
}

TEST(Pem, ReadsWhatOtherProgramsWrite) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"Windows line ends", "-----BEGIN A-----\r\nZm9v\r\n-----END A-----\r\n"},
      {"no line end at the end", "-----BEGIN A-----\nZm9v\n-----END A-----"},
      {"indented", "  -----BEGIN A-----\n  Zm9v\n  -----END A-----\n"},
      {"blank at a line's end", "-----BEGIN A-----\nZm9v \n-----END A-----\n"},
      {"one long line", "-----BEGIN A-----\nZm\n9v\n-----END A-----\n"},
  };
  for (const auto& [name, text] : rows) {
    const std::vector<PemBlock> blocks = SplitPem(text);
    ASSERT_EQ(blocks.size(), 1U) << name;
    EXPECT_EQ(blocks[0].der, "foo") << name;
  }
}

TEST(Pem, RefusesDamagedBlocksInWords) {
  struct Row {
    std::string name, text, words;
  };
  const std::vector<Row> rows = {
      {"no end", "-----BEGIN A-----\nZm9v\n", "has no end"},
      {"other end", "-----BEGIN A-----\nZm9v\n-----END B-----\n", "has no end"},
      {"begins inside", "-----BEGIN A-----\nZg==\n" + ToPem("A", "x"), "has no end"},
      {"no base64", "-----BEGIN A-----\n????\n-----END A-----\n", "no base64"},
      {"empty", "-----BEGIN A-----\n-----END A-----\n", "no base64"},
      {"cut off", "-----BEGIN A", "cut off"},
      {"label over lines", "-----BEGIN A\nB-----\nZg==\n", "cut off"},
      {"passphrase", "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nZg==\n-----END A-----\n",
       "passphrase"},
  };
  for (const Row& row : rows) {
    try {
      SplitPem(row.text);
      ADD_FAILURE() << row.name << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.failure().code, FailureCode::kInput) << row.name;
      EXPECT_NE(error.failure().detail.find(row.words), std::string::npos) << error.what();
      EXPECT_EQ(error.failure().detail.find("Zm9v"), std::string::npos) << "content in an error";
    }
  }
}

TEST(Pem, CountsBlocks) {
  std::string text;
  for (int i = 0; i < 10; ++i) text += ToPem("A", "x");
  EXPECT_EQ(SplitPem(text).size(), 10U);
  EXPECT_THROW(SplitPem(text + ToPem("A", "x")), Error);
  EXPECT_THROW(SplitPem(text, 9), Error);
}

}  // namespace
}  // namespace certwright
