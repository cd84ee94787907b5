#include "certwright/export/self_signed.h"

#include "certwright/base/clock.h"
#include "certwright/crypto/certificate.h"

namespace certwright::exports {
namespace {

model::CertificateVersion Make(const std::string& name, const crypto::PrivateKey& key) {
  constexpr UnixSeconds kHour = 3600;
  const UnixSeconds now = SystemClock().Now();
  return crypto::SelfSigned(key, {model::ParseIdentifier(name)}, now - kHour,
                            now + 365 * 24 * kHour);
}

}  // namespace

model::CertificateVersion SelfSignedFor(const std::string& name) {
  return Make(name, crypto::PrivateKey::Generate(model::KeyType::kEc256));
}

model::CertificateVersion SelfSignedFor(const std::string& name, const Secret& key_pem) {
  return Make(name, crypto::PrivateKey::FromPem(key_pem));
}

}  // namespace certwright::exports
