#include "certwright/base/error.h"

#include <array>
#include <utility>

#include "certwright/base/text.h"

namespace certwright {
namespace {

struct CodeName {
  FailureCode code;
  std::string_view name;
};

constexpr std::array kCodeNames = {
    CodeName{FailureCode::kUsage, "usage"},
    CodeName{FailureCode::kInput, "input"},
    CodeName{FailureCode::kConfig, "config"},
    CodeName{FailureCode::kNotFound, "not_found"},
    CodeName{FailureCode::kGone, "gone"},
    CodeName{FailureCode::kDenied, "denied"},
    CodeName{FailureCode::kRefused, "refused"},
    CodeName{FailureCode::kRateLimited, "rate_limited"},
    CodeName{FailureCode::kFuse, "fuse"},
    CodeName{FailureCode::kNetwork, "network"},
    CodeName{FailureCode::kUntrusted, "untrusted"},
    CodeName{FailureCode::kProtocol, "protocol"},
    CodeName{FailureCode::kServer, "server"},
    CodeName{FailureCode::kTimeout, "timeout"},
    CodeName{FailureCode::kCancelled, "cancelled"},
    CodeName{FailureCode::kBusy, "busy"},
    CodeName{FailureCode::kDamaged, "damaged"},
    CodeName{FailureCode::kDisk, "disk"},
    CodeName{FailureCode::kPermission, "permission"},
    CodeName{FailureCode::kTraefik, "traefik"},
    CodeName{FailureCode::kInternal, "internal"},
};

}  // namespace

std::string_view FailureCodeName(FailureCode code) {
  for (const CodeName& entry : kCodeNames) {
    if (entry.code == code) return entry.name;
  }
  return "internal";
}

FailureCode FailureCodeFromName(std::string_view name) {
  for (const CodeName& entry : kCodeNames) {
    if (entry.name == name) return entry.code;
  }
  return FailureCode::kInternal;
}

Error::Error(Failure failure) : failure_(std::move(failure)) {}

Error::Error(FailureCode code, std::string detail, std::string advice) {
  failure_.code = code;
  failure_.detail = std::move(detail);
  failure_.advice = std::move(advice);
}

Failure CurrentFailure() {
  Failure failure;
  try {
    throw;
  } catch (const Error& error) {
    return error.failure();
  } catch (const std::exception& error) {
    failure.detail = Printable(error.what());
  } catch (...) {
    failure.detail = "an exception of an unknown kind";
  }
  failure.advice = "This is a bug in Certwright: please report it with the log around it.";
  return failure;
}

}  // namespace certwright
