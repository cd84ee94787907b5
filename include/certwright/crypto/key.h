// Private keys, and what is signed with them. The only user of Botan is behind crypto's headers.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "certwright/base/secret.h"
#include "certwright/model/key_type.h"

namespace certwright::crypto {

// An immutable private key; copies share it. Safe from several threads.
class PrivateKey {
 public:
  static PrivateKey Generate(model::KeyType type);
  // PKCS#8 ("PRIVATE KEY"), SEC1 ("EC PRIVATE KEY") or PKCS#1 ("RSA PRIVATE KEY"); RSA, ECDSA, Ed25519.
  // Throws Error(kInput) where it is none of these, encrypted or damaged; never quotes the content.
  static PrivateKey FromPem(const Secret& pem);

  Secret ToPkcs8Pem() const;
  std::string PublicKeyDer() const;  // SubjectPublicKeyInfo

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  explicit PrivateKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace certwright::crypto
