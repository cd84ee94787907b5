#include "certwright/issue/authorities.h"

#include <algorithm>

namespace certwright::issue {

const Authority* Authorities::Find(const std::string& directory) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Authority& authority) {
    return authority.directory() == directory;
  });
  return found == all_.end() ? nullptr : &*found;
}

bool MayGoElsewhere(const Failure& failure) {
  switch (failure.code) {
    case FailureCode::kNetwork:
    case FailureCode::kServer:
    case FailureCode::kRateLimited: return true;
    case FailureCode::kProtocol: return failure.transient;  // a proxy's page in its place
    case FailureCode::kUsage:
    case FailureCode::kInput:
    case FailureCode::kConfig:
    case FailureCode::kNotFound:
    case FailureCode::kDenied:
    case FailureCode::kRefused:
    case FailureCode::kFuse:
    case FailureCode::kUntrusted:  // most often roots that are missing here
    case FailureCode::kTimeout:
    case FailureCode::kCancelled:
    case FailureCode::kBusy:
    case FailureCode::kDamaged:
    case FailureCode::kDisk:
    case FailureCode::kPermission:
    case FailureCode::kTraefik:
    case FailureCode::kInternal: return false;
  }
  return false;
}

}  // namespace certwright::issue
