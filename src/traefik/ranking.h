// Of several certificates with the same names Traefik would take one: it is given the first.
#pragma once

#include <string>
#include <vector>

#include "certwright/model/certificate.h"

namespace certwright::traefik {

// What Traefik takes two certificates for one by: the names, lower case and sorted.
std::string TraefikKey(std::vector<std::string> names);
std::string TraefikKey(const model::CertificateVersion& version);

// Whether they have the same names and the first is the one that Traefik is given: an upload before
// one of a CA, as get-certificate ranks them, and then the one that is valid longer.
bool Outranks(const model::CertificateVersion& one, const model::CertificateVersion& other);

struct Ranking {
  std::vector<model::CertificateVersion> firsts;  // in the order of `keys`
  std::vector<std::string> keys;                  // of the firsts, sorted
  std::vector<model::CertificateVersion> outranked;
};
Ranking RankVersions(std::vector<model::CertificateVersion> versions);

}  // namespace certwright::traefik
