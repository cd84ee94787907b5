#include "chain.h"

#include <botan/data_src.h>
#include <botan/x509cert.h>

#include <algorithm>

#include "botan_compat.h"
#include "bytes.h"
#include "certwright/base/encoding.h"
#include "der.h"
#include "oids.h"

namespace certwright::crypto {
namespace {

constexpr std::size_t kMaxChainBytes = 1 << 20;
constexpr std::size_t kMaxCertificates = 10;
constexpr std::size_t kMaxRsaModulusBytes = 1024;

std::size_t CountBlocks(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  std::size_t count = 0;
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos;
       at = text.find(kBegin, at + kBegin.size())) {
    ++count;
  }
  return count;
}

bool LooksLikeHtml(std::string_view text) {
  const std::string start = ToLower(Trim(text.substr(0, 512)));
  return start.starts_with("<!doctype") || start.find("<html") != std::string::npos;
}

// What keeps the text from being a chain, or "".
std::string WrongWithText(std::string_view text) {
  if (Trim(text).empty()) return "is empty";
  if (text.size() > kMaxChainBytes) return "has more than 1 MiB";
  const std::size_t blocks = CountBlocks(text);
  if (blocks == 0) {
    return LooksLikeHtml(text) ? "is an HTML page" : "is no PEM text: it has no certificate in it";
  }
  if (blocks > kMaxCertificates) return Cat("has more than ", kMaxCertificates, " certificates");
  return "";
}

std::string WrongWithBlock(const PemBlock& block) {
  if (block.label == "CERTIFICATE") return "";
  if (block.label.ends_with("PRIVATE KEY")) return "has a private key in it";
  return Cat("has a PEM block in it that is no certificate: '", Printable(block.label, 40), "'");
}

}  // namespace

// The price of explicit curve parameters is the sender's to set (CVE-2024-34703).
bool IsSupportedKey(std::string_view public_key_der) {
  try {
    der::Reader fields = der::Reader(public_key_der).Enter(der::kSequence);
    der::Reader algorithm = fields.Enter(der::kSequence);
    const std::string_view name = algorithm.Expect(der::kOid).content;
    if (name == oid::kEd25519) return true;
    if (name == oid::kEc) {
      const der::Value curve = algorithm.Next();
      return curve.tag == der::kOid &&
             (curve.content == oid::kP256 || curve.content == oid::kP384 ||
              curve.content == oid::kP521);
    }
    if (name != oid::kRsa) return false;
    der::Reader key = der::Reader(der::BitStringOctets(fields.Next())).Enter(der::kSequence);
    return key.Expect(der::kInteger).content.size() <= kMaxRsaModulusBytes + 1 &&
           key.Expect(der::kInteger).content.size() <= 8;
  } catch (const Error&) {
    return false;
  }
}

std::vector<ParsedCertificate> ReadChain(std::string_view pem, FailureCode code,
                                         std::string_view subject, const std::string& advice) {
  const auto fail = [&](const std::string& what) {
    throw Error(code, Cat(subject, " ", what), advice);
  };
  if (const std::string wrong = WrongWithText(pem); !wrong.empty()) fail(wrong);
  std::vector<PemBlock> blocks;
  try {
    blocks = SplitPem(pem, kMaxCertificates);
  } catch (const Error&) {
    fail("is damaged: its PEM cannot be read");
  }
  std::vector<ParsedCertificate> chain;
  for (PemBlock& block : blocks) {
    if (block.label.ends_with("PRIVATE KEY")) {
      Botan::secure_scrub_memory(block.der.data(), block.der.size());
    }
    if (const std::string wrong = WrongWithBlock(block); !wrong.empty()) fail(wrong);
    try {
      chain.push_back(ParseCertificate(block.der));
    } catch (const Error& error) {
      fail(Cat("has a block in it (number ", chain.size() + 1, ") that is no certificate: ",
               error.failure().detail));
    }
  }
  if (chain.empty()) fail("has no certificate in it");
  return chain;
}

bool IsSignedBy(const CertificateInfo& certificate, const CertificateInfo& issuer) {
  if (!IsSupportedKey(certificate.public_key_der) || !IsSupportedKey(issuer.public_key_der)) {
    return false;
  }
  try {
    Botan::DataSource_Memory source(ToVector(certificate.der));
    const Botan::X509_Certificate signed_one(source);
    return signed_one.check_signature(*compat::LoadPublicKey(ToVector(issuer.public_key_der)));
  } catch (const Botan::Exception&) {
    return false;
  }
}

std::vector<CertificateInfo> InspectChain(std::string_view pem) {
  std::vector<ParsedCertificate> parsed =
      ReadChain(pem, FailureCode::kInput, "the certificate chain",
                "Give the certificates in PEM, the leaf first and the key in a file of its own.");
  std::vector<CertificateInfo> chain;
  for (ParsedCertificate& certificate : parsed) chain.push_back(std::move(certificate.info));
  return chain;
}

bool ChainHasIssuer(const std::vector<CertificateInfo>& chain, std::string_view common_name) {
  return std::any_of(chain.rbegin(), chain.rend(), [&](const CertificateInfo& certificate) {
    return certificate.issuer_common_name == common_name;
  });
}

std::string AriId(const CertificateInfo& leaf) {
  if (leaf.authority_key_id.empty()) return "";
  return Cat(Base64Url(leaf.authority_key_id), ".",
             Base64Url(FromHex(leaf.serial_hex).value_or("")));
}

}  // namespace certwright::crypto
