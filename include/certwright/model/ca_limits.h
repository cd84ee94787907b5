// The rate limits of a CA, as data: what the ledger counts against.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certwright/base/clock.h"

namespace certwright::model {

// Stored and configured by name: never rename.
enum class LimitName {
  kOrders,                 // new orders of the account
  kCertificatesPerDomain,  // certificates for names below one registered domain
  kCertificatesPerExactSet,
  kFailedAuthorizations,  // failed validations of one name
  kConsecutiveFailures,   // the same, in a row: a validation that succeeds ends it
  kAccounts,              // registrations from this machine
};
inline constexpr LimitName kLimitNames[] = {
    LimitName::kOrders,
    LimitName::kCertificatesPerDomain,
    LimitName::kCertificatesPerExactSet,
    LimitName::kFailedAuthorizations,
    LimitName::kConsecutiveFailures,
    LimitName::kAccounts,
};
std::string_view LimitText(LimitName name);  // "certificates-per-domain"
std::optional<LimitName> LimitFromText(std::string_view text);

// `burst` at once, and one more each window / burst.
struct Limit {
  LimitName name = LimitName::kOrders;
  std::int64_t burst = 1;
  UnixSeconds window = 1;
  bool exempts_replaces = false;  // orders that say what they replace (RFC 9773 section 5)
  bool exempts_same_set = false;  // orders for exactly the names of an earlier certificate of the CA
  std::int64_t renewal_reserve = 0;  // so many of the burst are only for what is held already

  bool operator==(const Limit&) const = default;
};

struct CaLimits {
  std::string name;                      // "Let's Encrypt"
  std::vector<std::string> directories;  // URLs
  std::vector<Limit> limits;             // each name once

  bool operator==(const CaLimits&) const = default;
};

}  // namespace certwright::model
