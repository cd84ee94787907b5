#include <algorithm>
#include <map>
#include <set>

#include "certwright/migrate/readers.h"
#include "reading.h"

namespace certwright::migrate {
namespace {

using Parameters = std::map<std::string, std::string>;

// The section [renewalparams] of a lineage's file: lines "key = value".
Parameters RenewalParameters(const Secret& file) {
  Parameters parameters;
  bool inside = false;
  for (const std::string& raw : Split(file.Reveal(), '\n')) {
    const std::string_view line = Trim(raw);
    if (line.starts_with('[')) inside = line == "[renewalparams]";
    const std::size_t equals = line.find('=');
    if (!inside || line.starts_with('#') || equals == std::string_view::npos) continue;
    parameters.emplace(Trim(line.substr(0, equals)), Trim(line.substr(equals + 1)));
  }
  return parameters;
}

std::string Get(const Parameters& parameters, const std::string& key) {
  const auto found = parameters.find(key);
  return found == parameters.end() ? "" : found->second;
}

std::optional<model::KeyType> KeyTypeOf(const Parameters& parameters) {
  const std::string kind = Get(parameters, "key_type");
  const std::string curve = Get(parameters, "elliptic_curve");
  const std::string bits = Get(parameters, "rsa_key_size");
  if (kind == "ecdsa" && (curve.empty() || curve == "secp256r1")) return model::KeyType::kEc256;
  if (kind == "ecdsa" && curve == "secp384r1") return model::KeyType::kEc384;
  if (kind == "rsa" && (bits.empty() || bits == "2048")) return model::KeyType::kRsa2048;
  if (kind == "rsa" && bits == "3072") return model::KeyType::kRsa3072;
  if (kind == "rsa" && bits == "4096") return model::KeyType::kRsa4096;
  return std::nullopt;  // as the key is that it has
}

const Secret& FileOf(const Tree& tree, const std::string& path) {
  const Secret* file = FindFile(tree, path);
  if (file == nullptr) Refuse(Cat(Printable(path), " is missing"));
  return *file;
}

void ReadLineage(const Tree& tree, const std::string& name, const Parameters& parameters,
                 Found& found) {
  FoundCertificate certificate;
  certificate.from = Printable("live/" + name);
  certificate.chain_pem = FileOf(tree, "live/" + name + "/fullchain.pem").Reveal();
  certificate.key_pem = FileOf(tree, "live/" + name + "/privkey.pem");
  certificate.directory = Get(parameters, "server");
  certificate.policy.key_type = KeyTypeOf(parameters);
  if (Get(parameters, "reuse_key") == "True") certificate.policy.reuse_key = true;
  if (const std::string chain = Get(parameters, "preferred_chain");
      !chain.empty() && chain != "None") {
    certificate.policy.preferred_chain = chain;
  }
  found.certificates.push_back(std::move(certificate));
}

// accounts/HOST/PATH.../ID: the folders between are the URL of the CA's directory.
void ReadAccount(const Tree& tree, const std::string& folder, Found& found) {
  const std::string server = folder.substr(0, folder.rfind('/'));
  FoundAccount account;
  account.from = folder;
  account.directory = Cat("https://", server.substr(server.find('/') + 1));
  ReadRegistration(json::Parse(FileOf(tree, folder + "/regr.json").Reveal()), "", account);
  const json::Value jwk = json::Parse(FileOf(tree, folder + "/private_key.json").Reveal());
  std::map<std::string, Secret> members;
  for (const auto& [name, value] : jwk.Fields()) {
    if (const auto text = value.AsString()) members.emplace(name, Secret(*text));
  }
  AddAccount(found, std::move(account), crypto::PrivateKey::FromJwk(members));
}

// Those that lineages are renewed with come first: of two at one CA one is taken over.
void ReadAccounts(const Tree& tree, const std::set<std::string>& used, Found& found) {
  constexpr std::string_view kFile = "/private_key.json";
  std::vector<std::string> folders;
  for (const auto& [path, content] : tree) {
    if (path.starts_with("accounts/") && path.ends_with(kFile)) {
      folders.push_back(path.substr(0, path.size() - kFile.size()));
    }
  }
  std::stable_partition(folders.begin(), folders.end(), [&](const std::string& folder) {
    return used.contains(folder.substr(folder.rfind('/') + 1));
  });
  for (const std::string& folder : folders) {
    EachByItself(found, folder, [&] { ReadAccount(tree, folder, found); });
  }
}

}  // namespace

Found ReadCertbot(const Tree& tree) {
  constexpr std::string_view kConf = ".conf";
  std::map<std::string, Parameters> lineages;
  for (const std::string& name : FoldersOf(tree, "live")) lineages[name];
  std::set<std::string> used;
  for (const auto& [path, content] : tree) {
    if (!path.starts_with("renewal/") || !path.ends_with(kConf)) continue;
    const std::string name = path.substr(8, path.size() - 8 - kConf.size());
    lineages[name] = RenewalParameters(content);
    used.insert(Get(lineages[name], "account"));
  }
  Found found;
  ReadAccounts(tree, used, found);
  for (const auto& [name, parameters] : lineages) {
    EachByItself(found, "live/" + name, [&] { ReadLineage(tree, name, parameters, found); });
  }
  return found;
}

}  // namespace certwright::migrate
