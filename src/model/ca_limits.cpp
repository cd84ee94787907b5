#include "certwright/model/ca_limits.h"

namespace certwright::model {

std::string_view LimitText(LimitName name) {
  switch (name) {
    case LimitName::kOrders: return "orders";
    case LimitName::kCertificatesPerDomain: return "certificates-per-domain";
    case LimitName::kCertificatesPerExactSet: return "certificates-per-exact-set";
    case LimitName::kFailedAuthorizations: return "failed-authorizations";
    case LimitName::kConsecutiveFailures: return "consecutive-failures";
    case LimitName::kAccounts: return "accounts";
  }
  return "";
}

std::optional<LimitName> LimitFromText(std::string_view text) {
  for (const LimitName name : kLimitNames) {
    if (LimitText(name) == text) return name;
  }
  return std::nullopt;
}

}  // namespace certwright::model
