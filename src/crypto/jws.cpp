#include "certwright/crypto/jws.h"

#include "bytes.h"
#include "certwright/base/encoding.h"
#include "certwright/crypto/certificate.h"
#include "certwright/crypto/mac.h"
#include "der.h"
#include "key_impl.h"

namespace certwright::crypto {
namespace {

struct Curve {
  const char* name;   // RFC 7518 section 6.2.1.1
  std::size_t width;  // octets of a coordinate
};

[[noreturn]] void RefuseKind() {
  throw Error(FailureCode::kInput, "requests to a CA cannot be signed with this kind of key",
              "Use an elliptic curve key on P-256 or P-384, or an RSA key.");
}

// RFC 7518 section 6.2.1.
std::string EcJwk(std::string_view point, const Curve& curve) {
  // SEC 1 section 2.3.3: 04 || X || Y, both of fixed width as section 6.2.1.2 wants them.
  if (point.size() != 1 + 2 * curve.width || point.front() != 4) {
    throw Error(FailureCode::kInternal, "a public key has an unexpected encoding");
  }
  return Cat(R"({"crv":")", curve.name, R"(","kty":"EC","x":")",
             Base64Url(point.substr(1, curve.width)), R"(","y":")",
             Base64Url(point.substr(1 + curve.width)), R"("})");
}

// RFC 7518 section 6.3.1: without the octet that keeps a DER INTEGER from being negative.
std::string RsaJwk(std::string_view numbers) {
  der::Reader fields = der::Reader(numbers).Enter(der::kSequence);
  const auto unsigned_octets = [&] {
    std::string_view octets = fields.Expect(der::kInteger).content;
    if (octets.size() > 1 && octets.front() == 0) octets.remove_prefix(1);
    return Base64Url(octets);
  };
  const std::string modulus = unsigned_octets();
  return Cat(R"({"e":")", unsigned_octets(), R"(","kty":"RSA","n":")", modulus, R"("})");
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
  der::Reader fields = der::Reader(key.impl().public_key_der).Enter(der::kSequence);
  fields.Expect(der::kSequence);
  const std::string_view bits = der::BitStringOctets(fields.Expect(der::kBitString));
  switch (key.impl().kind) {
    case KeyKind::kP256: return EcJwk(bits, {"P-256", 32});
    case KeyKind::kP384: return EcJwk(bits, {"P-384", 48});
    case KeyKind::kRsa: return RsaJwk(bits);
    case KeyKind::kP521:
    case KeyKind::kEd25519: break;
  }
  RefuseKind();
}

std::string Thumbprint(const PrivateKey& key) { return Base64Url(Sha256(Jwk(key))); }

std::string KeyAuthorization(std::string_view token, const PrivateKey& key) {
  return Cat(token, ".", Thumbprint(key));
}

std::string JwsAlgorithm(const PrivateKey& key) {
  switch (key.impl().kind) {
    case KeyKind::kP256: return "ES256";
    case KeyKind::kP384: return "ES384";
    case KeyKind::kRsa: return "RS256";
    case KeyKind::kP521:
    case KeyKind::kEd25519: break;
  }
  RefuseKind();
}

std::string SignJws(const PrivateKey& key, std::string_view protected_json,
                    std::string_view payload) {
  JwsAlgorithm(key);  // refuses keys that no JWS of ours is made with
  const std::string input = SigningInput(protected_json, payload);
  return Flattened(input, Sign(key, input, SignatureForm::kRaw));
}

std::string SignJwsHmac(const Secret& mac_key, std::string_view protected_json,
                        std::string_view payload) {
  const std::string input = SigningInput(protected_json, payload);
  return Flattened(input, HmacSha256(mac_key, input));
}

}  // namespace certwright::crypto
