#include <algorithm>

#include "certwright/store/certificates.h"
#include "certwright/store/settings.h"

namespace certwright::store {

namespace {

// contract.md, get-certificate.
int Score(const HeldCertificate& held, const std::string& wildcard, const std::string& default_set,
          UnixSeconds now) {
  const model::CertificateVersion& version = *held.current;
  int score = version.origin == model::Origin::kUpload ? 20 : 10;
  const bool by_wildcard =
      std::any_of(version.names.begin(), version.names.end(),
                  [&](const model::Identifier& name) { return name.value == wildcard; });
  if (by_wildcard) {
    score += 5;
  } else if (held.certificate.name_set == default_set) {
    score += 2;
  }
  return model::IsValidAt(version, now) ? score + 100 : score;
}

}  // namespace

std::vector<HeldCertificate> FindRanked(Session& session, const std::string& host,
                                        UnixSeconds now) {
  std::vector<HeldCertificate> found = FindCovering(session, host);
  const std::string wildcard = model::WildcardFor(host);
  const std::string default_set = DefaultNameSet(session);
  std::stable_sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
    return Score(a, wildcard, default_set, now) > Score(b, wildcard, default_set, now);
  });
  return found;
}

}  // namespace certwright::store
