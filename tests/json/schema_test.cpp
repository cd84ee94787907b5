#include "certwright/json/schema.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::json {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "http://json-schema.org/draft-04/schema#",
  "type": "object",
  "required": ["fqdn", "count"],
  "additionalProperties": false,
  "properties": {
    "fqdn": {"type": "string", "pattern": "^[a-z.]+$", "minLength": 2, "maxLength": 8},
    "count": {"type": "integer", "minimum": 1, "maximum": 5},
    "over": {"type": "number", "minimum": 0, "exclusiveMinimum": true,
             "maximum": 9, "exclusiveMaximum": true, "multipleOf": 3},
    "names": {"type": "array", "minItems": 1, "maxItems": 3, "uniqueItems": true,
              "items": {"type": "string"}},
    "kind": {"enum": ["HTTP-01", "TLS-ALPN-01"]},
    "inner": {"type": "object", "required": ["k"], "additionalProperties": false,
              "minProperties": 1, "properties": {"k": {"type": "boolean"}}},
    "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    "one": {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    "never": {"not": {}},
    "ref": {"$ref": "#/definitions/flag"}
  },
  "definitions": {"flag": {"type": "boolean"}}
})";

// "field parameter error value" of each violation, one a line.
std::string Shown(const std::vector<SchemaViolation>& violations) {
  std::vector<std::string> lines;
  for (const SchemaViolation& v : violations) {
    lines.push_back(Cat(v.field, " ", v.parameter, " ", v.error, " ", Write(v.value)));
  }
  return Join(lines, "\n");
}

TEST(Schema, NamesEachBrokenRuleAsCallersKnowIt) {
  const Schema schema(kSchema);
  struct Row {
    std::string name, text, want;
  };
  const std::string good = R"("fqdn":"a.b","count":2)";
  const auto with = [&](std::string_view member) {
    return "{" + good + "," + std::string(member) + "}";
  };
  const std::vector<Row> rows = {
      {"good", "{" + good + "}", ""},
      {"everything good",
       with(
           R"("over":6,"names":["a"],"kind":"HTTP-01","inner":{"k":true},"maybe":null,"one":{"a":1},"ref":true)"),
       ""},
      {"1.0 is an integer", R"({"fqdn":"a.b","count":1.0})", ""},
      {"no object", "[]", "(root) (root) (root)_invalid_type []"},
      {"null", "null", "(root) (root) (root)_invalid_type null"},
      {"one missing", R"({"count":2})", R"((root) (root) (root)_required {"count":2})"},
      {"two missing", "{}", "(root) (root) (root)_required {}\n(root) (root) (root)_required {}"},
      {"unknown member", with(R"("zz":[3])"),
       "(root) (root) (root)_additional_property_not_allowed [3]"},
      {"wrong type", R"({"fqdn":3,"count":2})", "fqdn fqdn fqdn_invalid_type 3"},
      {"pattern", R"({"fqdn":"A.B","count":2})", R"(fqdn fqdn fqdn_pattern "A.B")"},
      {"too short", R"({"fqdn":"a","count":2})", R"(fqdn fqdn fqdn_string_gte "a")"},
      {"too long", R"({"fqdn":"aaaaaaaaa","count":2})", R"(fqdn fqdn fqdn_string_lte "aaaaaaaaa")"},
      {"too small", R"({"fqdn":"a.b","count":0})", "count count count_number_gte 0"},
      {"too large", R"({"fqdn":"a.b","count":6})", "count count count_number_lte 6"},
      {"no integer", R"({"fqdn":"a.b","count":1.5})", "count count count_invalid_type 1.5"},
      {"exclusive minimum", with(R"("over":0)"), "over over over_number_gt 0"},
      {"exclusive maximum", with(R"("over":9)"), "over over over_number_lt 9"},
      {"multiple", with(R"("over":4)"), "over over over_multiple_of 4"},
      {"enum", with(R"("kind":"DNS-01")"), R"(kind kind kind_enum "DNS-01")"},
      {"empty list", with(R"("names":[])"), "names names names_array_min_items []"},
      {"long list", with(R"("names":["a","b","c","d"])"),
       R"(names names names_array_max_items ["a","b","c","d"])"},
      {"item", with(R"("names":["a",7])"), "names.1 names names_invalid_type 7"},
      {"inner required", with(R"("inner":{})"), "inner inner inner_required {}"},
      {"inner unknown", with(R"("inner":{"k":true,"q":1})"),
       "inner inner inner_additional_property_not_allowed 1"},
      {"inner type", with(R"("inner":{"k":1})"), "inner.k inner inner_invalid_type 1"},
      {"any of", with(R"("maybe":1)"), "maybe maybe maybe_number_any_of 1"},
      {"one of", with(R"("one":{"a":1,"b":2})"), R"(one one one_number_one_of {"a":1,"b":2})"},
      {"not", with(R"("never":1)"), "never never never_number_not 1"},
      {"reference", with(R"("ref":1)"), "ref ref ref_invalid_type 1"},
  };
  for (const Row& row : rows) EXPECT_EQ(Shown(schema.Check(Parse(row.text))), row.want) << row.name;
}

TEST(Schema, TellsOfEveryFieldAtOnce) {
  const Schema schema(kSchema);
  EXPECT_EQ(Shown(schema.Check(Parse(R"({"fqdn":"A.B","kind":"x","names":[],"zz":1})"))),
            "fqdn fqdn fqdn_pattern \"A.B\"\n"
            "kind kind kind_enum \"x\"\n"
            "names names names_array_min_items []\n"
            "(root) (root) (root)_additional_property_not_allowed 1\n"
            R"((root) (root) (root)_required {"fqdn":"A.B","kind":"x","names":[],"zz":1})");
  EXPECT_EQ(schema.Check(Parse(R"({"fqdn":1,"count":"x"})")).size(), 2U)
      << "what was wrong is not missing as well";
}

TEST(Schema, HoldsThePatternAgainstWhatStandsBehindANul) {
  const Value value = Parse(R"({"fqdn":"a.b\u0000/","count":1})");
  EXPECT_EQ(Shown(Schema(kSchema).Check(value)), R"(fqdn fqdn fqdn_pattern "a.b\u0000/")");
}

TEST(Schema, MatchesAPatternInManyThreadsAtOnce) {
  const Schema schema(kSchema);
  const Value good = Parse(R"({"fqdn":"abcdefgh","count":1})");
  const Value bad = Parse(R"({"fqdn":"abcdefg1","count":1})");
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 2000; ++n) {
        if (!schema.Check(good).empty() || schema.Check(bad).size() != 1) ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

TEST(Schema, EndsItsListSomewhere) {
  const Schema schema(R"({"additionalProperties": false})");
  Value value;
  for (int i = 0; i < 1000; ++i) value.Set(Cat("k", i), i);
  const std::size_t count = schema.Check(value).size();
  EXPECT_GE(count, 10U);
  EXPECT_LE(count, 100U);
}

TEST(Schema, RefusesWhatIsNoSchema) {
  for (const char* text : {"", "{", "[]", "null", "{} {}", R"({"type":"object","type":"array"})"}) {
    EXPECT_THROW(Schema{text}, Error) << text;
  }
}

TEST(Schema, CanBeMovedAndUsedAgain) {
  Schema first(kSchema);
  const Schema schema(std::move(first));
  EXPECT_EQ(schema.Check(Parse("{}")).size(), 2U);
  EXPECT_TRUE(schema.Check(Parse(R"({"fqdn":"a.b","count":2})")).empty());
  EXPECT_EQ(schema.Check(Parse("{}")).size(), 2U);
}

}  // namespace
}  // namespace certwright::json
