#include "certwright/renewal/failure_class.h"

#include <algorithm>
#include <iterator>

namespace certwright::renewal {
namespace {

// The CA would say the same again until somebody changed something.
constexpr std::string_view kNeedsSomebody[] = {
    "rejectedIdentifier",
    "caa",
    "malformed",
    "unsupportedIdentifier",
    "badCSR",
    "badPublicKey",
    "invalidProfile",
    "badSignatureAlgorithm",
    "invalidContact",
    "unsupportedContact",
    "userActionRequired",
    "externalAccountRequired",
};

// What a challenge fails with (RFC 8555 section 6.7).
constexpr std::string_view kNotProved[] = {
    "unauthorized", "connection", "dns", "incorrectResponse", "tls",
};

template <std::size_t N>
bool IsAmong(const std::string_view (&types)[N], const Failure& failure) {
  const auto among = [&](std::string_view type) {
    return std::find(std::begin(types), std::end(types), type) != std::end(types);
  };
  // One name that is refused refuses the whole order.
  return among(failure.acme_type) ||
         std::any_of(failure.subproblems.begin(), failure.subproblems.end(),
                     [&](const Subproblem& sub) { return among(sub.type); });
}

}  // namespace

std::string_view FailureClassName(FailureClass which) {
  switch (which) {
    case FailureClass::kInput: return "input";
    case FailureClass::kValidation: return "validation";
    case FailureClass::kCa: return "ca";
    case FailureClass::kNetwork: return "network";
    case FailureClass::kRateLimit: return "rate-limit";
    case FailureClass::kOurs: return "ours";
  }
  return "ours";
}

FailureClass ClassOf(const Failure& failure) {
  switch (failure.code) {
    case FailureCode::kRefused:
      if (IsAmong(kNeedsSomebody, failure)) return FailureClass::kInput;
      return IsAmong(kNotProved, failure) ? FailureClass::kValidation : FailureClass::kCa;
    case FailureCode::kUsage:
    case FailureCode::kInput:
    case FailureCode::kNotFound:
    case FailureCode::kGone:
    case FailureCode::kDenied: return FailureClass::kInput;
    case FailureCode::kProtocol:
    case FailureCode::kUntrusted:
    case FailureCode::kServer: return FailureClass::kCa;
    case FailureCode::kNetwork:
    case FailureCode::kTimeout: return FailureClass::kNetwork;
    case FailureCode::kRateLimited:
    case FailureCode::kFuse: return FailureClass::kRateLimit;
    case FailureCode::kConfig:
    case FailureCode::kBusy:
    case FailureCode::kDamaged:
    case FailureCode::kDisk:
    case FailureCode::kPermission:
    case FailureCode::kTraefik:
    case FailureCode::kCancelled:
    case FailureCode::kInternal: return FailureClass::kOurs;
  }
  return FailureClass::kOurs;
}

}  // namespace certwright::renewal
