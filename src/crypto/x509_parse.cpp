#include "x509_parse.h"

#include <algorithm>
#include <set>

#include "certwright/base/encoding.h"
#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "der.h"
#include "distinguished_name.h"
#include "names.h"
#include "oids.h"
#include "x509_time.h"

namespace certwright::crypto {
namespace {

// RFC 5280 section 4.1.2.2 allows 20; a few private CAs use more.
constexpr std::size_t kMaxSerialOctets = 64;

[[noreturn]] void Bad(const char* what) { throw Error(FailureCode::kInput, what); }

// The content octets of the INTEGER; DER has no superfluous leading octet (X.690 section 8.3.2).
std::string_view Serial(const der::Value& integer) {
  const std::string_view octets = integer.content;
  if (octets.empty() || octets.size() > kMaxSerialOctets) Bad("its serial number is not usable");
  if (octets.size() > 1 && ((octets[0] == 0 && !(octets[1] & 0x80)) ||
                            (octets[0] == '\xff' && (octets[1] & 0x80)))) {
    Bad("its serial number is not DER");
  }
  return octets;
}

bool IsCa(std::string_view basic_constraints) {
  der::Reader fields = der::Reader(basic_constraints).Enter(der::kSequence);
  const auto ca = fields.Optional(der::kBoolean);
  return ca && ca->content != std::string_view("\0", 1);
}

std::string KeyId(std::string_view authority_key_identifier) {
  der::Reader fields = der::Reader(authority_key_identifier).Enter(der::kSequence);
  const auto id = fields.Optional(der::Primitive(0));
  return id ? std::string(id->content) : "";
}

void ReadExtension(ParsedCertificate& certificate, std::string_view id, std::string_view value) {
  if (id == oid::kBasicConstraints) {
    certificate.info.is_ca = IsCa(value);
  } else if (id == oid::kAuthorityKeyId) {
    certificate.info.authority_key_id = KeyId(value);
  } else if (id == oid::kSubjectAltName) {
    GeneralNames names = ParseGeneralNames(value);
    certificate.info.names = std::move(names.names);
    certificate.has_alt_names = true;
    certificate.has_other_names = names.has_others;
  }
}

void ReadExtensions(ParsedCertificate& certificate, der::Reader extensions) {
  std::set<std::string_view> seen;
  while (!extensions.AtEnd()) {
    der::Reader extension = extensions.Enter(der::kSequence);
    const std::string_view id = extension.Expect(der::kOid).content;
    extension.Optional(der::kBoolean);
    const std::string_view value = extension.Expect(der::kOctetString).content;
    // RFC 5280 section 4.2; two readers could choose different ones.
    if (!seen.insert(id).second) Bad("it has the same extension twice");
    ReadExtension(certificate, id, value);
  }
}

// `algorithm` is the one beside the signature; the signed one must be the same (RFC 5280 section
// 4.1.1.2), or somebody changed what the signature does not cover.
ParsedCertificate ParseToBeSigned(der::Reader fields, std::string_view algorithm) {
  ParsedCertificate certificate;
  CertificateInfo& info = certificate.info;
  fields.Optional(der::Constructed(0));  // version
  const std::string_view serial = Serial(fields.Expect(der::kInteger));
  info.serial_hex = Hex(serial);
  info.serial_decimal = DecimalOfInteger(serial);
  if (fields.Expect(der::kSequence).whole != algorithm) Bad("it has two signature algorithms");
  certificate.issuer_der = fields.Expect(der::kSequence).whole;
  der::Reader validity = fields.Enter(der::kSequence);
  info.not_before = ParseX509Time(validity.Next());
  info.not_after = ParseX509Time(validity.Next());
  certificate.subject_der = fields.Expect(der::kSequence).whole;
  info.public_key_der = fields.Expect(der::kSequence).whole;
  fields.Optional(der::Primitive(1));  // unique identifiers, of X.509 version 2
  fields.Optional(der::Primitive(2));
  if (fields.NextIs(der::Constructed(3))) {
    ReadExtensions(certificate, fields.Enter(der::Constructed(3)).Enter(der::kSequence));
  }
  fields.ExpectEnd();
  return certificate;
}

}  // namespace

ParsedCertificate ParseCertificate(std::string_view bytes) {
  der::Reader whole(bytes);
  der::Reader outer = whole.Enter(der::kSequence);
  whole.ExpectEnd();
  const der::Reader to_be_signed = outer.Enter(der::kSequence);
  const std::string_view algorithm = outer.Expect(der::kSequence).whole;
  der::BitStringOctets(outer.Expect(der::kBitString));
  outer.ExpectEnd();
  ParsedCertificate certificate = ParseToBeSigned(to_be_signed, algorithm);

  CertificateInfo& info = certificate.info;
  info.der = bytes;
  info.fingerprint = Hex(Sha256(bytes));
  const DistinguishedName subject = ParseName(certificate.subject_der);
  const DistinguishedName issuer = ParseName(certificate.issuer_der);
  info.subject = subject.text;
  info.common_name = subject.common_name;
  info.issuer = issuer.text;
  info.issuer_common_name = issuer.common_name;
  return certificate;
}

CertificateInfo Inspect(std::string_view bytes) {
  try {
    return ParseCertificate(bytes).info;
  } catch (const Error& error) {
    throw Error(FailureCode::kInput,
                Cat("these bytes are not an X.509 certificate: ", error.failure().detail));
  }
}

}  // namespace certwright::crypto
