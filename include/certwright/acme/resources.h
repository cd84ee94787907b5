// The resources of RFC 8555 section 7.1 as plain structs, read from untrusted JSON (invariant I6).
//
// Every Parse throws Error(kProtocol) that says which member of which resource is wrong. Every URL
// in them was checked: absolute, https (or loopback where allowed), no control characters, 2 KiB at
// most. Unknown members, unknown challenge types and "meta": null are legal and skipped.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certwright/base/error.h"
#include "certwright/json/value.h"
#include "certwright/model/identifier.h"
#include "certwright/model/renewal.h"

namespace certwright::acme {

struct UrlPolicy {
  bool allow_http_loopback = false;
};

// Gives the URL back, or throws; `what` names it in the error ("the order's finalize URL").
std::string CheckedUrl(const json::Value& value, const UrlPolicy& policy, std::string_view what);

// Section 7.1.1.
struct Directory {
  std::string new_nonce;
  std::string new_account;
  std::string new_order;
  std::string revoke_cert;   // "" where the CA has none
  std::string key_change;    // "" where the CA has none
  std::string renewal_info;  // RFC 9773; "" where the CA has none
  std::string terms_of_service;
  bool external_account_required = false;
  std::vector<std::string> caa_identities;  // host names, lower case (RFC 8659); may be empty
  std::vector<std::string> profiles;  // names; empty where the CA has none
};
Directory ParseDirectory(const json::Value& body, const UrlPolicy& policy);

// Section 7.1.6: the statuses of orders, authorizations and challenges.
enum class Status {
  kPending,
  kProcessing,
  kReady,
  kValid,
  kInvalid,
  kDeactivated,
  kExpired,
  kRevoked
};
std::string_view StatusName(Status status);

// Section 7.1.3.
struct Order {
  Status status = Status::kPending;
  std::vector<model::Identifier> identifiers;  // sorted
  std::vector<std::string> authorizations;
  std::string finalize;
  std::string certificate;  // there where status is valid
  std::optional<Failure> error;
};
// `identifiers` is what was asked for: an order for other or more names is refused.
Order ParseOrder(const json::Value& body, const std::vector<model::Identifier>& identifiers,
                 const UrlPolicy& policy);

// Section 8.
struct Challenge {
  std::string type;
  std::string url;
  std::string token;
  Status status = Status::kPending;
  std::optional<Failure> error;
};
// Reads an HTTP-01 challenge; others are never parsed beyond their type.
Challenge ParseHttp01Challenge(const json::Value& body, const UrlPolicy& policy);

// Section 7.1.4.
struct Authorization {
  model::Identifier identifier;
  bool wildcard = false;
  Status status = Status::kPending;
  std::optional<Challenge> http01;   // where the CA offers it
  std::vector<std::string> offered;  // all challenge types, for the error text
  std::optional<Failure> error;      // of the challenge that failed
};
Authorization ParseAuthorization(const json::Value& body, const UrlPolicy& policy);

// RFC 9773 section 4.2. An explanationURL that is not https and printable is dropped, whatever it
// is: the window counts without it. retry_after is a header's and stays empty.
model::RenewalWindow ParseRenewalWindow(const json::Value& body);

// A problem document (section 6.7) as Failure; `status` is the HTTP status, or 0 for a problem
// inside a resource. The CA's own words are kept, made printable.
Failure FailureFromProblem(const json::Value& problem, int status);

}  // namespace certwright::acme
