#include "certwright/base/encoding.h"
#include "certwright/migrate/readers.h"
#include "reading.h"

namespace certwright::migrate {
namespace {

constexpr std::size_t kMaxBytes = 64 << 20;  // some 10,000 certificates

std::string Decoded(const json::Value& from, std::string_view member) {
  const auto bytes = FromBase64(from.String(member));
  if (!bytes || bytes->empty()) Refuse(Cat("its ", member, " is no base64, or empty"));
  return *bytes;
}

void ReadAccount(const json::Value& account, const std::string& resolver,
                 const Directories& directories, Found& found) {
  if (account.String("PrivateKey").empty()) return;  // not registered yet
  FoundAccount result;
  result.from = Cat("account of the resolver ", resolver);
  ReadRegistration(account["Registration"], account.String("Email"), result);
  result.directory = directories.Of(result.url);
  // Base64 of DER: PKCS#1 or SEC1, by the kind of the key.
  AddAccount(found, std::move(result),
             crypto::PrivateKey::FromDer(Secret(Decoded(account, "PrivateKey"))));
}

void ReadResolver(const std::string& name, const json::Value& resolver,
                  const Directories& directories, Found& found) {
  const json::Value& account = resolver["Account"];
  EachByItself(found, Cat("account of the resolver ", name),
               [&] { ReadAccount(account, name, directories, found); });
  const std::string uri = account["Registration"].String("uri");
  for (const json::Value& entry : resolver["Certificates"].Items()) {
    const std::string from = Cat("resolver ", name, ", ", entry["domain"].String("main", "?"));
    EachByItself(found, from, [&] {
      FoundCertificate certificate;
      certificate.from = Printable(from);
      certificate.chain_pem = Decoded(entry, "certificate");
      certificate.key_pem = Secret(Decoded(entry, "key"));
      certificate.directory = directories.Of(uri);
      found.certificates.push_back(std::move(certificate));
    });
  }
}

}  // namespace

Found ReadTraefikAcme(const Secret& text, const Directories& directories) {
  Found found;
  if (Trim(text.Reveal()).empty()) return found;  // as Traefik makes it, before it needs it
  json::ParseLimits limits;
  limits.max_bytes = kMaxBytes;
  const json::Value document = json::Parse(text.Reveal(), limits);
  if (!document.IsObject()) Refuse("it is no acme.json: not a JSON object");
  if (document.Has("DomainsCertificate") || document["Account"].Has("Registration")) {
    Refuse("this acme.json was written by Traefik 1",
           "let Traefik's own migration tool convert it to the form of Traefik 2 first");
  }
  for (const auto& [name, resolver] : document.Fields()) {
    if (resolver.Has("Account") || resolver.Has("Certificates")) {
      ReadResolver(name, resolver, directories, found);
    } else {
      found.left_out.push_back(
          {Printable(name), "it is no resolver with account and certificates"});
    }
  }
  return found;
}

}  // namespace certwright::migrate
