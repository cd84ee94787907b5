// A private JWK (RFC 7517, RFC 7518 section 6) as the DER that key_parse reads: its checks are made
// once for all forms.
#include "certwright/base/encoding.h"
#include "certwright/base/text.h"
#include "der.h"
#include "key_parse.h"
#include "oids.h"

namespace certwright::crypto {
namespace {

using Members = std::map<std::string, Secret>;

const std::string& TextOf(const Members& members, const char* name) {
  const auto found = members.find(name);
  if (found == members.end()) ThrowBadKey(Cat("is incomplete: its JWK has no member '", name, "'"));
  return found->second.Reveal();
}

Secret NumberOf(const Members& members, const char* name) {
  const auto octets = FromBase64Url(TextOf(members, name));
  if (!octets || octets->empty()) {
    ThrowBadKey(Cat("is damaged: the member '", name, "' of its JWK"));
  }
  return Secret(*octets);
}

// DER knows negative numbers, a JWK does not.
Secret Integer(const Secret& octets) {
  std::string_view number = octets.Reveal();
  while (number.size() > 1 && number.front() == 0) number.remove_prefix(1);
  const bool looks_negative = (static_cast<unsigned char>(number.front()) & 0x80) != 0;
  const std::string_view sign("\0", looks_negative ? 1 : 0);
  return Secret(der::Encode(der::kInteger, {sign, number}));
}

// RSAPrivateKey, RFC 8017 appendix A.1.2.
Secret RsaDer(const Members& members) {
  Secret numbers(der::Encode(der::kInteger, std::string_view("\0", 1)));
  for (const char* name : {"n", "e", "d", "p", "q", "dp", "dq", "qi"}) {
    numbers = Secret(numbers.Reveal() + Integer(NumberOf(members, name)).Reveal());
  }
  return Secret(der::Encode(der::kSequence, numbers.Reveal()));
}

struct Curve {
  std::string_view oid;
  std::size_t width;  // octets of a number
};

Curve CurveOf(const std::string& name) {
  if (name == "P-256") return {oid::kP256, 32};
  if (name == "P-384") return {oid::kP384, 48};
  if (name == "P-521") return {oid::kP521, 66};
  ThrowBadKey("is on an elliptic curve that is not supported");
}

// ECPrivateKey, RFC 5915 section 3.
Secret EcDer(const Members& members) {
  const Curve curve = CurveOf(TextOf(members, "crv"));
  const auto number = [&](const char* name) {
    Secret octets = NumberOf(members, name);
    const std::size_t size = octets.Reveal().size();
    if (size > curve.width) ThrowBadKey(Cat("is damaged: the member '", name, "' of its JWK"));
    return Secret(std::string(curve.width - size, '\0') + octets.Reveal());
  };
  const Secret secret = number("d");
  const std::string point = Cat('\x04', number("x").Reveal(), number("y").Reveal());
  return Secret(der::Sequence({der::Encode(der::kInteger, "\x01"),
                               der::Encode(der::kOctetString, secret.Reveal()),
                               der::Encode(der::Constructed(0), der::Oid(curve.oid)),
                               der::Encode(der::Constructed(1), der::BitString(point))}));
}

}  // namespace

ParsedKey ParseJwk(const Members& members) {
  const std::string& kind = TextOf(members, "kty");
  if (kind == "RSA") return ParseKeyDer(RsaDer(members));
  if (kind == "EC") return ParseKeyDer(EcDer(members));
  ThrowBadKey("is of a kind that is not supported: neither RSA nor EC");
}

}  // namespace certwright::crypto
