#include "reader.h"

#include <algorithm>

#include "certwright/base/text.h"

namespace certwright::config {
namespace {

std::uint32_t Line(const toml::node& node) { return node.source().begin.line; }

// A key as it must be written: "a.b" in quotes is one key, not two.
std::string KeyText(std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
  return bare ? std::string(key) : Quoted(Printable(key, 80));
}

std::string Join(const std::string& prefix, std::string_view key) {
  return prefix.empty() ? KeyText(key) : Cat(prefix, ".", KeyText(key));
}

std::vector<std::string> KnownNames() {
  std::vector<std::string> names;
  for (const auto& key : ConfigKeys()) names.push_back(key.name);
  for (const auto& key : SocketKeys()) names.push_back(Cat(kSocketTable, ".", key.name));
  for (const auto& key : CaKeys()) names.push_back(Cat(kFallbackTable, ".", key.name));
  for (const auto& key : WebhookKeys()) names.push_back(Cat(kWebhookTable, ".", key.name));
  for (const auto& key : ExportKeys()) names.push_back(Cat(kExportTable, ".", key.name));
  for (const auto& key : ServedKeys()) names.push_back(Cat(kServedTable, ".", key.name));
  return names;
}

// Whether `name` is a section: a known key begins with it.
bool IsSection(const std::string& name) {
  const auto names = KnownNames();
  return std::any_of(names.begin(), names.end(),
                     [&](const auto& known) { return known.starts_with(name + "."); });
}

}  // namespace

Reader::Reader(std::string file, Path base_dir, Config& config)
    : base_dir_(std::move(base_dir)), config_(config), findings_(std::move(file)) {}

void Reader::Read(const toml::table& root) { ReadTable(root, ""); }

void Reader::ReadTable(const toml::table& table, const std::string& prefix) {
  for (auto&& [raw_key, node] : table) {
    const std::string name = Join(prefix, raw_key.str());
    if (name == kSocketTable) {
      ReadSections(
          name, SocketKeys(), [](const ApiSocket& socket) { return socket.path.string(); }, node,
          config_.api_sockets);
    } else if (name == kFallbackTable) {
      ReadSections(
          name, CaKeys(), [](const CertificateAuthority& ca) { return ca.directory; }, node,
          config_.acme.fallback);
    } else if (name == kWebhookTable) {
      ReadSections(
          name, WebhookKeys(), [](const Webhook& hook) { return hook.url; }, node,
          config_.events_webhooks);
    } else if (name == kExportTable) {
      // What must differ is looked at when all keys are known.
      ReadSections(
          name, ExportKeys(), [](const Export&) { return std::string(); }, node, config_.exports);
    } else if (name == kServedTable) {
      ReadSections(
          name, ServedKeys(), [](const Served&) { return std::string(); }, node, config_.served);
    } else if (ReadKey(ConfigKeys(), "", name, node, config_)) {
      continue;
    } else if (const auto* section = node.as_table(); section != nullptr && !section->empty()) {
      // Also where nothing is known below it: then each key is named, and its nearest.
      ReadTable(*section, name);
    } else if (IsSection(name)) {
      if (section == nullptr) {
        Add(Line(node), Cat(name, ": is ", Describe(node), ", wanted is a section: [", name, "]"));
      }
    } else {
      Unknown(node, name);
    }
  }
}

template <typename Target>
bool Reader::ReadKey(const std::vector<Key<Target>>& keys, const std::string& prefix,
                     const std::string& name, const toml::node& node, Target& target) {
  const auto key =
      std::find_if(keys.begin(), keys.end(), [&](const auto& known) { return known.name == name; });
  if (key == keys.end()) return false;
  try {
    key->read(Value(node, base_dir_), target);
    if constexpr (std::is_same_v<Target, Config>) config_.origins[name].source = Source(node);
  } catch (const Problem& problem) {
    Add(Line(node),
        Cat(prefix, name, ": ", problem.text, "; for example ", name, " = ", key->example));
  }
  return true;
}

template <typename Target, typename At>
void Reader::ReadSections(const std::string& name, const std::vector<Key<Target>>& keys, At needed,
                          const toml::node& node, std::vector<Target>& sections) {
  const auto* array = node.as_array();
  if (array == nullptr || array->empty() || !array->is_array_of_tables()) {
    Add(Line(node), Cat(name, ": is ", Describe(node), ", wanted are one or more sections: [[", name,
                        "]]"));
    return;
  }
  sections.clear();
  config_.origins[name].source = Source(node);
  const Key<Target>& first = keys.front();
  for (const auto& element : *array) {
    const toml::table& table = *element.as_table();
    Target section;
    for (auto&& [raw_key, value] : table) {
      const std::string key = KeyText(raw_key.str());
      if (!ReadKey(keys, Cat(name, "."), key, value, section)) Unknown(value, Cat(name, ".", key));
    }
    if (!table.contains(first.name)) {
      Add(Line(table),
          Cat(name, ": has no ", first.name, "; for example ", first.name, " = ", first.example));
      continue;
    }
    const bool twice = std::any_of(sections.begin(), sections.end(), [&](const Target& other) {
      return !needed(section).empty() && needed(other) == needed(section);
    });
    if (twice) {
      Add(Line(table), Cat(name, ".", first.name, ": ", Printable(needed(section)), " is the ",
                           first.name, " of another section too; each needs its own"));
    }
    sections.push_back(section);
  }
}

void Reader::Unknown(const toml::node& node, const std::string& name) {
  const std::string nearest = Nearest(name, KnownNames());
  Add(Line(node),
      Cat(name, ": unknown key", nearest.empty() ? "" : Cat("; did you mean ", nearest, "?")));
}

void Reader::Complain(const std::vector<std::string>& keys, const std::string& text) {
  for (const auto& key : keys) {
    const std::string& source = config_.origins[key].source;
    const auto colon = source.rfind(':');
    if (colon == std::string::npos) continue;
    Add(static_cast<std::uint32_t>(std::stoul(source.substr(colon + 1))), Cat(key, ": ", text));
    return;
  }
  Add(0, Cat(keys.front(), ": ", text));
}

void Reader::Add(std::uint32_t line, std::string text) {
  findings_.Add(line, std::move(text));
}

std::string Reader::Source(const toml::node& node) const {
  return Cat(findings_.file(), ":", Line(node));
}

void Reader::ThrowProblems() const {
  findings_.ThrowProblems(
      "correct the file; `certwright config check` looks at it again, and `certwright config "
      "show` prints all keys");
}

}  // namespace certwright::config
