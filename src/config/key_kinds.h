// Makers of rows: everything that keys of one kind have in common.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "certwright/base/text.h"
#include "value.h"

namespace certwright::config {

// The rows below say only what differs: these make the reader and the writer of one kind of field.
// `at` finds the field in the target.

using Check = void (*)(std::string_view);

// Runs a check of a text and puts the text itself before its words.
inline void Checked(const std::string& text, Check check) {
  try {
    check(text);
  } catch (const Problem& problem) {
    throw Problem{Cat("\"", Printable(text, 80), "\" ", problem.text)};
  }
}

// `check` may be null; an empty text means "none" where `optional`.
template <typename Target, typename At>
Key<Target> TextKey(std::string name, At at, bool optional, Check check, std::string example,
                    std::string description) {
  return {name, example, description,
          [=](const Value& value, Target& target) {
            const std::string text = value.Text();
            if (text.empty() && !optional) throw Problem{"is empty"};
            if (!text.empty() && check != nullptr) Checked(text, check);
            at(target) = text;
          },
          [=](const Target& target) { return Quoted(at(target)); }};
}

template <typename Target, typename At>
Key<Target> PathKey(std::string name, At at, bool optional, std::string example,
                    std::string description) {
  return {name, example, description,
          [=](const Value& value, Target& target) {
            const Path path = value.File();
            if (path.empty() && !optional) throw Problem{"is empty, wanted is a path"};
            at(target) = path;
          },
          [=](const Target& target) { return Quoted(at(target).string()); }};
}

template <typename Target, typename At>
Key<Target> FlagKey(std::string name, At at, std::string description) {
  return {name, "true", description,
          [=](const Value& value, Target& target) { at(target) = value.Flag(); },
          [=](const Target& target) { return FlagText(at(target)); }};
}

template <typename Target, typename At>
Key<Target> IntegerKey(std::string name, At at, int lowest, int highest, std::string description) {
  Target defaults;
  return {name, std::to_string(at(defaults)), description,
          [=](const Value& value, Target& target) {
            using Number = std::remove_reference_t<decltype(at(target))>;
            at(target) = static_cast<Number>(value.Integer(lowest, highest));
          },
          [=](const Target& target) { return std::to_string(at(target)); }};
}

template <typename Target, typename At>
Key<Target> SecondsKey(std::string name, At at, std::int64_t lowest, std::int64_t highest,
                       std::string description) {
  Target defaults;
  return {name, Quoted(DurationText(at(defaults))), description,
          [=](const Value& value, Target& target) {
            using Number = std::remove_reference_t<decltype(at(target))>;
            at(target) = static_cast<Number>(value.Seconds(lowest, highest));
          },
          [=](const Target& target) { return Quoted(DurationText(at(target))); }};
}

// One of a few words.
template <typename Target, typename At>
Key<Target> ChoiceKey(std::string name, At at, std::vector<std::string> choices,
                      std::string description) {
  return {name, Quoted(choices.front()), description,
          [=](const Value& value, Target& target) {
            const std::string text = value.Text();
            for (const auto& choice : choices) {
              if (choice == text) {
                at(target) = text;
                return;
              }
            }
            throw Problem{Cat("is ", Quoted(Printable(text, 60)), ", wanted is one of ",
                              Join(choices, ", "))};
          },
          [=](const Target& target) { return Quoted(at(target)); }};
}

// A list of texts; the empty list means "none".
template <typename Target, typename At>
Key<Target> TextsKey(std::string name, At at, Check check, std::string example,
                     std::string description) {
  return {name, example, description,
          [=](const Value& value, Target& target) {
            const std::vector<std::string> texts = value.Texts();
            for (const std::string& text : texts) Checked(text, check);
            at(target) = texts;
          },
          [=](const Target& target) {
            std::vector<std::string> quoted;
            for (const std::string& text : at(target)) quoted.push_back(Quoted(text));
            return Cat("[", Join(quoted, ", "), "]");
          }};
}

inline std::string ModeText(mode_t mode) {
  char text[8];
  std::snprintf(text, sizeof text, "\"%04o\"", static_cast<unsigned>(mode));
  return text;
}

#define CERTWRIGHT_FIELD(path) \
  [](auto& c) -> auto& { return c.path; }

}  // namespace certwright::config
