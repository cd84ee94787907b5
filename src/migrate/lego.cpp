#include "certwright/migrate/readers.h"
#include "reading.h"

namespace certwright::migrate {
namespace {

constexpr std::string_view kAccountFile = "/account.json";

// "accounts/HOST/..." -> HOST
std::string HostOf(const std::string& path) {
  const std::size_t begin = path.find('/') + 1;
  return path.substr(begin, path.find('/', begin) - begin);
}

// Beside account.json: keys/ID.key, or ID.key where the folder is one of a key type.
const Secret& KeyBeside(const Tree& tree, const std::string& folder, const std::string& id) {
  for (const std::string& path :
       {Cat(folder, "/keys/", id, ".key"), Cat(folder, "/", id, ".key")}) {
    if (const Secret* key = FindFile(tree, path)) return *key;
  }
  Refuse(Cat("its key ", Printable(id), ".key is missing"));
}

void ReadAccount(const Tree& tree, const std::string& path, const Secret& file,
                 const Directories& directories, Found& found) {
  const std::string folder = path.substr(0, path.size() - kAccountFile.size());
  const json::Value document = json::Parse(file.Reveal());
  const std::string email = document.String("email");
  FoundAccount account;
  account.from = folder;
  ReadRegistration(document["registration"], email, account);
  account.directory = directories.Of(account.url);
  if (account.directory.empty()) account.directory = directories.OfHost(HostOf(path));
  std::string id = document.String("id", email);
  if (id.empty()) id = "noemail@example.com";  // what lego writes in place of an address
  AddAccount(found, std::move(account), crypto::PrivateKey::FromPem(KeyBeside(tree, folder, id)));
}

std::size_t CertificatesIn(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  std::size_t count = 0;
  for (std::size_t at = pem.find(kBegin); at != std::string_view::npos;
       at = pem.find(kBegin, at + 1)) {
    ++count;
  }
  return count;
}

// `base`: "certificates/NAME".
void ReadCertificate(const Tree& tree, const std::string& base, const Directories& directories,
                     Found& found) {
  const Secret* chain = FindFile(tree, base + ".crt");
  const Secret* key = FindFile(tree, base + ".key");
  if (chain == nullptr) Refuse("its .crt is missing");
  if (key == nullptr) Refuse("its .key is missing: was it made for a CSR?");
  FoundCertificate certificate;
  certificate.from = Printable(base);
  certificate.chain_pem = chain->Reveal();
  const Secret* issuer = FindFile(tree, base + ".issuer.crt");
  if (issuer != nullptr && CertificatesIn(certificate.chain_pem) == 1) {  // --no-bundle
    certificate.chain_pem += "\n" + issuer->Reveal();
  }
  certificate.key_pem = *key;
  if (const Secret* resource = FindFile(tree, base + ".json")) {
    certificate.directory = directories.Of(json::Parse(resource->Reveal()).String("certUrl"));
  }
  found.certificates.push_back(std::move(certificate));
}

}  // namespace

Found ReadLego(const Tree& tree, const Directories& directories) {
  Found found;
  for (const auto& [path, content] : tree) {
    if (path.starts_with("accounts/") && path.ends_with(kAccountFile)) {
      EachByItself(found, path, [&] { ReadAccount(tree, path, content, directories, found); });
    }
    // What has no resource beside it is no certificate of lego's (an issuer's, an archive's).
    constexpr std::string_view kResource = ".json";
    if (path.starts_with("certificates/") && path.ends_with(kResource)) {
      const std::string base = path.substr(0, path.size() - kResource.size());
      EachByItself(found, base, [&] { ReadCertificate(tree, base, directories, found); });
    }
  }
  return found;
}

}  // namespace certwright::migrate
