// The documented example is held against the table of keys: nothing missing, nothing stale.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
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
  // Those of sections that may come several times have no origin of their own.
  const std::string text = Activated(CERTWRIGHT_EXAMPLE);
  for (const auto& key : KnownKeys()) {
    EXPECT_NE(key.description, "") << key.name;
    for (const std::string section :
         {"api.socket", "acme.fallback", "events.webhook", "export", "served"}) {
      if (!key.name.starts_with(section + ".")) continue;
      const auto begin = text.find("[[" + section + "]]");
      const auto body = text.substr(begin, text.find("\n[", begin) - begin);
      EXPECT_NE(body.find("\n" + key.name.substr(section.size() + 1) + " = "), std::string::npos)
          << key.name;
    }
  }
}

TEST_F(Example, ShowsTheRealDefaults) {
  const Config defaults = Load(std::nullopt, environment_);
  for (const auto& [name, origin] : defaults.origins) {
    // The example has one of each, for there is no default of it.
    const bool several = name == "acme.fallback" || name == "events.webhook" || name == "export" ||
                         name == "served";
    if (several) continue;
    EXPECT_EQ(all_.origins.at(name).value, origin.value) << name;
  }
  EXPECT_EQ(all_.origins.size(), defaults.origins.size());
}

TEST_F(Example, ChangesNothingAsItStands) {
  const Config config = Load(Path(CERTWRIGHT_EXAMPLE), environment_);
  for (const auto& [name, origin] : config.origins) EXPECT_EQ(origin.source, "default") << name;
}

}  // namespace
}  // namespace certwright::config
