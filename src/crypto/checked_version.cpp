#include <algorithm>
#include <iterator>

#include "certwright/base/encoding.h"
#include "certwright/base/text.h"
#include "chain.h"
#include "names.h"

namespace certwright::crypto {
namespace {

// CAs backdate; what begins in the future was made by a clock that differs from ours.
constexpr UnixSeconds kMaxClockSkew = 3600;

const char* const kAdvice =
    "Nothing was stored and the certificate in use stays. Ask the operator of the CA, or choose "
    "another CA with acme.directory.";
const char* const kClockAdvice =
    "Check this machine's date and time. If they are right, ask the operator of the CA.";

// Where the pair came from, in the words that tell what is wrong with it.
struct Source {
  FailureCode code;
  const char* what;   // before "certificate ..."
  const char* owner;  // whose key it should have
  const char* advice;
  const char* clock_advice;
};
constexpr Source kCa{FailureCode::kProtocol, "the CA sent a", "ours", kAdvice, kClockAdvice};
constexpr Source kKept{FailureCode::kInput, "there is a", "that beside it", "", ""};

[[noreturn]] void Refuse(const Source& source, const std::string& what, const char* advice) {
  throw Error(source.code, Cat(source.what, " certificate ", what), advice);
}
[[noreturn]] void Refuse(const Source& source, const std::string& what) {
  Refuse(source, what, source.advice);
}

std::string Listed(const std::vector<model::Identifier>& names) {
  constexpr std::size_t kShown = 5;
  std::vector<std::string> texts;
  for (const model::Identifier& name : names) {
    if (texts.size() == kShown) {
      texts.push_back(Cat(names.size() - kShown, " more"));
      break;
    }
    texts.push_back(Printable(name.value));
  }
  return Join(texts, ", ");
}

// Exactly the identifiers asked for (RFC 8555 section 7.4), compared as sets.
void CheckNames(const Source& source, const ParsedCertificate& leaf,
                const std::vector<model::Identifier>& asked) {
  const std::vector<model::Identifier>& found = leaf.info.names;
  std::vector<model::Identifier> missing;
  std::vector<model::Identifier> unasked;
  std::set_difference(asked.begin(), asked.end(), found.begin(), found.end(),
                      std::back_inserter(missing));
  std::set_difference(found.begin(), found.end(), asked.begin(), asked.end(),
                      std::back_inserter(unasked));
  if (!missing.empty() && !unasked.empty()) {
    Refuse(source, Cat("for other names than asked: ", Listed(missing), " missing, ",
                       Listed(unasked), " not asked for"));
  }
  if (!missing.empty()) Refuse(source, "that lacks names asked for: " + Listed(missing));
  if (!unasked.empty()) Refuse(source, "with names that were not asked for: " + Listed(unasked));
  if (leaf.has_other_names) {
    Refuse(source,
           "with a name that was not asked for (it is neither a host name nor an IP address)");
  }
}

void CheckTimes(const Source& source, const CertificateInfo& leaf, UnixSeconds now) {
  if (leaf.not_after < leaf.not_before) Refuse(source, "that ends before it begins");
  if (now > leaf.not_after) {
    Refuse(source, "that expired at " + FormatUtc(leaf.not_after), source.clock_advice);
  }
  if (leaf.not_before > now + kMaxClockSkew) {
    Refuse(source, "that is not valid before " + FormatUtc(leaf.not_before), source.clock_advice);
  }
}

// Each certificate is issued by the next one. Up to which root the CA sends them is its choice.
void CheckOrder(const Source& source, const std::vector<ParsedCertificate>& chain) {
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    const ParsedCertificate& certificate = chain[i];
    const ParsedCertificate& issuer = chain[i + 1];
    const std::string pair = Cat("chain whose certificate ", i + 1, " (",
                                 Printable(certificate.info.subject, 80), ") ");
    // RFC 5280 section 4.1.2.6: the issuer's name is encoded as in what it issued.
    if (certificate.issuer_der != issuer.subject_der) {
      Refuse(source, Cat(pair, "was issued by ", certificate.info.issuer, " but the next one is ",
                         issuer.info.subject));
    }
    if (!issuer.info.is_ca) Refuse(source, Cat(pair, "is followed by one that is no CA"));
    if (!IsSignedBy(certificate.info, issuer.info)) {
      Refuse(source, Cat(pair, "is not signed by the key of the next one"));
    }
  }
}

}  // namespace

model::CertificateVersion VersionOf(const std::vector<ParsedCertificate>& chain,
                                    const PrivateKey& key, UnixSeconds now) {
  const CertificateInfo& leaf = chain.front().info;
  model::CertificateVersion version;
  for (const ParsedCertificate& certificate : chain) {
    version.chain_pem += ToPem("CERTIFICATE", certificate.info.der);
  }
  version.key_pem = key.ToPkcs8Pem();
  version.serial_hex = leaf.serial_hex;
  version.fingerprint = leaf.fingerprint;
  version.subject = leaf.common_name.empty() ? leaf.subject : leaf.common_name;
  version.issuer = leaf.issuer;
  version.names = leaf.names;
  version.not_before = leaf.not_before;
  version.not_after = leaf.not_after;
  version.ari_id = AriId(leaf);
  version.created_at = now;
  return version;
}

namespace {

// `names` null: those of the leaf, whichever they are.
model::CertificateVersion Checked(const Source& source, std::string_view chain_pem,
                                  const Secret& key_pem,
                                  const std::vector<model::Identifier>* names, UnixSeconds now) {
  const PrivateKey key = PrivateKey::FromPem(key_pem);
  const std::vector<ParsedCertificate> chain = ReadChain(
      chain_pem, source.code, Cat(source.what, " certificate chain that"), source.advice);
  const ParsedCertificate& leaf = chain.front();

  if (leaf.info.public_key_der != key.PublicKeyDer()) {
    Refuse(source, Cat("with another key than ", source.owner));
  }
  if (leaf.info.is_ca) Refuse(source, "that is itself a CA's (basicConstraints)");
  if (names == nullptr && leaf.info.names.empty()) {
    Refuse(source, "without a host name or IP address (subjectAltName)");
  }
  CheckNames(source, leaf, names != nullptr ? Canonical(*names) : leaf.info.names);
  CheckTimes(source, leaf.info, now);
  CheckOrder(source, chain);
  return VersionOf(chain, key, now);
}

}  // namespace

model::CertificateVersion CheckedVersion(std::string_view chain_pem, const Secret& key_pem,
                                         const std::vector<model::Identifier>& identifiers,
                                         UnixSeconds now) {
  return Checked(kCa, chain_pem, key_pem, &identifiers, now);
}

model::CertificateVersion KeptVersion(std::string_view chain_pem, const Secret& key_pem,
                                      UnixSeconds now) {
  return Checked(kKept, chain_pem, key_pem, nullptr, now);
}

}  // namespace certwright::crypto
