// Whether CAA records let a CA issue (RFC 8659, RFC 8657).
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "certwright/model/identifier.h"
#include "certwright/probe/dns.h"

namespace certwright::probe {

// Who would issue, and how it would look for the proof.
struct CaaIssuer {
  std::vector<std::string> identities;  // caaIdentities of its directory (RFC 8555 section 9.7.6)
  std::string account_url;              // "" : there is no account yet
  std::string method = "http-01";
};

struct CaaDecision {
  enum class Verdict {
    kAllowed,
    kForbidden,
    kUnknown,  // DNS fails, or the CA does not say who it is
  };
  Verdict verdict = Verdict::kUnknown;
  std::string saw;     // one sentence, safe to print; "" where there is nothing to say
  std::string record;  // that forbids: "example.org CAA 0 issue \"ca.example\""

  bool operator==(const CaaDecision&) const = default;
};

// What the relevant record set, found at `domain`, says of a name. Pure.
CaaDecision DecideCaa(const std::string& domain, const std::vector<CaaRecord>& records,
                      bool wildcard, const CaaIssuer& issuer);

// Looks for the relevant record set from the name up to its top-level domain (RFC 8659 section 3) and
// decides. An IP address has none: allowed. Never throws.
CaaDecision CaaAllows(Resolver& resolver, const model::Identifier& name, const CaaIssuer& issuer,
                      std::stop_token stop);

}  // namespace certwright::probe
