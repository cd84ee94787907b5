// The description: complete, and said as OpenAPI 3.0 says it.
#include "openapi.h"

#include <set>

#include "../actions/fixture.h"

namespace certwright::api {
namespace {

TEST(SchemaObject, SaysDraft04AsOpenApiDoes) {
  const struct {
    const char* name;
    const char* draft04;
    const char* expected;
  } kTable[] = {
      {"plain", R"({"$schema":"x","type":"string","maxLength":3})",
       R"({"type":"string","maxLength":3})"},
      {"null beside a type", R"({"type":["string","null"]})",
       R"({"type":"string","nullable":true})"},
      {"several types", R"({"type":["string","integer"]})",
       R"({"anyOf":[{"type":"string"},{"type":"integer"}]})"},
      {"null among values", R"({"enum":["a",null]})",
       R"({"enum":["a",null],"nullable":true,"type":"string"})"},
      {"values", R"({"enum":["a"]})", R"({"enum":["a"]})"},
      {"reference", R"({"$ref":"#/definitions/limit"})",
       R"({"$ref":"#/components/schemas/x.output.limit"})"},
      {"deep inside", R"({"properties":{"type":{"items":{"type":["object","null"]}}}})",
       R"({"properties":{"type":{"items":{"type":"object","nullable":true}}}})"},
      {"lists", R"({"oneOf":[{"not":{"type":["null","string"]}}]})",
       R"({"oneOf":[{"not":{"type":"string","nullable":true}}]})"},
      {"names by pattern", R"({"additionalProperties":false,"patternProperties":{"^a":{}}})",
       R"({"additionalProperties":true})"},
      {"left out", R"({"definitions":{"a":{}},"dependencies":{"a":["b"]},"minimum":1})",
       R"({"minimum":1})"},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(json::Write(SchemaObject(json::Parse(row.draft04), "x.output")), row.expected)
        << row.name;
  }
}

class OpenApiTest : public actions::ActionsTest {
 protected:
  // Every "$ref" in it.
  static void Collect(const json::Value& value, std::set<std::string>& references) {
    if (value["$ref"].IsString()) references.insert(value.String("$ref"));
    for (const auto& [name, inner] : value.Fields()) Collect(inner, references);
    for (const json::Value& item : value.Items()) Collect(item, references);
  }
};

TEST_F(OpenApiTest, HoldsEveryPathAndEachReferenceLeadsSomewhere) {
  const json::Value document = OpenApi(*runner_, "1.2.3");
  EXPECT_EQ(document.String("openapi"), "3.0.3");
  EXPECT_EQ(document["info"].String("version"), "1.2.3");
  for (const char* path : {"/v1/health", "/v1/actions", "/v1/tasks", "/v1/tasks/{task}",
                           "/v1/certificates", "/v1/certificates/{certificate}", "/v1/plan",
                           "/v1/ledger", "/v1/account", "/v1/audit", "/v1/openapi.json"}) {
    EXPECT_TRUE(document["paths"].Has(path)) << path;
  }
  for (const std::string& action : runner_->action_names()) {
    EXPECT_TRUE(document["paths"]["/v1/actions/" + action].Has("post")) << action;
  }
  std::set<std::string> references;
  Collect(document, references);
  EXPECT_GT(references.size(), 20u);
  for (const std::string& reference : references) {
    const std::string start = "#/components/schemas/";
    ASSERT_TRUE(reference.starts_with(start)) << reference;
    EXPECT_TRUE(document["components"]["schemas"].Has(reference.substr(start.size()))) << reference;
  }
  std::set<std::string> ids;
  for (const auto& [path, item] : document["paths"].Fields()) {
    for (const auto& [method, operation] : item.Fields()) {
      EXPECT_TRUE(ids.insert(operation.String("operationId")).second) << path << ' ' << method;
    }
  }
}

}  // namespace
}  // namespace certwright::api
