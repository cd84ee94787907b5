// contract.md, "How an action is called": input, exit codes, what comes back.
#include "certwright/json/failure.h"
#include "fixture.h"
#include "handler.h"

namespace certwright::actions {
namespace {

using testing::HasSubstr;

class RunnerTest : public ActionsTest {};

TEST_F(RunnerTest, UnknownActionIsEightInEveryRole) {
  for (const char* role : {"owner", "fulladm", "certadm", "routeadm", "reader"}) {
    for (const char* action : {"make-coffee", "", "get-", "list ", "List", "../list", "a\"b\\c"}) {
      const Result result = Run(action, "{}", "", role);
      EXPECT_EQ(result.exit_code, 8) << role << " '" << action << "'";
      EXPECT_FALSE(result.output);
      EXPECT_TRUE(IsPlain(result.error)) << result.error;
    }
  }
  const Result result = Run("make-coffee", "{}");
  ASSERT_TRUE(result.failure);
  EXPECT_THAT(result.failure->advice, HasSubstr("set-certificate"));
}

TEST_F(RunnerTest, NoArgumentsMayBeSaidInManyWays) {
  for (const char* input : {"", "null", "\"\"", "{}", " { } ", "\nnull\n"}) {
    EXPECT_EQ(Run("list", input).exit_code, 0) << '\'' << input << '\'';
  }
  for (const char* input : {"[]", "0", "false", "\"x\"", "[{}]", "{\"a\":1}"}) {
    EXPECT_EQ(Run("list", input).exit_code, 10) << '\'' << input << '\'';
  }
}

TEST_F(RunnerTest, BrokenSchemaIsTenWithTheListOfViolations) {
  const std::string kFqdn = R"("fqdn":"a.example.org")";
  const struct {
    const char* name;
    const char* action;
    std::string input;
    std::string violations;
  } kTable[] = {
      {"required", "set-certificate", "{}",
       R"x([{"field":"(root)","parameter":"(root)","value":{},"error":"(root)_required"}])x"},
      {"required, from null", "set-certificate", "null",
       R"x([{"field":"(root)","parameter":"(root)","value":{},"error":"(root)_required"}])x"},
      {"type", "get-certificate", R"({"fqdn":5})",
       R"x([{"field":"fqdn","parameter":"fqdn","value":5,"error":"fqdn_invalid_type"}])x"},
      {"null is no text", "get-certificate", R"({"fqdn":null})",
       R"x([{"field":"fqdn","parameter":"fqdn","value":null,"error":"fqdn_invalid_type"}])x"},
      {"empty", "get-certificate", R"({"fqdn":""})",
       R"x([{"field":"fqdn","parameter":"fqdn","value":"","error":"fqdn_string_gte"}])x"},
      {"range", "set-certificate", "{" + kFqdn + R"(,"sync_timeout":-1})",
       R"x([{"field":"sync_timeout","parameter":"sync_timeout","value":-1,)x"
       R"x("error":"sync_timeout_number_gte"}])x"},
      {"enum", "export", R"({"certificate":"a","format":"zip"})",
       R"x([{"field":"format","parameter":"format","value":"zip","error":"format_enum"}])x"},
      {"an item", "issue", R"({"names":["a.example.org",7]})",
       R"x([{"field":"names.1","parameter":"names","value":7,"error":"names_invalid_type"}])x"},
      {"too few", "issue", R"({"names":[]})",
       R"x([{"field":"names","parameter":"names","value":[],"error":"names_array_min_items"}])x"},
      {"not an object", "set-certificate", "[1]",
       R"x([{"field":"(root)","parameter":"(root)","value":[1],"error":"(root)_invalid_type"}])x"},
      {"two at once", "set-certificate", R"({"fqdn":1,"lets_encrypt":"yes"})",
       R"x([{"field":"fqdn","parameter":"fqdn","value":1,"error":"fqdn_invalid_type"},)x"
       R"x({"field":"lets_encrypt","parameter":"lets_encrypt","value":"yes",)x"
       R"x("error":"lets_encrypt_invalid_type"}])x"},
  };
  for (const auto& row : kTable) {
    const Result result = Run(row.action, row.input);
    EXPECT_EQ(result.exit_code, 10) << row.name;
    EXPECT_EQ(result.status, "validation-failed") << row.name;
    EXPECT_EQ(json::Write(result.output.value_or(json::Value())), row.violations) << row.name;
    EXPECT_FALSE(result.error.empty()) << row.name;
    EXPECT_TRUE(IsPlain(result.error)) << row.name << ": " << result.error;
  }
}

TEST_F(RunnerTest, UnknownKeyIsNamed) {
  const Result result = Run("set-certificate", R"({"fqdn":"a.example.org","fdqn":"x"})");
  EXPECT_EQ(result.exit_code, 10);
  const json::Value violation = OneViolation(result);
  EXPECT_EQ(violation.String("field"), "(root)");
  EXPECT_EQ(violation.String("error"), "(root)_additional_property_not_allowed");
  EXPECT_FALSE(IsInStore("a.example.org")) << "nothing was done";
}

TEST_F(RunnerTest, WhatIsNoJsonIsTenToo) {
  const struct {
    const char* name;
    std::string input;
  } kTable[] = {
      {"a brace", "{"},
      {"words", "nonsense"},
      {"a key twice", R"({"fqdn":"a.example.org","fqdn":"b.example.org"})"},
      {"a key twice, escaped", R"({"fqdn":"a.example.org","fq\u0064n":"b.example.org"})"},
      {"two values", R"({"fqdn":"a.example.org"} {})"},
      {"too deep", std::string(100'000, '[')},
      {"too large", "{\"fqdn\":\"" + std::string(2 << 20, 'a') + "\"}"},
      {"no UTF-8", "{\"fqdn\":\"\xff\"}"},
      {"a byte order mark", "\xef\xbb\xbf{}"},
      {"a zero byte", std::string("{}\0", 3)},
      {"a comment", "{} // done"},
      {"blanks only", "  "},
  };
  for (const auto& row : kTable) {
    const Result result = Run("set-certificate", row.input);
    EXPECT_EQ(result.exit_code, 10) << row.name;
    const json::Value violation = OneViolation(result);
    for (const char* key : {"field", "parameter", "value", "error"}) {
      EXPECT_TRUE(violation.Has(key)) << row.name << ' ' << key;
    }
    EXPECT_TRUE(IsPlain(result.error)) << row.name << ": " << result.error;
  }
}

TEST_F(RunnerTest, FailureHasItsExitCodeAndAPlainError) {
  const struct {
    const char* name;
    const char* action;
    const char* input;
    int exit_code;
    FailureCode code;
  } kTable[] = {
      {"not there", "show", R"({"certificate":"nobody.example.org"})", 2, FailureCode::kNotFound},
      {"no account", "account-show", "{}", 2, FailureCode::kNotFound},
      {"no Traefik", "traefik-check", "{}", 78, FailureCode::kConfig},
      {"bad name", "issue", R"({"names":["a\"b\\c.example.org"]})", 64, FailureCode::kInput},
      {"no such name, with quotes", "export", R"({"certificate":"\"\\\n"})", 2,
       FailureCode::kNotFound},
  };
  for (const auto& row : kTable) {
    const Result result = Run(row.action, row.input);
    EXPECT_EQ(result.exit_code, row.exit_code) << row.name;
    EXPECT_EQ(result.status, "aborted") << row.name;
    EXPECT_FALSE(result.output) << row.name;
    ASSERT_TRUE(result.failure) << row.name;
    EXPECT_EQ(result.failure->code, row.code) << row.name;
    EXPECT_FALSE(result.error.empty()) << row.name;
    EXPECT_TRUE(IsPlain(result.error)) << row.name << ": " << result.error;
  }
}

TEST(ResultJson, ComesBackAsItWas) {
  Failure failure;
  failure.code = FailureCode::kRateLimited;
  failure.detail = "too many \"orders\"";
  failure.identifiers = {"a.example.org"};
  failure.retry_at = kNow;
  const struct {
    const char* name;
    Result result;
  } kTable[] = {
      {"no output", {0, std::nullopt, "", "completed", std::nullopt}},
      {"output null", {0, json::Value(), "", "completed", std::nullopt}},
      {"output", {0, json::Value::Object({{"a", 1}}), "", "completed", std::nullopt}},
      {"failure", {3, std::nullopt, "no", "aborted", failure}},
      {"check", {10, json::Value(json::Array{1}), "x", "validation-failed", std::nullopt}},
  };
  for (const auto& row : kTable) {
    const json::Value wire = json::Parse(json::Write(row.result.ToJson()));
    const Result back = Result::FromJson(wire);
    EXPECT_EQ(back.exit_code, row.result.exit_code) << row.name;
    EXPECT_EQ(back.output, row.result.output) << row.name;
    EXPECT_EQ(back.error, row.result.error) << row.name;
    EXPECT_EQ(back.status, row.result.status) << row.name;
    EXPECT_EQ(back.failure, row.result.failure) << row.name;
  }
  for (const char* bad : {"{}", "null", "[]", R"({"exit_code":"0"})"}) {
    EXPECT_THROW(Result::FromJson(json::Parse(bad)), Error) << bad;
  }
}

TEST(PlainText, HoldsNothingThatEndsALiteral) {
  const struct {
    std::string text, plain;
  } kTable[] = {
      {"plain words", "plain words"},
      {"say \"no\"", "say 'no'"},
      {"a\\b", "a/b"},
      {"two\nlines\r\n", "two lines"},
      {"bell\a", "bell?"},
      {"caf\xc3\xa9", "caf\xc3\xa9"},
      {"\xff", "?"},
  };
  for (const auto& row : kTable) {
    const std::string plain = PlainText(row.text);
    EXPECT_TRUE(IsPlain(plain)) << plain;
    EXPECT_EQ(plain.substr(0, 3), row.plain.substr(0, 3)) << row.text;
  }
  EXPECT_EQ(PlainText("say \"no\" to a\\b"), "say 'no' to a/b");
}

}  // namespace
}  // namespace certwright::actions
