// Of several certificates with the same names Traefik would take one: it is given the first.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "certwright/model/certificate.h"

namespace certwright::traefik {

// What Traefik takes two certificates for one by: the names, lower case and sorted.
std::string TraefikKey(std::vector<std::string> names);
std::string TraefikKey(const model::CertificateVersion& version);

// Whether they have the same names and the first is the one that Traefik is given at `now`: what is
// valid by its dates, of those an upload before one of a CA, as get-certificate ranks them, and then
// the one that is valid longer.
bool Outranks(const model::CertificateVersion& one, const model::CertificateVersion& other,
              UnixSeconds now);

inline constexpr UnixSeconds kNever = std::numeric_limits<UnixSeconds>::max();

struct Ranking {
  std::vector<model::CertificateVersion> firsts;  // in the order of `keys`
  std::vector<std::string> keys;                  // of the firsts, sorted
  std::vector<model::CertificateVersion> outranked;
  UnixSeconds until = kNever;  // when a date of two with the same names passes: rank again then
};
Ranking RankVersions(std::vector<model::CertificateVersion> versions, UnixSeconds now);

}  // namespace certwright::traefik
