// JSON Web Signatures as ACME uses them (RFC 8555 section 6.2, RFC 7515, RFC 7517, RFC 7638).
#pragma once

#include <string>
#include <string_view>

#include "certwright/base/secret.h"
#include "certwright/crypto/key.h"

namespace certwright::crypto {

// The public key of an account (or of a certificate, which may sign its own revocation) as JWK,
// members in the order of RFC 7638 section 3.2 and no blanks: its bytes are what the thumbprint is
// taken of. EC P-256 and P-384, and RSA: Error(kInput) otherwise.
std::string Jwk(const PrivateKey& key);

// base64url of the SHA-256 of the JWK (RFC 7638).
std::string Thumbprint(const PrivateKey& key);

// token "." thumbprint (RFC 8555 section 8.1).
std::string KeyAuthorization(std::string_view token, const PrivateKey& key);

// "ES256", "ES384" or "RS256".
std::string JwsAlgorithm(const PrivateKey& key);

// Flattened JSON serialization; `protected_json` must carry the alg of JwsAlgorithm.
std::string SignJws(const PrivateKey& key, std::string_view protected_json,
                    std::string_view payload);

// HS256 with the CA's MAC key (RFC 8555 section 7.3.4); `mac_key` is raw bytes.
std::string SignJwsHmac(const Secret& mac_key, std::string_view protected_json,
                        std::string_view payload);

}  // namespace certwright::crypto
