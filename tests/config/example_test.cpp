// The documented example is held against the table of keys: nothing missing, nothing stale.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

#include "certwright/config/config.h"

namespace certwright::config {
namespace {

// `#key = value` and `#[section]` are keys put out of force; `# words` are words.
std::string Activated(const Path& file) {
  std::ifstream in(file);
  std::ostringstream out;
  for (std::string line; std::getline(in, line);) {
    const bool key = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    out << (key ? line.substr(1) : line) << '\n';
  }
  return out.str();
}

class Example : public ::testing::Test {
 protected:
  Example() {
    char name[] = "/tmp/certwright-example-XXXXXX";
    dir_ = mkdtemp(name);
    environment_.standard_file = dir_ / "none.toml";
    std::ofstream(dir_ / "all.toml") << Activated(CERTWRIGHT_EXAMPLE);
    all_ = Load(dir_ / "all.toml", environment_);
  }
  ~Example() override { std::filesystem::remove_all(dir_); }

  Path dir_;
  Environment environment_;
  Config all_;
};

TEST_F(Example, HoldsEveryKey) {
  for (const auto& [name, origin] : all_.origins) EXPECT_NE(origin.source, "default") << name;
  // Those of a socket have no origin of their own.
  const std::string text = Activated(CERTWRIGHT_EXAMPLE);
  const auto sockets = text.substr(text.find("[[api.socket]]"));
  for (const auto& key : KnownKeys()) {
    EXPECT_NE(key.description, "") << key.name;
    const std::string prefix = "api.socket.";
    if (!key.name.starts_with(prefix)) continue;
    EXPECT_NE(sockets.find("\n" + key.name.substr(prefix.size()) + " = "), std::string::npos)
        << key.name;
  }
}

TEST_F(Example, ShowsTheRealDefaults) {
  const Config defaults = Load(std::nullopt, environment_);
  std::set<std::string> names;
  for (const auto& [name, origin] : defaults.origins) {
    EXPECT_EQ(all_.origins.at(name).value, origin.value) << name;
    names.insert(name);
  }
  EXPECT_EQ(all_.origins.size(), names.size());
}

TEST_F(Example, ChangesNothingAsItStands) {
  const Config config = Load(Path(CERTWRIGHT_EXAMPLE), environment_);
  for (const auto& [name, origin] : config.origins) EXPECT_EQ(origin.source, "default") << name;
}

}  // namespace
}  // namespace certwright::config
