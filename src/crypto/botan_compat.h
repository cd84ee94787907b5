// Every difference between the Botan versions that we build with (2.19 and 3.x) is in this file.
#pragma once

#include <botan/version.h>

#if BOTAN_VERSION_CODE == BOTAN_VERSION_CODE_FOR(3, 11, 0)
#error "Botan 3.11.0 can be made to accept certificates that it did not verify: use another version"
#endif
#if BOTAN_VERSION_MAJOR < 2 || BOTAN_VERSION_MAJOR > 3
#error "Botan 2.19 or 3.x is needed"
#endif

#include <botan/ecdsa.h>
#include <botan/pk_keys.h>
#include <botan/pubkey.h>
#include <botan/x509_key.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace certwright::crypto::compat {

#if BOTAN_VERSION_MAJOR >= 3
inline constexpr auto kRawSignature = Botan::Signature_Format::Standard;
inline constexpr auto kDerSignature = Botan::Signature_Format::DerSequence;
#else
inline constexpr auto kRawSignature = Botan::IEEE_1363;
inline constexpr auto kDerSignature = Botan::DER_SEQUENCE;
#endif

// Botan 2 returns a pointer that the caller owns, Botan 3 a unique_ptr: this takes both.
inline std::unique_ptr<Botan::Public_Key> LoadPublicKey(const std::vector<std::uint8_t>& spki) {
  return std::unique_ptr<Botan::Public_Key>(Botan::X509::load_key(spki));
}

// Whether the public point that an elliptic-curve key came with is the one of its private number.
// True for keys of other kinds.
inline bool PublicPartBelongs(const Botan::Private_Key& key, Botan::RandomNumberGenerator& rng) {
  const auto* ec = dynamic_cast<const Botan::EC_PrivateKey*>(&key);
  if (ec == nullptr) return true;
  const Botan::ECDSA_PrivateKey derived(rng, ec->domain(), ec->private_value());
  return derived.public_key_bits() == key.public_key_bits();
}

}  // namespace certwright::crypto::compat
