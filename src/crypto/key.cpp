#include "certwright/crypto/key.h"

#include <botan/pk_algs.h>
#include <botan/pkcs8.h>
#include <botan/system_rng.h>

#include <utility>

#include "bytes.h"
#include "der.h"
#include "key_impl.h"
#include "key_parse.h"
#include "oids.h"

namespace certwright::crypto {
namespace {

struct Recipe {
  KeyKind kind;
  const char* algorithm;
  const char* parameters;
};

Recipe RecipeFor(model::KeyType type) {
  switch (type) {
    case model::KeyType::kEc256:
      return {KeyKind::kP256, "ECDSA", "secp256r1"};
    case model::KeyType::kEc384:
      return {KeyKind::kP384, "ECDSA", "secp384r1"};
    case model::KeyType::kRsa2048:
      return {KeyKind::kRsa, "RSA", "2048"};
    case model::KeyType::kRsa3072:
      return {KeyKind::kRsa, "RSA", "3072"};
    case model::KeyType::kRsa4096:
      return {KeyKind::kRsa, "RSA", "4096"};
  }
  throw Error(FailureCode::kInternal, "a key type that is not known");
}

const char* PaddingFor(KeyKind kind) {
  switch (kind) {
    case KeyKind::kP256:
      return "EMSA1(SHA-256)";
    case KeyKind::kP384:
      return "EMSA1(SHA-384)";
    case KeyKind::kP521:
      return "EMSA1(SHA-512)";
    case KeyKind::kRsa:
      return "EMSA3(SHA-256)";
    case KeyKind::kEd25519:
      return "Pure";
  }
  throw Error(FailureCode::kInternal, "a kind of key that is not known");
}

std::shared_ptr<const PrivateKey::Impl> MakeImpl(std::unique_ptr<Botan::Private_Key> key,
                                                 KeyKind kind) {
  auto impl = std::make_shared<PrivateKey::Impl>();
  impl->public_key_der = ToString(Botan::X509::BER_encode(*key));
  impl->key = std::move(key);
  impl->kind = kind;
  return impl;
}

std::unique_ptr<Botan::PK_Signer> TakeSigner(const PrivateKey::Impl& impl, SignatureForm form) {
  if (auto idle = impl.idle_signers.Acquire(); form == SignatureForm::kRaw && !idle->empty()) {
    std::unique_ptr<Botan::PK_Signer> signer = std::move(idle->back());
    idle->pop_back();
    return signer;
  }
  const bool is_ec = impl.kind != KeyKind::kRsa && impl.kind != KeyKind::kEd25519;
  return std::make_unique<Botan::PK_Signer>(
      *impl.key, Rng(), PaddingFor(impl.kind),
      is_ec && form == SignatureForm::kDer ? compat::kDerSignature : compat::kRawSignature);
}

}  // namespace

Botan::RandomNumberGenerator& Rng() { return Botan::system_rng(); }

PrivateKey PrivateKey::Generate(model::KeyType type) {
  const Recipe recipe = RecipeFor(type);
  return AtEdge(FailureCode::kInternal, "no private key could be made", [&] {
    return PrivateKey(MakeImpl(
        Botan::create_private_key(recipe.algorithm, Rng(), recipe.parameters), recipe.kind));
  });
}

PrivateKey PrivateKey::FromPem(const Secret& pem) { return FromParsed(ParseKeyPem(pem)); }

PrivateKey PrivateKey::FromDer(const Secret& der) { return FromParsed(ParseKeyDer(der)); }

PrivateKey PrivateKey::FromJwk(const std::map<std::string, Secret>& members) {
  return FromParsed(ParseJwk(members));
}

std::optional<model::KeyType> PrivateKey::Type() const {
  switch (impl_->kind) {
    case KeyKind::kP256: return model::KeyType::kEc256;
    case KeyKind::kP384: return model::KeyType::kEc384;
    case KeyKind::kRsa: break;
    case KeyKind::kP521:
    case KeyKind::kEd25519: return std::nullopt;
  }
  switch (impl_->key->key_length()) {
    case 2048: return model::KeyType::kRsa2048;
    case 3072: return model::KeyType::kRsa3072;
    case 4096: return model::KeyType::kRsa4096;
    default: return std::nullopt;
  }
}

PrivateKey PrivateKey::FromParsed(const ParsedKey& parsed) {
  try {
    auto key = Botan::load_private_key(parsed.algorithm, parsed.bits);
    // A thorough check would cost RSA a second of prime tests; of the others it only has to find a
    // public part that belongs to another key.
    const bool thorough = parsed.kind == KeyKind::kEd25519;
    if (key->check_key(Rng(), thorough) && compat::PublicPartBelongs(*key, Rng())) {
      return PrivateKey(MakeImpl(std::move(key), parsed.kind));
    }
  } catch (const Botan::Exception&) {
    // Botan's words may tell of the content: they go no further.
  }
  ThrowBadKey("is damaged: its numbers do not belong together");
}

Secret PrivateKey::ToPkcs8Pem() const {
  return AtEdge(FailureCode::kInternal, "the private key could not be written",
                [&] { return Secret(Botan::PKCS8::PEM_encode(*impl_->key)); });
}

std::string PrivateKey::PublicKeyDer() const { return impl_->public_key_der; }

std::string Sign(const PrivateKey& key, std::string_view message, SignatureForm form) {
  const PrivateKey::Impl& impl = key.impl();
  return AtEdge(FailureCode::kInternal, "nothing could be signed", [&] {
    std::unique_ptr<Botan::PK_Signer> signer = TakeSigner(impl, form);
    std::string signature = ToString(signer->sign_message(Data(message), message.size(), Rng()));
    if (form == SignatureForm::kRaw) impl.idle_signers.Acquire()->push_back(std::move(signer));
    return signature;
  });
}

std::string SignatureAlgorithm(KeyKind kind) {
  switch (kind) {
    case KeyKind::kP256:
      return der::Sequence({der::Oid(oid::kEcdsaSha256)});
    case KeyKind::kP384:
      return der::Sequence({der::Oid(oid::kEcdsaSha384)});
    case KeyKind::kP521:
      return der::Sequence({der::Oid(oid::kEcdsaSha512)});
    case KeyKind::kRsa:  // RFC 4055 section 5: the parameters are NULL, not absent
      return der::Sequence({der::Oid(oid::kRsaSha256), der::Encode(der::kNull, "")});
    case KeyKind::kEd25519:
      return der::Sequence({der::Oid(oid::kEd25519)});
  }
  throw Error(FailureCode::kInternal, "a kind of key that is not known");
}

}  // namespace certwright::crypto
