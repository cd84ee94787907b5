// One value of the file on its way into the Config struct, and back to TOML text.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "certwright/base/file.h"
#include "checks.h"

namespace certwright::config {

class Value {
 public:
  // `base_dir`: what relative paths are relative to.
  Value(const toml::node& node, const Path& base_dir) : node_(node), base_dir_(base_dir) {}

  // Throw Problem that says what is there and what is wanted.
  std::string Text() const;  // no control characters
  std::vector<std::string> Texts() const;  // a list of such; one alone is a list too
  bool Flag() const;
  std::int64_t Integer(std::int64_t lowest, std::int64_t highest) const;
  std::int64_t Seconds(std::int64_t lowest, std::int64_t highest) const;  // 60 or "60s"
  Path File() const;  // absolute and normal; "" stays ""

  const toml::node& node() const { return node_; }

 private:
  const toml::node& node_;
  const Path& base_dir_;
};

// "the integer 5", "a section": for messages about wrong types.
std::string Describe(const toml::node& node);

// A basic string of TOML.
std::string Quoted(std::string_view text);
std::string FlagText(bool flag);

// One key that may stand in a Target (Config, or one [[api.socket]]). Everything that is said or
// done about a key comes from its row: reading, `config show`, the nearest key, and the check of
// the example file.
template <typename Target>
struct Key {
  std::string name;
  std::string example;  // a good value as TOML text
  std::string description;
  std::function<void(const Value&, Target&)> read;
  std::function<std::string(const Target&)> show;
};

}  // namespace certwright::config
