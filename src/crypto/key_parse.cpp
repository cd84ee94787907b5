#include "key_parse.h"

#include <vector>

#include "bytes.h"
#include "certwright/base/encoding.h"
#include "certwright/base/error.h"
#include "der.h"
#include "oids.h"

namespace certwright::crypto {
namespace {

// An RSA key of 16384 bits has 9 KiB; more is no key but an attempt to keep us busy.
constexpr std::size_t kMaxKeyBytes = 12 << 10;
constexpr std::size_t kMaxRsaModulusBytes = 1024;

const char* const kForms =
    "Give an unencrypted RSA, ECDSA (P-256, P-384, P-521) or Ed25519 key in PEM.";

ParsedKey Parsed(KeyKind kind, const char* oid, std::string_view parameters,
                 std::string_view bits) {
  return {kind, Botan::AlgorithmIdentifier(Botan::OID(oid), ToVector(parameters)),
          Botan::secure_vector<std::uint8_t>(Data(bits), Data(bits) + bits.size())};
}

// Named curves only (RFC 5480 section 2.1.1): explicit parameters let others choose the group.
ParsedKey EcKey(const der::Value& curve, std::string_view bits) {
  const auto parsed = [&](KeyKind kind) {
    return Parsed(kind, "1.2.840.10045.2.1", curve.whole, bits);
  };
  if (curve.tag == der::kOid && curve.content == oid::kP256) return parsed(KeyKind::kP256);
  if (curve.tag == der::kOid && curve.content == oid::kP384) return parsed(KeyKind::kP384);
  if (curve.tag == der::kOid && curve.content == oid::kP521) return parsed(KeyKind::kP521);
  ThrowBadKey("is on an elliptic curve that is not supported", kForms);
}

// RSAPrivateKey, RFC 8017 appendix A.1.2.
ParsedKey RsaKey(std::string_view bits) {
  der::Reader fields = der::Reader(bits).Enter(der::kSequence);
  fields.Expect(der::kInteger);
  if (fields.Expect(der::kInteger).content.size() > kMaxRsaModulusBytes + 1) {
    ThrowBadKey("is an RSA key of more than 8192 bits", kForms);
  }
  return Parsed(KeyKind::kRsa, "1.2.840.113549.1.1.1", der::Encode(der::kNull, ""), bits);
}

// ECPrivateKey with its curve inside, RFC 5915 section 3.
ParsedKey Sec1Key(std::string_view bits) {
  der::Reader fields = der::Reader(bits).Enter(der::kSequence);
  fields.Expect(der::kInteger);
  fields.Expect(der::kOctetString);
  if (!fields.NextIs(der::Constructed(0))) ThrowBadKey("does not say its elliptic curve", kForms);
  return EcKey(fields.Enter(der::Constructed(0)).Next(), bits);
}

// PrivateKeyInfo, RFC 5208 section 5 and RFC 5958.
ParsedKey Pkcs8Key(std::string_view bytes) {
  der::Reader fields = der::Reader(bytes).Enter(der::kSequence);
  fields.Expect(der::kInteger);
  der::Reader algorithm = fields.Enter(der::kSequence);
  const std::string_view bits = fields.Expect(der::kOctetString).content;
  const std::string_view name = algorithm.Expect(der::kOid).content;
  if (name == oid::kEc) return EcKey(algorithm.Next(), bits);
  if (name == oid::kRsa) return RsaKey(bits);
  if (name == oid::kEd25519) return Parsed(KeyKind::kEd25519, "1.3.101.112", "", bits);
  ThrowBadKey("is of a kind that is not supported", kForms);
}

using Form = ParsedKey (*)(std::string_view der);

Form FormOf(const std::string& label) {
  if (label == "PRIVATE KEY") return Pkcs8Key;
  if (label == "EC PRIVATE KEY") return Sec1Key;
  if (label == "RSA PRIVATE KEY") return RsaKey;
  ThrowBadKey(Cat("has the PEM label '", Printable(label, 40), "', which is not supported"),
              kForms);
}

// All three begin with a version; what follows tells them apart.
ParsedKey AnyForm(std::string_view der) {
  der::Reader fields = der::Reader(der).Enter(der::kSequence);
  fields.Expect(der::kInteger);
  if (fields.NextIs(der::kInteger)) return RsaKey(der);
  return fields.NextIs(der::kOctetString) ? Sec1Key(der) : Pkcs8Key(der);
}

ParsedKey ParseDer(std::string_view der, Form form) {
  if (der.size() > kMaxKeyBytes) ThrowBadKey("is too large to be one", kForms);
  try {
    der::Reader whole(der);
    whole.Expect(der::kSequence);
    whole.ExpectEnd();
    return form(der);
  } catch (const der::Malformed&) {
    ThrowBadKey("is damaged: its DER cannot be read", kForms);
  } catch (const Botan::Exception&) {
    ThrowBadKey("is damaged", kForms);
  }
}

ParsedKey ParseBlock(const PemBlock& block) { return ParseDer(block.der, FormOf(block.label)); }

std::vector<PemBlock> Split(const Secret& pem) {
  try {
    return SplitPem(pem.Reveal());
  } catch (const Error&) {
    ThrowBadKey("cannot be read: its PEM is damaged", kForms);
  }
}

// The blocks of a text with keys in it, wiped at the end.
struct KeyBlocks {
  explicit KeyBlocks(const Secret& pem) : all(Split(pem)) {}
  KeyBlocks(const KeyBlocks&) = delete;
  KeyBlocks& operator=(const KeyBlocks&) = delete;
  ~KeyBlocks() {
    for (PemBlock& block : all) {
      Botan::secure_scrub_memory(block.der.data(), block.der.size());
    }
  }

  std::vector<PemBlock> all;
};

}  // namespace

void ThrowBadKey(const std::string& what, const std::string& advice) {
  throw Error(FailureCode::kInput, "the private key " + what, advice);
}

ParsedKey ParseKeyPem(const Secret& pem) {
  // Both ways: the label of PKCS#8, and the header "Proc-Type: 4,ENCRYPTED" of the older forms.
  if (pem.Reveal().find("ENCRYPTED") != std::string::npos) {
    ThrowBadKey("is encrypted", "Take the passphrase off first: openssl pkey -in KEY -out PLAIN");
  }
  const KeyBlocks blocks(pem);
  const PemBlock* key = nullptr;
  for (const PemBlock& block : blocks.all) {
    if (!block.label.ends_with("PRIVATE KEY")) continue;
    if (key != nullptr) ThrowBadKey("is not alone: there is more than one", kForms);
    key = &block;
  }
  if (key == nullptr) ThrowBadKey("is missing: there is no PEM block of one", kForms);
  return ParseBlock(*key);
}

ParsedKey ParseKeyDer(const Secret& der) { return ParseDer(der.Reveal(), AnyForm); }

}  // namespace certwright::crypto
