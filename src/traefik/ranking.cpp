#include "ranking.h"

#include <algorithm>
#include <tuple>

#include "certwright/base/text.h"

namespace certwright::traefik {
namespace {

auto RankOf(const model::CertificateVersion& version, UnixSeconds now) {
  return std::tuple(!model::IsValidAt(version, now), version.origin != model::Origin::kUpload,
                    -version.not_after, version.certificate_id);
}

// When its validity changes next.
UnixSeconds NextDate(const model::CertificateVersion& version, UnixSeconds now) {
  if (version.not_before > now) return version.not_before;
  return version.not_after > now ? version.not_after : kNever;
}

}  // namespace

std::string TraefikKey(std::vector<std::string> names) {
  for (auto& name : names) name = ToLower(name);
  std::sort(names.begin(), names.end());
  return Join(names, ",");
}

std::string TraefikKey(const model::CertificateVersion& version) {
  return TraefikKey(model::Names(version.names));
}

bool Outranks(const model::CertificateVersion& one, const model::CertificateVersion& other,
              UnixSeconds now) {
  return TraefikKey(one) == TraefikKey(other) && RankOf(one, now) < RankOf(other, now);
}

Ranking RankVersions(std::vector<model::CertificateVersion> versions, UnixSeconds now) {
  struct Entry {
    std::string key;
    model::CertificateVersion* version;
  };
  std::vector<Entry> entries;
  entries.reserve(versions.size());
  for (auto& version : versions) entries.push_back({TraefikKey(version), &version});
  std::sort(entries.begin(), entries.end(), [now](const Entry& a, const Entry& b) {
    return a.key != b.key ? a.key < b.key : RankOf(*a.version, now) < RankOf(*b.version, now);
  });
  Ranking ranking;
  for (auto& [key, version] : entries) {
    if (!ranking.keys.empty() && ranking.keys.back() == key) {
      ranking.until = std::min(
          {ranking.until, NextDate(ranking.firsts.back(), now), NextDate(*version, now)});
      ranking.outranked.push_back(std::move(*version));
    } else {
      ranking.keys.push_back(std::move(key));
      ranking.firsts.push_back(std::move(*version));
    }
  }
  return ranking;
}

}  // namespace certwright::traefik
