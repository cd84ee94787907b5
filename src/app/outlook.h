// What this machine sees of itself from outside: probe, the responder and the configuration together.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certwright/acme/http01.h"
#include "certwright/config/config.h"
#include "certwright/model/finding.h"
#include "certwright/model/identifier.h"
#include "certwright/probe/caa.h"
#include "certwright/probe/challenge_path.h"
#include "certwright/probe/dns.h"
#include "certwright/renewal/watch.h"

namespace certwright::app {

class Outlook {
 public:
  // `issuer`: who would issue; may throw Error (then CAA is left out). `presenter` outlives it.
  Outlook(const config::Config& config, acme::Http01Presenter& presenter,
          std::function<probe::CaaIssuer(std::stop_token)> issuer);

  // CAA, then the way to the responder: renewal::PreflightCheck.
  renewal::Preflight Look(const std::vector<model::Identifier>& names, std::stop_token stop);

  // The same of each name and each address, in words. CAA for the first CA.
  std::vector<model::Finding> Examine(const std::vector<model::Identifier>& names,
                                      std::stop_token stop);
  // Whether a token of our own is answered by what listens at this address (Traefik), for a host that
  // nobody has. `https_port` 0: no redirect to https is followed.
  std::vector<model::Finding> LookThrough(const std::string& address, int http_port, int https_port,
                                          std::stop_token stop);

  // Which CAA record keeps this issuer from one of the names, in words; nullopt: none, or it is not
  // known.
  std::optional<std::string> CaaForbids(const std::vector<model::Identifier>& names,
                                        const probe::CaaIssuer& issuer, std::stop_token stop);

 private:
  std::vector<probe::Sight> Sights(const std::vector<model::Identifier>& names,
                                   probe::Resolver& resolver, const probe::PathOptions& path,
                                   std::stop_token stop);
  std::shared_ptr<void> Present(const std::string& token, const std::string& key_authorization);

  probe::Dns dns_;
  const probe::PathOptions path_;
  acme::Http01Presenter& presenter_;
  const std::function<probe::CaaIssuer(std::stop_token)> issuer_;
};

}  // namespace certwright::app
