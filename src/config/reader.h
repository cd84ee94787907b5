// Walks the parsed file and fills a Config; gathers everything that is wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "findings.h"
#include "keys.h"

namespace certwright::config {

class Reader {
 public:
  // `file` as it is named in messages; relative paths hang below `base_dir`. `config` holds the
  // defaults.
  Reader(std::string file, Path base_dir, Config& config);

  void Read(const toml::table& root);
  // A rule between several keys was broken: told at the place of the first of `keys` that the file
  // sets.
  void Complain(const std::vector<std::string>& keys, const std::string& text);
  // Throws Error(kConfig) with one line a problem, in the order of the file.
  void ThrowProblems() const;

 private:
  void ReadTable(const toml::table& table, const std::string& prefix);
  // An array of sections: one or more, each with what is `needed` and unlike the others in it.
  template <typename Target, typename At>
  void ReadSections(const std::string& name, const std::vector<Key<Target>>& keys, At needed,
                    const toml::node& node, std::vector<Target>& sections);
  void Unknown(const toml::node& node, const std::string& name);
  template <typename Target>
  bool ReadKey(const std::vector<Key<Target>>& keys, const std::string& prefix,
               const std::string& name, const toml::node& node, Target& target);
  void Add(std::uint32_t line, std::string text);
  std::string Source(const toml::node& node) const;

  Path base_dir_;
  Config& config_;
  Findings findings_;
};

}  // namespace certwright::config
