// JSON as an owned value; the only user of RapidJSON is behind this header.
//
// Reading is bounded before anything is built: bytes, nesting, and doubled keys are refused.
// Getters never fail: they answer "absent" for a missing member or another type, so that a caller
// decides what absence means.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "certwright/base/clock.h"

namespace certwright::json {

class Value;
using Array = std::vector<Value>;
using Member = std::pair<std::string, Value>;
using Members = std::vector<Member>;  // in the order of the text

class Value {
 public:
  Value() = default;  // null
  Value(std::nullptr_t) {}
  Value(bool flag) : data_(flag) {}
  Value(int number) : data_(static_cast<std::int64_t>(number)) {}
  Value(std::int64_t number) : data_(number) {}
  Value(std::uint64_t number) : data_(static_cast<std::int64_t>(number)) {}
  Value(double number) : data_(number) {}
  Value(const char* text) : data_(std::string(text)) {}
  Value(std::string_view text) : data_(std::string(text)) {}
  Value(std::string text) : data_(std::move(text)) {}
  Value(Array items) : data_(std::move(items)) {}
  Value(const std::vector<std::string>& texts);
  // An object, members in this order: Value::Object({{"a", 1}, {"b", "text"}}).
  static Value Object(std::initializer_list<Member> members = {});
  static Value FromMembers(Members members);  // no name twice

  bool IsNull() const { return std::holds_alternative<std::monostate>(data_); }
  bool IsBool() const { return std::holds_alternative<bool>(data_); }
  bool IsInt() const { return std::holds_alternative<std::int64_t>(data_); }
  bool IsNumber() const { return IsInt() || std::holds_alternative<double>(data_); }
  bool IsString() const { return std::holds_alternative<std::string>(data_); }
  bool IsArray() const { return std::holds_alternative<Array>(data_); }
  bool IsObject() const { return std::holds_alternative<Members>(data_); }

  // The content where it has that type (an int is no bool, 1.0 is an int).
  std::optional<bool> AsBool() const;
  std::optional<std::int64_t> AsInt() const;
  std::optional<double> AsDouble() const;  // of any number
  std::optional<std::string> AsString() const;
  const Array& Items() const;     // empty where it is no array
  const Members& Fields() const;  // empty where it is no object

  // The member, or null where there is none.
  const Value& operator[](std::string_view key) const;
  bool Has(std::string_view key) const;
  // Shorthand: the member's content, or `otherwise`.
  std::string String(std::string_view key, std::string_view otherwise = "") const;
  std::int64_t Int(std::string_view key, std::int64_t otherwise = 0) const;
  bool Bool(std::string_view key, bool otherwise = false) const;
  std::vector<std::string> Strings(std::string_view key) const;  // its items that are strings

  // Makes it an object where it is none; replaces a member of that name. Returns *this.
  Value& Set(std::string_view key, Value value);
  // Makes it an array where it is none.
  Value& Append(Value value);

  bool operator==(const Value&) const = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Members> data_;
};

struct ParseLimits {
  std::size_t max_bytes = 64 * 1024;
  std::size_t max_depth = 32;
};

// Throws Error(kInput) that says where and why: not JSON, not UTF-8, too large, too deep, a key
// twice, something after the value.
Value Parse(std::string_view text, const ParseLimits& limits = {});

// Always valid JSON, also where a text is no UTF-8 (U+FFFD in its place) or a number is no number
// (null). Control characters, '<' and line separators are escaped: the text may stand inside
// another document.
std::string Write(const Value& value);   // compact
std::string Pretty(const Value& value);  // two blanks a level, for people

// "2026-11-25T20:37:02Z", or null for 0: never.
Value TimeOrNull(UnixSeconds time);

}  // namespace certwright::json
