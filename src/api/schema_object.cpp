#include <algorithm>

#include "certwright/base/text.h"
#include "openapi.h"

namespace certwright::api {

namespace {

constexpr std::string_view kDefinitions = "#/definitions/";

json::Value Each(const json::Value& list, const std::string& component) {
  json::Value converted = json::Array{};
  for (const json::Value& item : list.Items()) converted.Append(SchemaObject(item, component));
  return converted;
}

json::Value EachMember(const json::Value& map, const std::string& component) {
  json::Value converted = json::Value::Object();
  for (const auto& [name, schema] : map.Fields()) {
    converted.Set(name, SchemaObject(schema, component));
  }
  return converted;
}

void SetType(json::Value& object, const json::Value& type) {
  std::vector<std::string> types;
  if (const auto one = type.AsString()) types.push_back(*one);
  for (const json::Value& item : type.Items()) types.push_back(item.AsString().value_or(""));
  const bool nullable = std::erase(types, "null") > 0;
  if (types.empty()) {  // nothing but null
    object.Set("enum", json::Array{json::Value()});
    types.emplace_back("string");
  }
  if (types.size() == 1) {
    object.Set("type", types.front());
  } else {
    json::Value any = json::Array{};
    for (const std::string& name : types) any.Append(json::Value::Object({{"type", name}}));
    object.Set("anyOf", any);
  }
  if (nullable) object.Set("nullable", true);
}

// `nullable` means something beside a type only.
void SetEnum(json::Value& object, const json::Value& values) {
  object.Set("enum", values);
  const json::Array& items = values.Items();
  if (std::find(items.begin(), items.end(), json::Value()) == items.end()) return;
  object.Set("nullable", true).Set("type", "string");
}

bool IsLeftOut(std::string_view keyword) {
  return keyword == "$schema" || keyword == "id" || keyword == "definitions" ||
         keyword == "dependencies" || keyword == "additionalItems";
}

void Convert(json::Value& object, const std::string& keyword, const json::Value& value,
             const std::string& component) {
  if (IsLeftOut(keyword)) return;
  if (keyword == "type") return SetType(object, value);
  if (keyword == "enum") return SetEnum(object, value);
  if (keyword == "properties") {
    object.Set(keyword, EachMember(value, component));
  } else if (keyword == "patternProperties") {
    // Names cannot be told there: any name.
    object.Set("additionalProperties", true);
  } else if (keyword == "allOf" || keyword == "anyOf" || keyword == "oneOf") {
    object.Set(keyword, Each(value, component));
  } else if (value.IsObject() && (keyword == "items" || keyword == "not" ||
                                  keyword == "additionalProperties")) {
    object.Set(keyword, SchemaObject(value, component));
  } else {
    object.Set(keyword, value);
  }
}

}  // namespace

json::Value SchemaObject(const json::Value& draft04, const std::string& component) {
  const std::string reference = draft04.String("$ref");
  if (reference.starts_with(kDefinitions)) {
    return json::Value::Object({{"$ref", Cat("#/components/schemas/", component, '.',
                                             reference.substr(kDefinitions.size()))}});
  }
  json::Value object = json::Value::Object();
  for (const auto& [keyword, value] : draft04.Fields()) Convert(object, keyword, value, component);
  if (draft04.Has("patternProperties")) object.Set("additionalProperties", true);
  return object;
}

}  // namespace certwright::api
