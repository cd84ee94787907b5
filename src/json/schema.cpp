#include "certwright/json/schema.h"

#include <rapidjson/document.h>
#include <rapidjson/schema.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <optional>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::json {
namespace {

constexpr std::string_view kRoot = "(root)";
constexpr std::size_t kMaxViolations = 20;

struct Rule {
  std::string_view keyword;
  std::string_view name;       // as callers know it
  std::string_view exclusive;  // where the schema has exclusiveMinimum or exclusiveMaximum
};

// The names that gojsonschema gives, which the callers' nodes use.
constexpr std::array kRules = {
    Rule{"type", "invalid_type", ""},
    Rule{"required", "required", ""},
    Rule{"additionalProperties", "additional_property_not_allowed", ""},
    Rule{"pattern", "pattern", ""},
    Rule{"enum", "enum", ""},
    Rule{"minimum", "number_gte", "number_gt"},
    Rule{"maximum", "number_lte", "number_lt"},
    Rule{"multipleOf", "multiple_of", ""},
    Rule{"minLength", "string_gte", ""},
    Rule{"maxLength", "string_lte", ""},
    Rule{"minItems", "array_min_items", ""},
    Rule{"maxItems", "array_max_items", ""},
    Rule{"uniqueItems", "unique", ""},
    Rule{"items", "array_no_additional_items", ""},
    Rule{"minProperties", "array_min_properties", ""},
    Rule{"maxProperties", "array_max_properties", ""},
    Rule{"patternProperties", "invalid_property_pattern", ""},
    Rule{"dependencies", "missing_dependency", ""},
    Rule{"allOf", "number_all_of", ""},
    Rule{"anyOf", "number_any_of", ""},
    Rule{"oneOf", "number_one_of", ""},
    Rule{"not", "number_not", ""},
};

using Tokens = std::vector<std::string>;

// Feeds a value to the validator; false as soon as a rule is broken.
template <typename Handler>
bool Feed(const Value& value, Handler& to) {
  const auto size = [](const auto& x) { return static_cast<rapidjson::SizeType>(x.size()); };
  if (value.IsObject()) {
    if (!to.StartObject()) return false;
    for (const Member& member : value.Fields()) {
      if (!to.Key(member.first.data(), size(member.first), true)) return false;
      if (!Feed(member.second, to)) return false;
    }
    return to.EndObject(size(value.Fields()));
  }
  if (value.IsArray()) {
    if (!to.StartArray()) return false;
    for (const Value& item : value.Items()) {
      if (!Feed(item, to)) return false;
    }
    return to.EndArray(size(value.Items()));
  }
  if (auto text = value.AsString()) {
    // A pattern is matched only up to the first NUL: what stands behind it would pass unseen.
    std::replace(text->begin(), text->end(), '\0', '\1');
    return to.String(text->data(), size(*text), true);
  }
  if (const auto flag = value.AsBool()) return to.Bool(*flag);
  if (const auto number = value.AsInt()) return to.Int64(*number);  // 1.0 is an integer too
  if (const auto number = value.AsDouble()) return to.Double(*number);
  return to.Null();
}

Tokens ToTokens(const rapidjson::Pointer& pointer) {
  Tokens tokens;
  for (std::size_t i = 0; i < pointer.GetTokenCount(); ++i) {
    tokens.emplace_back(pointer.GetTokens()[i].name, pointer.GetTokens()[i].length);
  }
  return tokens;
}

// What stands at the first `count` tokens, null where nothing does.
const Value& At(const Value& root, const Tokens& tokens, std::size_t count) {
  static const Value kNothing;
  const Value* value = &root;
  for (std::size_t i = 0; i < count; ++i) {
    if (!value->IsArray()) {
      value = &(*value)[tokens[i]];
      continue;
    }
    std::size_t index = 0;
    std::from_chars(tokens[i].data(), tokens[i].data() + tokens[i].size(), index);
    if (index >= value->Items().size()) return kNothing;
    value = &value->Items()[index];
  }
  return *value;
}

Value Without(const Value& object, std::string_view key) {
  Members members = object.Fields();
  std::erase_if(members, [key](const Member& member) { return member.first == key; });
  return Value::FromMembers(std::move(members));
}

SchemaViolation Describe(const Tokens& path, const Value& value, std::string_view rule) {
  SchemaViolation violation;
  violation.field = path.empty() ? std::string(kRoot) : Join(path, ".");
  violation.parameter = path.empty() ? std::string(kRoot) : path.front();
  violation.value = value;
  violation.error = Cat(violation.parameter, "_", rule);
  return violation;
}

}  // namespace

struct Schema::Impl {
  explicit Impl(const rapidjson::Document& document) : schema(document) {}

  // Where and which rule a value breaks first.
  struct Break {
    Tokens path;
    std::string keyword;
    bool exclusive = false;
  };

  std::optional<Break> FirstBreak(const Value& value) const {
    // RapidJSON 1.1 keeps the state of a search in the compiled pattern, and so in the schema.
    const std::lock_guard guard(searching);
    rapidjson::SchemaValidator validator(schema);
    if (Feed(value, validator) && validator.IsValid()) return std::nullopt;
    Break found;
    found.path = ToTokens(validator.GetInvalidDocumentPointer());
    const char* keyword = validator.GetInvalidSchemaKeyword();
    found.keyword = keyword != nullptr ? keyword : "";
    const Tokens at = ToTokens(validator.GetInvalidSchemaPointer());
    const Value& rules = At(source, at, at.size());
    found.exclusive =
        rules.Bool(found.keyword == "minimum" ? "exclusiveMinimum" : "exclusiveMaximum");
    return found;
  }

  std::vector<std::string> MissingAtRoot(const Value& value) const {
    std::vector<std::string> missing = source.Strings("required");
    std::erase_if(missing, [&](const std::string& name) { return value.Has(name); });
    return missing;
  }

  mutable std::mutex searching;
  rapidjson::SchemaDocument schema;
  Value source;  // the schema as a value: the validator does not show its own
};

Schema::Schema(std::string_view text) {
  rapidjson::Document document;
  document.Parse(text.data(), text.size());
  if (document.HasParseError() || !document.IsObject()) {
    throw Error(FailureCode::kInternal, "a schema is no JSON object");
  }
  impl_ = std::make_unique<Impl>(document);
  impl_->source = Parse(text, {.max_bytes = 1 << 20, .max_depth = 64});
}

Schema::Schema(Schema&&) noexcept = default;
Schema::~Schema() = default;

// The validator stops at the first broken rule. To tell a caller of every field at once, the member
// that broke it is taken out and the rest looked at again.
std::vector<SchemaViolation> Schema::Check(const Value& value) const {
  std::vector<SchemaViolation> found;
  if (!impl_->FirstBreak(value)) return found;  // before a copy is made: it may be large
  Value rest = value;
  bool taken_out = false;
  while (found.size() < kMaxViolations) {
    const std::optional<Impl::Break> broken = impl_->FirstBreak(rest);
    if (!broken) break;
    const auto rule = std::find_if(kRules.begin(), kRules.end(),
                                   [&](const Rule& r) { return r.keyword == broken->keyword; });
    std::string_view name = rule == kRules.end() ? std::string_view(broken->keyword) : rule->name;
    if (rule != kRules.end() && broken->exclusive && !rule->exclusive.empty()) {
      name = rule->exclusive;
    }

    Tokens path = broken->path;
    const std::string culprit = path.empty() ? "" : path.front();
    const Value at = At(rest, path, path.size());
    // The unknown member is named by the pointer, but the rule is its object's.
    if (broken->keyword == "additionalProperties" && !path.empty()) path.pop_back();
    if (path.empty() && broken->keyword == "required") {
      // A member that was taken out is not missing.
      const std::size_t missing = impl_->MissingAtRoot(value).size();
      for (std::size_t i = 0; i < std::max<std::size_t>(missing, taken_out ? 0 : 1); ++i) {
        found.push_back(Describe({}, value, name));
      }
      break;
    }
    if (culprit.empty() && taken_out) break;  // may come only from what was taken out
    found.push_back(Describe(path, at, name));
    if (culprit.empty() || !rest.IsObject()) break;
    rest = Without(rest, culprit);
    taken_out = true;
  }
  return found;
}

}  // namespace certwright::json
