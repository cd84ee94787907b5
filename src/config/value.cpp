#include "value.h"

#include <algorithm>

#include "certwright/base/text.h"

namespace certwright::config {
namespace {

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void CheckRange(std::int64_t number, std::int64_t lowest, std::int64_t highest,
                const std::function<std::string(std::int64_t)>& text) {
  if (number < lowest || number > highest) {
    throw Problem{
        Cat(text(number), " is out of range; it goes from ", text(lowest), " to ", text(highest))};
  }
}

}  // namespace

std::string Describe(const toml::node& node) {
  if (const auto* text = node.as_string())
    return Cat("the text \"", Printable(text->get(), 60), "\"");
  if (const auto* number = node.as_integer()) return Cat("the integer ", number->get());
  if (const auto* number = node.as_floating_point()) return Cat("the number ", number->get());
  if (const auto* flag = node.as_boolean()) return FlagText(flag->get());
  if (node.is_table()) return "a section";
  if (node.is_array_of_tables()) return "an array of sections";
  if (node.is_array()) return "an array";
  return "a date or time";
}

std::string Value::Text() const {
  const auto* text = node_.as_string();
  if (text == nullptr) throw Problem{Cat("is ", Describe(node_), ", wanted is a text in quotes")};
  if (HasControl(text->get())) throw Problem{"holds a control character"};
  return text->get();
}

std::vector<std::string> Value::Texts() const {
  if (node_.is_string()) return {Text()};
  const auto* list = node_.as_array();
  if (list == nullptr) {
    throw Problem{Cat("is ", Describe(node_), ", wanted is a list of texts: [\"...\"]")};
  }
  std::vector<std::string> texts;
  for (const toml::node& item : *list) texts.push_back(Value(item, base_dir_).Text());
  return texts;
}

bool Value::Flag() const {
  const auto* flag = node_.as_boolean();
  if (flag == nullptr) throw Problem{Cat("is ", Describe(node_), ", wanted is true or false")};
  return flag->get();
}

std::int64_t Value::Integer(std::int64_t lowest, std::int64_t highest) const {
  const auto* number = node_.as_integer();
  if (number == nullptr) throw Problem{Cat("is ", Describe(node_), ", wanted is an integer")};
  CheckRange(number->get(), lowest, highest, [](std::int64_t n) { return std::to_string(n); });
  return number->get();
}

std::int64_t Value::Seconds(std::int64_t lowest, std::int64_t highest) const {
  std::int64_t seconds = 0;
  if (const auto* number = node_.as_integer()) {
    seconds = number->get();
  } else if (const auto* text = node_.as_string()) {
    try {
      seconds = ParseDuration(text->get());
    } catch (const Problem& problem) {
      throw Problem{Cat("\"", Printable(text->get(), 60), "\" ", problem.text)};
    }
  } else {
    throw Problem{Cat("is ", Describe(node_), ", wanted is a duration in quotes, or seconds")};
  }
  CheckRange(seconds, lowest, highest, DurationText);
  return seconds;
}

Path Value::File() const {
  const std::string text = Text();
  if (text.empty()) return {};
  return (base_dir_ / text).lexically_normal();
}

std::string Quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string FlagText(bool flag) { return flag ? "true" : "false"; }

}  // namespace certwright::config
