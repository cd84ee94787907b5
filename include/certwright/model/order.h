// The record of one order: everything that a restarted process needs to carry the same order on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/error.h"
#include "certwright/base/secret.h"
#include "certwright/model/ca_limits.h"
#include "certwright/model/certificate.h"
#include "certwright/model/identifier.h"

namespace certwright::model {

// Where the order stands, as far as we know: the states of RFC 8555 section 7.1.6, with those of
// our own between them. Stored by name: never rename.
enum class OrderState {
  kCreating,    // newOrder is about to be sent, or its answer was lost
  kPending,     // created; authorizations are to be answered
  kValidating,  // every challenge was started; the CA looks
  kReady,       // all authorizations are valid; finalize is to be sent
  kProcessing,  // finalize was sent
  kIssued,      // valid: the certificate is to be fetched
  kDone,        // the certificate was fetched and checked
  kFailed,      // the CA or a check said no; `failure` says why
};

std::string_view OrderStateName(OrderState state);
OrderState OrderStateFromName(std::string_view name);  // throws Error(kDamaged)

struct AuthorizationRecord {
  std::string url;
  Identifier identifier;
  std::string challenge_url;  // of the HTTP-01 challenge; "" : not read yet, or already valid
  std::string token;
  bool started = false;  // the CA was told that the challenge can be looked at

  bool operator==(const AuthorizationRecord&) const = default;
};

struct OrderRecord {
  std::int64_t id = 0;
  std::int64_t certificate_id = 0;  // the managed certificate that it is for
  std::string directory;            // the CA
  std::vector<Identifier> identifiers;
  std::string profile;
  std::string preferred_chain;
  std::string replaces;  // RFC 9773 section 5: certID, or ""
  Secret key_pem;        // of the certificate: stored before anything is ordered with it
  OrderState state = OrderState::kCreating;
  std::string url;  // "" until the CA answered newOrder
  std::string finalize_url;
  std::string certificate_url;
  std::vector<AuthorizationRecord> authorizations;
  std::string chain_pem;  // once fetched and checked
  int attempts = 0;       // of the present step, after transient failures
  std::optional<Failure> failure;
  bool forced = false;    // a person said so, past the fuse
  bool leftover = false;  // ended, and some of its authorizations may be pending at the CA
  std::vector<LimitName> counted;  // the CA's limits of which the ledger took one for it
  UnixSeconds created_at = 0;
  UnixSeconds updated_at = 0;
};

}  // namespace certwright::model
