#include <charconv>

#include "certwright/migrate/readers.h"
#include "ns8_route.h"
#include "reading.h"
#include "yaml_value.h"

namespace certwright::migrate {
namespace {

constexpr std::string_view kConfigs = "configs/";
constexpr std::string_view kUploads = "custom_certificates/";

json::Value YamlFile(const Tree& tree, const std::string& path) {
  const Secret* file = FindFile(tree, path);
  return file == nullptr ? json::Value() : ParseYaml(file->Reveal());
}

// KEY=VALUE lines, without quoting.
std::string Variable(const Tree& tree, const std::string& name) {
  const Secret* file = FindFile(tree, "environment");
  if (file == nullptr) return "";
  for (const std::string& line : Split(file->Reveal(), '\n')) {
    if (line.starts_with(name + "=")) return line.substr(name.size() + 1);
  }
  return "";
}

void ReadStaticFile(const Tree& tree, FoundSettings& settings) {
  const json::Value config = YamlFile(tree, "traefik.yaml");
  const json::Value& acme = config["certificatesResolvers"]["acmeServer"]["acme"];
  settings.acme_url = acme.String("caServer");
  settings.acme_email = acme.String("email");
  settings.trusted_proxies =
      config["entryPoints"]["http"]["forwardedHeaders"].Strings("trustedIPs");
  const std::string depth = Variable(tree, "PROXIES_DEPTH");
  std::from_chars(depth.data(), depth.data() + depth.size(), settings.proxies_depth);
}

void ReadDefaultNames(const Tree& tree, FoundSettings& settings) {
  const json::Value config = YamlFile(tree, "configs/_default_cert.yml");
  const json::Value& domain =
      config["tls"]["stores"]["default"]["defaultGeneratedCert"]["domain"];
  if (!domain.Has("main")) return;
  settings.default_names = domain.Strings("sans");
  settings.default_names.insert(settings.default_names.begin(), domain.String("main"));
}

void ReadRoute(const Tree& tree, const std::string& path, const std::string& instance,
               Found& found) {
  const bool by_person = FindFile(tree, "manual_flags/" + instance) != nullptr;
  found.routes.push_back(
      {Printable(path), RouteRequest(instance, YamlFile(tree, path), by_person)});
}

// Not those of the module's own (_NAME.yml), nor those that only name an uploaded pair.
std::string InstanceOf(const Tree& tree, const std::string& path) {
  constexpr std::string_view kEnding = ".yml";
  constexpr std::string_view kUpload = "certificate_";
  if (!path.starts_with(kConfigs) || !path.ends_with(kEnding)) return "";
  std::string name = path.substr(kConfigs.size());
  name.resize(name.size() - kEnding.size());
  if (name.starts_with('_') || name.find('/') != std::string::npos) return "";
  const bool is_upload =
      name.starts_with(kUpload) &&
      FindFile(tree, Cat(kUploads, name.substr(kUpload.size()), ".crt")) != nullptr;
  return is_upload ? "" : name;
}

void ReadUpload(const Tree& tree, const std::string& path, Found& found) {
  const Secret* key = FindFile(tree, path.substr(0, path.size() - 4) + ".key");
  if (key == nullptr) Refuse("its .key is missing");
  found.uploads.push_back({Printable(path), tree.at(path).Reveal(), *key});
}

// The CA's directory is known here: the resolver's.
void ReadAcme(const Tree& tree, const Directories& directories, Found& found) {
  const Secret* file = FindFile(tree, "acme/acme.json");
  if (file == nullptr) return;
  Directories known = directories;
  if (const std::string& url = found.settings.acme_url; !url.empty()) {
    known.known.insert(known.known.begin(), url);
    if (known.otherwise.empty()) known.otherwise = url;
  }
  Found acme = ReadTraefikAcme(*file, known);
  found.accounts = std::move(acme.accounts);
  found.certificates = std::move(acme.certificates);
  for (LeftOut& entry : acme.left_out) found.left_out.push_back(std::move(entry));
}

}  // namespace

Found ReadNs8Traefik(const Tree& tree, const Directories& directories) {
  Found found;
  EachByItself(found, "traefik.yaml", [&] { ReadStaticFile(tree, found.settings); });
  EachByItself(found, "configs/_default_cert.yml",
               [&] { ReadDefaultNames(tree, found.settings); });
  EachByItself(found, "acme/acme.json", [&] { ReadAcme(tree, directories, found); });
  for (const auto& [path, content] : tree) {
    if (const std::string instance = InstanceOf(tree, path); !instance.empty()) {
      EachByItself(found, path, [&] { ReadRoute(tree, path, instance, found); });
    } else if (path.starts_with(kUploads) && path.ends_with(".crt")) {
      EachByItself(found, path, [&] { ReadUpload(tree, path, found); });
    }
  }
  return found;
}

}  // namespace certwright::migrate
