// Pairs that an owner uploads: what trusts them, and what becomes of them.
#include <botan/certstor.h>
#include <botan/certstor_system.h>
#include <botan/data_src.h>
#include <botan/x509cert.h>
#include <botan/x509path.h>

#include <algorithm>
#include <chrono>

#include "bytes.h"
#include "certwright/base/encoding.h"
#include "chain.h"

namespace certwright::crypto {
namespace {

// RSA of 2048 bits, in Botan's reckoning.
constexpr std::size_t kMinStrength = 110;
constexpr std::size_t kMaxRoots = 1000;

Botan::X509_Certificate BotanCertificate(const std::string& der) {
  Botan::DataSource_Memory source(ToVector(der));
  return Botan::X509_Certificate(source);
}

bool IsSelfIssued(const CertificateInfo& certificate) {
  return certificate.subject == certificate.issuer && IsSignedBy(certificate, certificate);
}

std::string Quoted(const CertificateInfo& certificate) {
  return Cat("'", Printable(certificate.subject, 80), "'");
}

// The CN where it is a name, or where it is the only one.
std::vector<model::Identifier> WithCommonName(std::vector<model::Identifier> names,
                                              const std::string& common_name) {
  if (common_name.empty()) return names;
  try {
    names.push_back(model::ParseIdentifier(common_name));
  } catch (const Error&) {
    if (!names.empty()) return names;
    names.push_back({model::IdentifierType::kDns, ToLower(Printable(common_name, 253))});
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

std::string LabelOf(const CertificateInfo& leaf) {
  return leaf.common_name.empty() ? leaf.names.front().value : Printable(leaf.common_name, 253);
}

std::string WhyUntrusted(const std::vector<CertificateInfo>& chain, std::string_view more_roots,
                         UnixSeconds now) {
  for (const CertificateInfo& certificate : chain) {
    if (!IsSupportedKey(certificate.public_key_der)) {
      return Cat(Quoted(certificate), " has a key of a kind that is not supported");
    }
  }
  return AtEdge(FailureCode::kInternal, "the chain could not be checked", [&]() -> std::string {
    Botan::Certificate_Store_In_Memory more;
    for (const PemBlock& block : SplitPem(more_roots, kMaxRoots)) {
      if (block.label == "CERTIFICATE") more.add_certificate(BotanCertificate(block.der));
    }
    Botan::System_Certificate_Store system;
    std::vector<Botan::X509_Certificate> certificates;
    for (const CertificateInfo& one : chain) certificates.push_back(BotanCertificate(one.der));
    const Botan::Path_Validation_Result result = Botan::x509_path_validate(
        certificates, Botan::Path_Validation_Restrictions(false, kMinStrength),
        std::vector<Botan::Certificate_Store*>{&system, &more}, "",
        Botan::Usage_Type::TLS_SERVER_AUTH, std::chrono::system_clock::from_time_t(now));
    return result.successful_validation() ? "" : result.result_string();
  });
}

std::string WhyNotSelfSigned(const std::vector<CertificateInfo>& chain, UnixSeconds now) {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const CertificateInfo& certificate = chain[i];
    if (now < certificate.not_before || now > certificate.not_after) {
      return Cat(Quoted(certificate), " is valid from ", FormatUtc(certificate.not_before), " to ",
                 FormatUtc(certificate.not_after));
    }
    if (IsSelfIssued(certificate)) return "";
    const bool is_signed = i + 1 < chain.size() && chain[i + 1].is_ca &&
                           IsSignedBy(certificate, chain[i + 1]);
    if (!is_signed) return Cat(Quoted(certificate), " is signed neither by itself nor by the next");
  }
  return "there is no certificate";
}

model::CertificateVersion UploadedVersion(std::string_view chain_pem, const PrivateKey& key,
                                          UnixSeconds now) {
  const std::vector<ParsedCertificate> chain =
      ReadChain(chain_pem, FailureCode::kInput, "the certificate chain", "");
  model::CertificateVersion version = VersionOf(chain, key, now);
  version.names = WithCommonName(version.names, chain.front().info.common_name);
  version.origin = model::Origin::kUpload;
  return version;
}

}  // namespace certwright::crypto
