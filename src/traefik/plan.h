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
  // Of two with the same names the order is this one between these times.
  UnixSeconds ranked_at = 0, ranked_until = 0;
  // In the order of the file; no chains, no keys.
  std::vector<model::CertificateVersion> versions;
  // Left out: another certificate has the same names.
  std::vector<model::CertificateVersion> outranked;
  model::CertificateVersion self_signed;
  // Shown where no other fits: the one with the default names (no chain), else the self-signed pair.
  model::CertificateVersion default_version;
  std::vector<model::Route> routes;
  std::string default_key;  // TraefikKey of the default names
  int forwarded_depth = 0;
  std::string generation;
  std::string text;             // of certwright.yml
  std::vector<std::string> left_out;  // routes that could not be written, in words

  // Fills in what the store says.
  void Read(store::Session& session);
  void TakeRoutes(std::vector<model::Route> all);
  // Puts the versions in order as it is at `now`, and finds the default.
  void Rank(UnixSeconds now);
  std::set<std::string> Files() const;  // names of the PEM files in the text
};

inline constexpr char kFileName[] = "certwright.yml";

}  // namespace certwright::traefik
