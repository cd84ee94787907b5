// What the store asks Traefik to serve.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "certwright/model/route.h"
#include "certwright/store/certificates.h"
#include "certwright/traefik/publisher.h"

namespace certwright::traefik {

struct Publisher::Plan {
  std::vector<model::CertificateVersion> versions;  // in the order of the file
  model::CertificateVersion self_signed;
  std::string generation;
  std::string text;             // of certwright.yml
  std::set<std::string> files;  // names of the PEM files in it
  std::vector<std::string> left_out;  // routes that could not be written, in words

  std::vector<model::Route> TakePassing(std::vector<model::Route> all);
};

inline constexpr char kFileName[] = "certwright.yml";

// What Traefik takes two certificates for one by: the names, lower case and sorted.
std::string TraefikKey(const model::CertificateVersion& version);

}  // namespace certwright::traefik
