#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "certwright/base/error.h"
#include "certwright/json/value.h"

namespace certwright::json {
namespace {

using std::string_literals::operator""s;

std::string Repeat(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(Parse, ReadsWhatItWrites) {
  for (const char* text :
       {"null", "true", "false", "0", "-1", "9223372036854775807", "1.5", "\"\"", "[]", "{}",
        R"([1,[2,{"a":[]}],"x"])", R"({"b":1,"a":{"b":null},"":""})"}) {
    EXPECT_EQ(Write(Parse(text)), text);
  }
}

TEST(Parse, KnowsTheEdgesOfNumbersAndTexts) {
  EXPECT_EQ(Parse("1.0").AsInt(), 1);
  EXPECT_FALSE(Parse("1.0").IsInt());
  EXPECT_FALSE(Parse("9223372036854775808").IsInt()) << "beyond int64 it is a double";
  EXPECT_EQ(Parse("9223372036854775808").AsDouble(), 9223372036854775808.0);
  EXPECT_EQ(Parse("123456789012345678901234567890").AsDouble(), 123456789012345678901234567890.0);
  EXPECT_EQ(Parse(R"("a\u0000b")").AsString(), "a\0b"s);
  EXPECT_EQ(Parse(R"("\ud83d\ude00")").AsString(), "\xf0\x9f\x98\x80");
  EXPECT_EQ(Parse(" \r\n\t[ 1 , 2 ] ").Items().size(), 2U);
}

TEST(Parse, RefusesInWordsWhatIsNoJson) {
  struct Row {
    std::string name, text, words;
  };
  const std::vector<Row> rows = {
      {"nothing", "", "empty"},
      {"blanks", "  ", "empty"},
      {"cut off", R"({"a":)", "Invalid value"},
      {"open string", R"("abc)", "quotation mark"},
      {"trailing comma", "[1,]", "Invalid value"},
      {"comment", "/* x */ 1", "Invalid value"},
      {"single quotes", "{'a':1}", "name"},
      {"not a number", "NaN", "Invalid value"},
      {"number too large", "1e999", "too big"},
      {"leading zero", "01", "other values"},
      {"something after it", "{} {}", "other values"},
      {"NUL and something after it", "{}\0garbage"s, "NUL"},
      {"NUL inside", "\"a\0b\""s, "NUL"},
      {"raw new line in a text", "\"a\nb\"", "string"},
      {"byte order mark", "\xef\xbb\xbf{}", "Invalid value"},
      {"HTML", "<html></html>", "Invalid value"},
      {"no UTF-8", "\"a\xff\"", "encoding"},
      {"no UTF-8 in a key", "{\"\xc0\xaf\":1}", "encoding"},
      {"lone high surrogate", R"("\ud800")", "surrogate"},
      {"lone low surrogate", R"("\udc00")", "UTF-8"},
      {"lone low surrogate in a key", R"({"\udc00":1})", "UTF-8"},
      {"key twice", R"({"a":1,"b":2,"a":3})", "\"a\" stands there twice"},
      {"key twice by escape", R"({"a":1,"\u0061":3})", "twice"},
      {"key twice deep inside", R"([{"x":{"a":1,"a":2}}])", "twice"},
      {"nested deep", Repeat("[", 33) + Repeat("]", 33), "deeper than 32"},
      {"nested deep, mixed", Repeat(R"({"a":[)", 17), "deeper than 32"},
      {"nested as deep as it gets", Repeat("[", 60'000), "deeper than 32"},
      {"large", "\"" + std::string(64 * 1024, 'x') + "\"", "larger than 65536 bytes"},
  };
  for (const Row& row : rows) {
    try {
      Parse(row.text);
      ADD_FAILURE() << row.name << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.failure().code, FailureCode::kInput) << row.name;
      EXPECT_NE(error.failure().detail.find(row.words), std::string::npos)
          << row.name << ": " << error.failure().detail;
    }
  }
}

TEST(Parse, SaysWhere) {
  try {
    Parse(R"({"a": tru})");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.failure().detail.find("at byte"), std::string::npos) << error.what();
  }
}

TEST(Parse, HoldsTheLimitsThatItIsGiven) {
  EXPECT_NO_THROW(Parse(Repeat("[", 32) + Repeat("]", 32)));
  EXPECT_NO_THROW(Parse("[[1]]", {.max_bytes = 5, .max_depth = 2}));
  EXPECT_THROW(Parse("[[1]]", {.max_bytes = 4, .max_depth = 2}), Error);
  EXPECT_THROW(Parse("[[1]]", {.max_bytes = 5, .max_depth = 1}), Error);
  EXPECT_NO_THROW(Parse("1", {.max_bytes = 5, .max_depth = 0}));
  EXPECT_NO_THROW(Parse(R"([{"a":1},{"a":1}])")) << "the same key in two objects";
}

TEST(Parse, TakesManyKeysInLinearTime) {
  std::string text = "{\"k\":0";
  for (int i = 0; i < 200'000; ++i) text += ",\"k" + std::to_string(i) + "\":0";
  text += "}";
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(Parse(text, {.max_bytes = text.size(), .max_depth = 1}).Fields().size(), 200'001U);
  // Comparing each with each would be twenty thousand million comparisons.
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
}

}  // namespace
}  // namespace certwright::json
