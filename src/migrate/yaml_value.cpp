#include "yaml_value.h"

#include <yaml.h>

#include <charconv>
#include <memory>

#include "reading.h"

namespace certwright::migrate {
namespace {

constexpr int kMaxDepth = 32;

struct Event {
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&raw); }
  yaml_event_t raw{};
};

json::Value PlainScalar(const std::string& text) {
  const std::string lower = ToLower(text);
  if (lower.empty() || lower == "~" || lower == "null") return {};
  if (lower == "true" || lower == "yes" || lower == "on") return true;
  if (lower == "false" || lower == "no" || lower == "off") return false;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return text;
}

class Parser {
 public:
  explicit Parser(std::string_view text) {
    if (yaml_parser_initialize(&raw_) == 0) throw std::bad_alloc();
    yaml_parser_set_input_string(&raw_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() { yaml_parser_delete(&raw_); }

  json::Value Document() {
    Expect(YAML_STREAM_START_EVENT);
    const auto begin = Next();
    if (begin->raw.type == YAML_STREAM_END_EVENT) return {};
    json::Value value = ValueOf(*Next(), 0);
    Expect(YAML_DOCUMENT_END_EVENT);
    Expect(YAML_STREAM_END_EVENT);
    return value;
  }

 private:
  std::unique_ptr<Event> Next() {
    auto event = std::make_unique<Event>();
    if (yaml_parser_parse(&raw_, &event->raw) == 0) {
      Refuse(Cat("it is no YAML: line ", raw_.problem_mark.line + 1));
    }
    return event;
  }

  void Expect(yaml_event_type_t type) {
    if (Next()->raw.type != type) Refuse("it is more than one YAML document");
  }

  json::Value ValueOf(const Event& event, int depth) {
    if (depth > kMaxDepth) Refuse("its YAML is nested too deep");
    switch (event.raw.type) {
      case YAML_SCALAR_EVENT: return Scalar(event);
      case YAML_SEQUENCE_START_EVENT: return Sequence(depth);
      case YAML_MAPPING_START_EVENT: return Mapping(depth);
      case YAML_NO_EVENT:
      case YAML_STREAM_START_EVENT:
      case YAML_STREAM_END_EVENT:
      case YAML_DOCUMENT_START_EVENT:
      case YAML_DOCUMENT_END_EVENT:
      case YAML_ALIAS_EVENT:
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT: break;
    }
    Refuse("its YAML has an alias, or an end without a beginning");
  }

  static std::string TextOf(const Event& event) {
    const auto& scalar = event.raw.data.scalar;
    return {reinterpret_cast<const char*>(scalar.value), scalar.length};
  }

  static json::Value Scalar(const Event& event) {
    const bool plain = event.raw.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return plain ? PlainScalar(TextOf(event)) : json::Value(TextOf(event));
  }

  json::Value Sequence(int depth) {
    json::Value list = json::Array{};
    for (auto event = Next(); event->raw.type != YAML_SEQUENCE_END_EVENT; event = Next()) {
      list.Append(ValueOf(*event, depth + 1));
    }
    return list;
  }

  json::Value Mapping(int depth) {
    json::Value object = json::Value::Object();
    for (auto key = Next(); key->raw.type != YAML_MAPPING_END_EVENT; key = Next()) {
      if (key->raw.type != YAML_SCALAR_EVENT) Refuse("a key of its YAML is no text");
      const std::string name = TextOf(*key);
      if (object.Has(name)) Refuse(Cat("the key ", Printable(name, 60), " of its YAML is doubled"));
      object.Set(name, ValueOf(*Next(), depth + 1));
    }
    return object;
  }

  yaml_parser_t raw_{};
};

}  // namespace

json::Value ParseYaml(std::string_view text) { return Parser(text).Document(); }

}  // namespace certwright::migrate
