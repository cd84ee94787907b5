#include "certwright/issue/authorities.h"

#include <algorithm>

namespace certwright::issue {

Authorities::Authorities(std::vector<Authority> in_order) { Replace(std::move(in_order)); }

const Authority& Authorities::Primary() const {
  const std::lock_guard guard(mutex_);
  return *current_.front();
}

std::vector<const Authority*> Authorities::all() const {
  const std::lock_guard guard(mutex_);
  return current_;
}

const Authority* Authorities::Find(const std::string& directory) const {
  const std::lock_guard guard(mutex_);
  const auto found = std::find_if(current_.begin(), current_.end(), [&](const Authority* one) {
    return one->directory() == directory;
  });
  return found == current_.end() ? nullptr : *found;
}

void Authorities::Replace(std::vector<Authority> in_order) {
  const std::lock_guard guard(mutex_);
  current_.clear();
  for (Authority& authority : in_order) {
    current_.push_back(&given_.emplace_back(std::move(authority)));
  }
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
    case FailureCode::kGone:
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
