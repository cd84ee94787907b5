#include "certwright/crypto/jws.h"

#include <botan/mac.h>

#include "bytes.h"
#include "certwright/base/encoding.h"
#include "certwright/crypto/certificate.h"
#include "der.h"
#include "key_impl.h"

namespace certwright::crypto {
namespace {

struct Curve {
  const char* name;       // RFC 7518 section 6.2.1.1
  const char* algorithm;  // RFC 7518 section 3.4
  std::size_t width;      // octets of a coordinate
};

Curve CurveOf(const PrivateKey& key) {
  if (key.impl().kind == KeyKind::kP256) return {"P-256", "ES256", 32};
  if (key.impl().kind == KeyKind::kP384) return {"P-384", "ES384", 48};
  throw Error(FailureCode::kInput, "this kind of key cannot be the key of an ACME account",
              "Use an elliptic curve key on P-256 or P-384.");
}

// Every part is base64url or an ASCII literal: nothing needs to be escaped.
std::string Flattened(std::string_view signing_input, std::string_view signature) {
  const std::size_t dot = signing_input.find('.');
  return Cat(R"({"protected":")", signing_input.substr(0, dot), R"(","payload":")",
             signing_input.substr(dot + 1), R"(","signature":")", Base64Url(signature), R"("})");
}

// RFC 7515 section 5.1, step 8.
std::string SigningInput(std::string_view protected_json, std::string_view payload) {
  return Cat(Base64Url(protected_json), ".", Base64Url(payload));
}

}  // namespace

std::string Jwk(const PrivateKey& key) {
  const Curve curve = CurveOf(key);
  der::Reader fields = der::Reader(key.impl().public_key_der).Enter(der::kSequence);
  fields.Expect(der::kSequence);
  // SEC 1 section 2.3.3: 04 || X || Y, both of fixed width as RFC 7518 section 6.2.1.2 wants them.
  const std::string_view point = der::BitStringOctets(fields.Expect(der::kBitString));
  if (point.size() != 1 + 2 * curve.width || point.front() != 4) {
    throw Error(FailureCode::kInternal, "a public key has an unexpected encoding");
  }
  return Cat(R"({"crv":")", curve.name, R"(","kty":"EC","x":")",
             Base64Url(point.substr(1, curve.width)), R"(","y":")",
             Base64Url(point.substr(1 + curve.width)), R"("})");
}

std::string Thumbprint(const PrivateKey& key) { return Base64Url(Sha256(Jwk(key))); }

std::string KeyAuthorization(std::string_view token, const PrivateKey& key) {
  return Cat(token, ".", Thumbprint(key));
}

std::string JwsAlgorithm(const PrivateKey& key) { return CurveOf(key).algorithm; }

std::string SignJws(const PrivateKey& key, std::string_view protected_json,
                    std::string_view payload) {
  CurveOf(key);  // refuses keys that no JWS of ours is made with
  const std::string input = SigningInput(protected_json, payload);
  return Flattened(input, Sign(key, input, SignatureForm::kRaw));
}

std::string SignJwsHmac(const Secret& mac_key, std::string_view protected_json,
                        std::string_view payload) {
  const std::string input = SigningInput(protected_json, payload);
  return AtEdge(FailureCode::kInput, "the MAC key of the external account cannot be used", [&] {
    auto mac = Botan::MessageAuthenticationCode::create_or_throw("HMAC(SHA-256)");
    mac->set_key(Data(mac_key.Reveal()), mac_key.Reveal().size());
    mac->update(Data(input), input.size());
    return Flattened(input, ToString(mac->final()));
  });
}

}  // namespace certwright::crypto
