// The inside of PrivateKey, and what the rest of crypto does with it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "botan_compat.h"
#include "certwright/base/sync.h"
#include "certwright/crypto/key.h"

namespace Botan {
class RandomNumberGenerator;
}

namespace certwright::crypto {

enum class KeyKind { kP256, kP384, kP521, kRsa, kEd25519 };

struct PrivateKey::Impl {
  std::unique_ptr<Botan::Private_Key> key;
  KeyKind kind;
  std::string public_key_der;
  // For SignatureForm::kRaw. To make one costs ECDSA a quarter of a signature, and it serves one
  // thread at a time.
  mutable Sync<std::vector<std::unique_ptr<Botan::PK_Signer>>> idle_signers;
};

// The kernel's generator: needs no seeding, and may be used from every thread.
Botan::RandomNumberGenerator& Rng();

// ECDSA signatures come in two forms: r || s of fixed width (JWS), or a DER SEQUENCE (X.509).
enum class SignatureForm { kRaw, kDer };
std::string Sign(const PrivateKey& key, std::string_view message, SignatureForm form);

// The DER AlgorithmIdentifier of what Sign makes.
std::string SignatureAlgorithm(KeyKind kind);

}  // namespace certwright::crypto
