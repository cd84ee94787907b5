// Private keys, and what is signed with them. The only user of Botan is behind crypto's headers.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "certwright/base/secret.h"
#include "certwright/model/key_type.h"

namespace certwright::crypto {

struct ParsedKey;  // the inside

// An immutable private key; copies share it. Safe from several threads.
class PrivateKey {
 public:
  static PrivateKey Generate(model::KeyType type);
  // PKCS#8 ("PRIVATE KEY"), SEC1 ("EC PRIVATE KEY") or PKCS#1 ("RSA PRIVATE KEY"); RSA, ECDSA, Ed25519.
  // Throws Error(kInput) where it is none of these, encrypted or damaged; never quotes the content.
  static PrivateKey FromPem(const Secret& pem);

  // The same three forms without PEM around them.
  static PrivateKey FromDer(const Secret& der);
  // The members of a private JWK by name (RFC 7517): kty, and the numbers of RFC 7518 section 6.2.2
  // or 6.3.2 in base64url. EC (P-256, P-384, P-521) and RSA. Throws as FromPem.
  static PrivateKey FromJwk(const std::map<std::string, Secret>& members);

  Secret ToPkcs8Pem() const;
  // nullopt: a key as nobody orders certificates for here (Ed25519, P-521, RSA of another size).
  std::optional<model::KeyType> Type() const;
  std::string PublicKeyDer() const;  // SubjectPublicKeyInfo

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  explicit PrivateKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  static PrivateKey FromParsed(const ParsedKey& parsed);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace certwright::crypto
