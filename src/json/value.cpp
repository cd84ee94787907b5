#include "certwright/json/value.h"

#include <algorithm>
#include <cmath>

namespace certwright::json {
namespace {

const Value kNull;
const Array kNoItems;
const Members kNoFields;

}  // namespace

Value::Value(const std::vector<std::string>& texts) : data_(Array(texts.begin(), texts.end())) {}

Value Value::Object(std::initializer_list<Member> members) {
  Value object;
  object.data_ = Members();
  for (const Member& member : members) object.Set(member.first, member.second);
  return object;
}

Value Value::FromMembers(Members members) {
  Value object;
  object.data_ = std::move(members);
  return object;
}

std::optional<bool> Value::AsBool() const {
  if (const bool* flag = std::get_if<bool>(&data_)) return *flag;
  return std::nullopt;
}

std::optional<std::int64_t> Value::AsInt() const {
  if (const auto* number = std::get_if<std::int64_t>(&data_)) return *number;
  const auto* number = std::get_if<double>(&data_);
  // The first power of two past each end is exact as a double.
  constexpr double kEnd = 9223372036854775808.0;
  if (number == nullptr || !(*number >= -kEnd && *number < kEnd) ||
      std::trunc(*number) != *number) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*number);
}

std::optional<double> Value::AsDouble() const {
  if (const auto* number = std::get_if<double>(&data_)) return *number;
  if (const auto* number = std::get_if<std::int64_t>(&data_)) return static_cast<double>(*number);
  return std::nullopt;
}

std::optional<std::string> Value::AsString() const {
  if (const auto* text = std::get_if<std::string>(&data_)) return *text;
  return std::nullopt;
}

const Array& Value::Items() const {
  const auto* items = std::get_if<Array>(&data_);
  return items != nullptr ? *items : kNoItems;
}

const Members& Value::Fields() const {
  const auto* fields = std::get_if<Members>(&data_);
  return fields != nullptr ? *fields : kNoFields;
}

const Value& Value::operator[](std::string_view key) const {
  for (const Member& member : Fields()) {
    if (member.first == key) return member.second;
  }
  return kNull;
}

bool Value::Has(std::string_view key) const {
  const Members& fields = Fields();
  return std::any_of(fields.begin(), fields.end(),
                     [key](const Member& member) { return member.first == key; });
}

std::string Value::String(std::string_view key, std::string_view otherwise) const {
  return (*this)[key].AsString().value_or(std::string(otherwise));
}

std::int64_t Value::Int(std::string_view key, std::int64_t otherwise) const {
  return (*this)[key].AsInt().value_or(otherwise);
}

bool Value::Bool(std::string_view key, bool otherwise) const {
  return (*this)[key].AsBool().value_or(otherwise);
}

std::vector<std::string> Value::Strings(std::string_view key) const {
  std::vector<std::string> texts;
  for (const Value& item : (*this)[key].Items()) {
    if (std::optional<std::string> text = item.AsString()) texts.push_back(*std::move(text));
  }
  return texts;
}

Value& Value::Set(std::string_view key, Value value) {
  if (!IsObject()) data_ = Members();
  Members& members = std::get<Members>(data_);
  for (Member& member : members) {
    if (member.first == key) {
      member.second = std::move(value);
      return *this;
    }
  }
  members.emplace_back(std::string(key), std::move(value));
  return *this;
}

Value& Value::Append(Value value) {
  if (!IsArray()) data_ = Array();
  std::get<Array>(data_).push_back(std::move(value));
  return *this;
}

Value TimeOrNull(UnixSeconds time) { return time > 0 ? Value(FormatUtc(time)) : Value(); }

}  // namespace certwright::json
