#include "certwright/renewal/expiry.h"

#include <algorithm>
#include <vector>

#include "pace.h"

namespace certwright::renewal {
namespace {

struct Threshold {
  UnixSeconds at;
  std::string_view reason;
};

std::vector<Threshold> ThresholdsOf(const model::CertificateVersion& version) {
  const UnixSeconds end = Sane(version.not_after);
  const UnixSeconds start = std::min(Sane(version.not_before), end);
  const UnixSeconds lifetime = end - start;
  std::vector<Threshold> all = {
      {end - lifetime / 3, "third"}, {end - lifetime / 10, "tenth"}, {end - 3 * kDay, "days"}};
  std::erase_if(all, [&](const Threshold& threshold) { return threshold.at <= start; });
  std::stable_sort(all.begin(), all.end(),
                   [](const Threshold& a, const Threshold& b) { return a.at < b.at; });
  return all;
}

}  // namespace

ExpiryWarning WarnOf(const model::CertificateVersion& version, int failures, UnixSeconds now) {
  ExpiryWarning warning;
  warning.told = version.expiry_told;
  const bool renewed_in_time = version.origin == model::Origin::kAcme && failures <= 0;
  if (renewed_in_time || version.origin == model::Origin::kSelfSigned) return warning;
  int come_up = 0;
  for (const Threshold& threshold : ThresholdsOf(version)) {
    if (threshold.at > Sane(now)) {
      warning.next = threshold.at;
      break;
    }
    ++come_up;
    if (come_up > version.expiry_told) warning.reason = threshold.reason;
  }
  warning.told = std::max(come_up, version.expiry_told);
  return warning;
}

}  // namespace certwright::renewal
