#include "certwright/base/text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace certwright {
namespace {

using std::string_literals::operator""s;

TEST(Printable, MakesForeignTextSafe) {
  struct Row {
    std::string name, text, want;
  };
  const std::vector<Row> rows = {
      {"plain", "a.example.org", "a.example.org"},
      {"other letters",
       "b\xc3\xbc"
       "cher \xe2\x82\xac \xf0\x9f\x98\x80",
       "b\xc3\xbc"
       "cher \xe2\x82\xac \xf0\x9f\x98\x80"},
      {"new line", "a\r\nb\tc", "a  b c"},
      {"escape sequence", "\x1b[31mred", "?[31mred"},
      {"NUL", "a\0b"s, "a?b"},
      {"DEL", "a\x7f", "a?"},
      {"C1 control",
       "a\xc2\x9b"
       "b",
       "a?b"},
      {"line separator",
       "a\xe2\x80\xa8"
       "b",
       "a?b"},
      {"paragraph separator",
       "a\xe2\x80\xa9"
       "b",
       "a?b"},
      {"right-to-left override",
       "a\xe2\x80\xae"
       "b",
       "a?b"},
      {"isolate",
       "a\xe2\x81\xa6"
       "b",
       "a?b"},
      {"right-to-left mark",
       "a\xe2\x80\x8f"
       "b",
       "a?b"},
      {"lone continuation",
       "a\x80"
       "b",
       "a?b"},
      {"cut sequence", "a\xe2\x82", "a??"},
      {"overlong", "\xc0\xaf", "??"},
      {"surrogate", "\xed\xa0\x80", "???"},
      {"past Unicode", "\xf4\x90\x80\x80", "????"},
      {"nothing", "", ""},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Printable(row.text), row.want) << row.name;
    EXPECT_TRUE(IsUtf8(Printable(row.text))) << row.name;
  }
}

TEST(Printable, CutsAtWholeCharacters) {
  EXPECT_EQ(Printable("abcdef", 6), "abcdef");
  EXPECT_EQ(Printable("abcdefg", 6), "abc...");
  const std::string euros = "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac";
  for (std::size_t limit = 0; limit < 14; ++limit) {
    const std::string cut = Printable(euros, limit);
    EXPECT_LE(cut.size(), limit);
    EXPECT_TRUE(IsUtf8(cut)) << limit;
  }
  EXPECT_EQ(Printable(euros, 10), "\xe2\x82\xac\xe2\x82\xac...");
  EXPECT_EQ(Printable(std::string(100'000, 'x')).size(), 400U);
}

TEST(Text, TakesCodePointsOneByOne) {
  std::string_view text = "a\xc3\xbc\xff\xf0\x9f\x98\x80";
  EXPECT_EQ(TakeCodePoint(text), U'a');
  EXPECT_EQ(TakeCodePoint(text), char32_t{0xfc});
  EXPECT_EQ(TakeCodePoint(text), std::nullopt);
  EXPECT_EQ(TakeCodePoint(text), char32_t{0x1f600});
  EXPECT_TRUE(text.empty());
}

TEST(Text, SplitsTrimsAndJoins) {
  EXPECT_EQ(Split("a.b..c", '.'), (std::vector<std::string>{"a", "b", "", "c"}));
  EXPECT_EQ(Split("", '.'), (std::vector<std::string>{""}));
  EXPECT_EQ(Split(".", '.'), (std::vector<std::string>{"", ""}));
  EXPECT_EQ(Join({"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(Join({}, ","), "");
  EXPECT_EQ(Trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(Trim(" \n "), "");
  EXPECT_EQ(ToLower("AbC\xc3\x84-9"), "abc\xc3\x84-9") << "ASCII only";
  EXPECT_EQ(Cat("a", 1, 'c', 2.5), "a1c2.5");
}

TEST(Text, FindsWhatWasMeant) {
  struct Row {
    const char* word;
    const char* want;
  };
  const std::vector<std::string> keys = {"state_dir", "runtime_dir", "acme.email", "log.level",
                                         "mode"};
  const std::vector<Row> rows = {
      {"sate_dir", "state_dir"},
      {"state-dir", "state_dir"},
      {"acme.emial", "acme.email"},
      {"LOG.LEVEL", "log.level"},
      {"mdoe", "mode"},
      {"colour", ""},
      {"", ""},
      {"x", ""},
  };
  for (const Row& row : rows) EXPECT_EQ(Nearest(row.word, keys), row.want) << row.word;
  EXPECT_EQ(Nearest("a", {}), "");
}

}  // namespace
}  // namespace certwright
