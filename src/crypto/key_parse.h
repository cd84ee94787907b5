// From PEM to what Botan needs to build a private key.
#pragma once

#include <botan/asn1_obj.h>
#include <botan/secmem.h>

#include <cstdint>
#include <map>
#include <string>

#include "certwright/base/secret.h"
#include "key_impl.h"

namespace certwright::crypto {

struct ParsedKey {
  KeyKind kind;
  Botan::AlgorithmIdentifier algorithm;
  Botan::secure_vector<std::uint8_t> bits;
};

// PKCS#8, SEC1 and PKCS#1 alike. Blocks that are no keys (parameters, certificates) are passed
// over; exactly one key must be there. Throws Error(kInput) that never quotes the content.
ParsedKey ParseKeyPem(const Secret& pem);
// Without PEM around it.
ParsedKey ParseKeyDer(const Secret& der);
// See PrivateKey::FromJwk.
ParsedKey ParseJwk(const std::map<std::string, Secret>& members);

// Error(kInput, "the private key " + what).
[[noreturn]] void ThrowBadKey(const std::string& what, const std::string& advice = "");

}  // namespace certwright::crypto
