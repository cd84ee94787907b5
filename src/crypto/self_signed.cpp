#include <botan/rng.h>

#include "bytes.h"
#include "certwright/base/encoding.h"
#include "certwright/crypto/certificate.h"
#include "der.h"
#include "distinguished_name.h"
#include "key_impl.h"
#include "names.h"
#include "oids.h"
#include "x509_time.h"

namespace certwright::crypto {
namespace {

// RFC 5280 appendix A.1, ub-common-name.
constexpr std::size_t kMaxCommonName = 64;

std::string Extension(std::string_view id, bool is_critical, std::string_view value) {
  return der::Sequence({der::Oid(id),
                        is_critical ? der::Encode(der::kBoolean, "\xff") : std::string(),
                        der::Encode(der::kOctetString, value)});
}

// 127 random bits, positive and never with a superfluous octet.
std::string SerialInteger() {
  std::string serial(16, '\0');
  AtEdge(FailureCode::kInternal, "no random serial number could be made", [&] {
    Rng().randomize(reinterpret_cast<std::uint8_t*>(serial.data()), serial.size());
  });
  serial[0] = static_cast<char>((serial[0] & 0x3f) | 0x40);
  return der::Encode(der::kInteger, serial);
}

std::string Extensions(const PrivateKey& key, const std::vector<model::Identifier>& identifiers) {
  const std::string key_id =
      der::Encode(der::kOctetString, Sha256(key.PublicKeyDer()).substr(0, 20));
  return der::Sequence({
      SubjectAltNameExtension(identifiers),
      Extension(oid::kBasicConstraints, true, der::Sequence({})),
      // digitalSignature: bit 0 of eight, seven unused.
      Extension(oid::kKeyUsage, true, der::Encode(der::kBitString, "\x07\x80")),
      Extension(oid::kExtendedKeyUsage, false, der::Sequence({der::Oid(oid::kServerAuth)})),
      Extension(oid::kSubjectKeyId, false, key_id),
  });
}

}  // namespace

model::CertificateVersion SelfSigned(const std::vector<model::Identifier>& identifiers,
                                     UnixSeconds not_before, UnixSeconds not_after) {
  return SelfSigned(PrivateKey::Generate(model::KeyType::kEc256), identifiers, not_before,
                    not_after);
}

model::CertificateVersion SelfSigned(const PrivateKey& key,
                                     const std::vector<model::Identifier>& identifiers,
                                     UnixSeconds not_before, UnixSeconds not_after) {
  const std::string first = identifiers.empty() ? "" : identifiers.front().value;
  const std::string name = CommonNameDer(
      first.empty() || first.size() > kMaxCommonName ? "self-signed certificate" : first);
  const std::string algorithm = SignatureAlgorithm(key.impl().kind);
  const std::string to_be_signed = der::Sequence({
      der::Encode(der::Constructed(0), der::Encode(der::kInteger, "\x02")),  // version 3
      SerialInteger(),
      algorithm,
      name,
      der::Sequence({EncodeX509Time(not_before), EncodeX509Time(not_after)}),
      name,
      key.PublicKeyDer(),
      der::Encode(der::Constructed(3), Extensions(key, identifiers)),
  });
  const CertificateInfo info = Inspect(
      der::Sequence({to_be_signed, algorithm,
                     der::BitString(Sign(key, to_be_signed, SignatureForm::kDer))}));

  model::CertificateVersion version;
  version.chain_pem = ToPem("CERTIFICATE", info.der);
  version.key_pem = key.ToPkcs8Pem();
  version.serial_hex = info.serial_hex;
  version.fingerprint = info.fingerprint;
  version.subject = info.common_name;
  version.issuer = info.issuer;
  version.names = info.names;
  version.not_before = info.not_before;
  version.not_after = info.not_after;
  version.origin = model::Origin::kSelfSigned;
  version.created_at = not_before;
  return version;
}

}  // namespace certwright::crypto
