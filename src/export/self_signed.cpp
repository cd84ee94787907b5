#include "certwright/export/self_signed.h"

#include "certwright/base/clock.h"
#include "certwright/crypto/certificate.h"

namespace certwright::exports {

model::CertificateVersion SelfSignedFor(const std::string& name) {
  constexpr UnixSeconds kHour = 3600;
  const UnixSeconds now = SystemClock().Now();
  return crypto::SelfSigned({model::ParseIdentifier(name)}, now - kHour, now + 365 * 24 * kHour);
}

}  // namespace certwright::exports
