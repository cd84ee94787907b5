// One error object for log, status, task, API and retry decision.
//
// Inside, errors travel as the exception Error; at every boundary (stored with an order, answered
// by the API, printed by the command line) they are the plain value Failure.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace certwright {

// What kind of failure it is: decides the exit code, the HTTP status and the pace of a retry.
enum class FailureCode {
  kUsage,        // the command line is wrong
  kInput,        // a value given by the caller is wrong (a host name, a field)
  kConfig,       // the configuration is wrong
  kNotFound,     // what was asked for is not there
  kGone,         // it was there once, and is not kept any more
  kDenied,       // the caller's role does not allow it
  kRefused,      // the CA understood and said no (rejectedIdentifier, caa, unauthorized ...)
  kRateLimited,  // the CA said rateLimited
  kFuse,         // refused here, before the CA would
  kNetwork,      // no connection, cut off, timed out
  kUntrusted,    // the CA's own TLS certificate is not trusted
  kProtocol,     // the CA answered what RFC 8555 does not allow, or what is not safe to take
  kServer,       // the CA's own fault (5xx)
  kTimeout,      // our caller's patience ended
  kCancelled,    // we were told to stop
  kBusy,         // another process holds the store
  kDamaged,      // the store cannot be read
  kDisk,         // full, read-only, I/O error
  kPermission,   // a file or directory belongs to somebody else
  kTraefik,      // Traefik does not serve what was written for it
  kInternal,     // a bug
};

// The stable name of a code, as scripts see it ("rate_limited"), and back (kInternal if unknown).
std::string_view FailureCodeName(FailureCode code);
FailureCode FailureCodeFromName(std::string_view name);

// RFC 8555 section 6.7.1: one of the problems behind a problem.
struct Subproblem {
  std::string type;
  std::string detail;
  std::string identifier;

  bool operator==(const Subproblem&) const = default;
};

struct Failure {
  FailureCode code = FailureCode::kInternal;
  std::string detail;                    // one sentence: what failed, with the CA's own words
  std::string advice;                    // what the reader can do about it; may be empty
  std::string acme_type;                 // the problem's type URI without its common prefix, or ""
  std::vector<std::string> identifiers;  // the names that it concerns
  std::vector<Subproblem> subproblems;
  bool transient = false;     // the same request may succeed later without anybody's doing
  std::int64_t retry_at = 0;  // epoch seconds of the next try, 0 where none is planned

  bool operator==(const Failure&) const = default;
};

// A Failure on its way up. Texts inside must be safe to print: see Printable in base/text.h.
class Error : public std::exception {
 public:
  explicit Error(Failure failure);
  Error(FailureCode code, std::string detail, std::string advice = "");

  const Failure& failure() const { return failure_; }
  const char* what() const noexcept override { return failure_.detail.c_str(); }

 private:
  Failure failure_;
};

// The Failure of whatever is being handled: an Error's own, else kInternal with what().
// Call only inside a catch block.
Failure CurrentFailure();

// A text form for a column of the store, versioned, independent of any format of the API.
// ParseFailure throws Error(kDamaged) on anything that SerializeFailure did not make; fields that a
// newer version added are skipped.
std::string SerializeFailure(const Failure& failure);
Failure ParseFailure(std::string_view text);

}  // namespace certwright
