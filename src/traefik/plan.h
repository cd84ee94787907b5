// What the store asks Traefik to serve: as much of it as does not grow with chains and keys.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "certwright/model/route.h"
#include "certwright/store/certificates.h"
#include "certwright/traefik/publisher.h"

namespace certwright::traefik {

struct Publisher::Plan {
  std::int64_t last_event = 0;  // of the store, when this was asked for
  std::vector<model::CertificateVersion> versions;  // in the order of the file; no chains, no keys
  // Left out: another certificate has the same names.
  std::vector<model::CertificateVersion> outranked;
  model::CertificateVersion self_signed;
  // Shown where no other fits: the one with the default names (no chain), else the self-signed pair.
  model::CertificateVersion default_version;
  std::vector<model::Route> routes;
  std::string generation;
  std::string text;             // of certwright.yml
  std::set<std::string> files;  // names of the PEM files in it
  std::vector<std::string> left_out;  // routes that could not be written, in words

  std::vector<model::Route> TakePassing(std::vector<model::Route> all);
};

inline constexpr char kFileName[] = "certwright.yml";

// What Traefik takes two certificates for one by: the names, lower case and sorted.
std::string TraefikKey(const model::CertificateVersion& version);
// Whether they have the same names and the first is the one that Traefik is given.
bool Outranks(const model::CertificateVersion& one, const model::CertificateVersion& other);

}  // namespace certwright::traefik
