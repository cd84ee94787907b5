#include "certwright/json/value.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace certwright::json {
namespace {

TEST(Value, GettersAnswerAbsentForAnotherType) {
  const std::vector<std::pair<std::string, Value>> rows = {
      {"null", {}},
      {"bool", true},
      {"int", 7},
      {"double", 1.5},
      {"text", "x"},
      {"array", Array{1, "a"}},
      {"object", Value::Object({{"k", 1}})},
  };
  for (const auto& [name, value] : rows) {
    EXPECT_EQ(value.AsBool().has_value(), name == "bool") << name;
    EXPECT_EQ(value.AsInt().has_value(), name == "int") << name;
    EXPECT_EQ(value.AsDouble().has_value(), name == "int" || name == "double") << name;
    EXPECT_EQ(value.AsString().has_value(), name == "text") << name;
    EXPECT_EQ(value.Items().size(), name == "array" ? 2U : 0U) << name;
    EXPECT_EQ(value.Fields().size(), name == "object" ? 1U : 0U) << name;
    EXPECT_EQ(value.Has("k"), name == "object") << name;
    EXPECT_EQ(value["k"].IsNull(), name != "object") << name;
    EXPECT_TRUE(value["k"]["deeper"]["still"].IsNull()) << name;
  }
}

TEST(Value, TakesWholeDoublesForIntegers) {
  constexpr double kTwo63 = 9223372036854775808.0;
  EXPECT_EQ(Value(1.0).AsInt(), 1);
  EXPECT_EQ(Value(-kTwo63).AsInt(), std::numeric_limits<std::int64_t>::min());
  for (const double number : {1.5, kTwo63, 1e300, -1e300, std::numeric_limits<double>::infinity(),
                              std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_FALSE(Value(number).AsInt().has_value()) << number;
  }
}

TEST(Value, ShorthandsGiveTheOtherwise) {
  const Value value =
      Value::Object({{"text", "x"}, {"int", 2}, {"yes", true}, {"list", Array{"a", 1, "b"}}});
  EXPECT_EQ(value.String("text"), "x");
  EXPECT_EQ(value.String("int", "other"), "other");
  EXPECT_EQ(value.Int("int"), 2);
  EXPECT_EQ(value.Int("text", 9), 9);
  EXPECT_TRUE(value.Bool("yes"));
  EXPECT_TRUE(value.Bool("none", true));
  EXPECT_EQ(value.Strings("list"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(value.Strings("text").empty());
}

TEST(Value, IsBuiltStepByStep) {
  Value value;
  value.Set("b", 1).Set("a", "x").Set("b", 2);
  value.Set("list", Value().Append(1).Append(Value::Object()));
  EXPECT_EQ(Write(value), R"({"b":2,"a":"x","list":[1,{}]})");
  value.Append(1);  // another type takes the place
  EXPECT_EQ(Write(value), "[1]");
  EXPECT_EQ(Write(Value(std::vector<std::string>{"a", "b"})), R"(["a","b"])");
}

TEST(Write, EscapesWhatCouldEndALineOrAScript) {
  struct Row {
    std::string name, text, want;
  };
  const std::vector<Row> rows = {
      {"plain", "a b", R"("a b")"},
      {"quotes", "\"\\", R"("\"\\")"},
      {"controls", std::string("\0\n\r\t\x1b", 5), R"("\u0000\n\r\t\u001b")"},
      {"DEL and C1", "\x7f\xc2\x85", R"("\u007f\u0085")"},
      {"line separators", "\xe2\x80\xa8\xe2\x80\xa9", R"("\u2028\u2029")"},
      {"byte order mark", "\xef\xbb\xbf", R"("\ufeff")"},
      {"script", "</script>", R"("\u003c/script>")"},
      {"other letters", "\xc3\xbc\xf0\x9f\x98\x80", "\"\xc3\xbc\xf0\x9f\x98\x80\""},
      {"no UTF-8",
       "a\xff"
       "b",
       "\"a\xef\xbf\xbd"
       "b\""},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Write(Value(row.text)), row.want) << row.name;
    EXPECT_EQ(Write(Value::Object({{row.text, {}}})), "{" + row.want + ":null}") << row.name;
    EXPECT_NO_THROW(Parse(Write(Value(row.text)))) << row.name;
  }
}

TEST(Write, KeepsNumbersWhatTheyAre) {
  const std::vector<std::pair<Value, std::string>> rows = {
      {Value(0), "0"},
      {Value(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808"},
      {Value(0.1), "0.1"},
      {Value(1.0), "1.0"},
      {Value(1e300), "1e+300"},
      {Value(std::numeric_limits<double>::quiet_NaN()), "null"},
      {Value(-std::numeric_limits<double>::infinity()), "null"},
  };
  for (const auto& [value, want] : rows) {
    EXPECT_EQ(Write(value), want);
    if (want != "null") {
      EXPECT_EQ(Parse(want), value) << want;
    }
  }
}

TEST(Pretty, IndentsForPeople) {
  const Value value = Value::Object({{"a", Array{1, 2}}, {"b", Value::Object()}, {"c", Array{}}});
  EXPECT_EQ(Pretty(value), "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": []\n}");
  EXPECT_EQ(Parse(Pretty(value)), value);
}

}  // namespace
}  // namespace certwright::json
