#include "parameters.h"

#include <charconv>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "door.h"

namespace certwright::api {

namespace {

constexpr char kWait[] = "wait";

[[noreturn]] void Refuse(std::string_view name, std::string_view what) {
  throw Error(FailureCode::kInput,
              Cat("the query parameter ", Printable(name, 60), " ", what));
}

json::Value WaitSchema(WaitFor what) {
  const char* description =
      what == WaitFor::kEvents
          ? "Seconds to wait for an event where there is none; the answer comes with the first one."
          : "Seconds to wait until it has ended; the answer comes earlier if it does.";
  return json::Value::Object({{"type", "integer"},
                              {"minimum", 0},
                              {"maximum", kLongestPoll},
                              {"description", description}});
}

std::int64_t ReadInteger(std::string_view name, std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) Refuse(name, "is no integer");
  return number;
}

json::Value Typed(std::string_view name, const json::Value& schema, const std::string& text) {
  const std::string type = schema.String("type");
  if (type == "integer") return ReadInteger(name, text);
  if (type != "boolean") return text;
  if (text != "true" && text != "false") Refuse(name, "is neither true nor false");
  return text == "true";
}

}  // namespace

json::Members QueryParameters(const Operation& operation) {
  json::Members parameters;
  const auto schema = actions::SchemaDocument(std::string(operation.action), "input");
  const json::Value always = json::Parse(operation.always);
  if (schema) {
    for (const json::Member& member : (*schema)["properties"].Fields()) {
      if (member.first != ParameterOf(operation) && !always.Has(member.first)) {
        parameters.push_back(member);
      }
    }
  }
  if (operation.wait_for != WaitFor::kNothing) {
    parameters.emplace_back(kWait, WaitSchema(operation.wait_for));
  }
  return parameters;
}

ResourceInput ReadInput(const Operation& operation, const std::string& parameter,
                        const std::vector<std::pair<std::string, std::string>>& query) {
  ResourceInput read;
  read.input = json::Parse(operation.always);
  if (!ParameterOf(operation).empty()) read.input.Set(ParameterOf(operation), parameter);
  const json::Value known = json::Value::FromMembers(QueryParameters(operation));
  for (const auto& [name, text] : query) {
    if (!known.Has(name)) Refuse(name, "is not known here");
    if (name != kWait) {
      read.input.Set(name, Typed(name, known[name], text));
      continue;
    }
    const std::int64_t seconds = ReadInteger(name, text);
    if (seconds < 0 || seconds > kLongestPoll) {
      Refuse(name, Cat("has to be from 0 to ", kLongestPoll));
    }
    read.wait = std::chrono::seconds(seconds);
  }
  return read;
}

}  // namespace certwright::api
