// An account at a CA (RFC 8555 section 7.1.2).
#pragma once

#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/secret.h"

namespace certwright::model {

struct Account {
  std::string directory;             // the CA's directory URL: the identity of the record
  Secret key_pem;                    // ES256, PKCS#8
  std::string url;                   // "" : not known (found again by the key)
  std::vector<std::string> contact;  // "mailto:..."
  std::string status;                // "valid", as the CA last said; "" before registration
  std::string terms;                 // the URL that was agreed to
  UnixSeconds created_at = 0;
  // A key roll-over (RFC 8555 section 7.3.5) is under way: which of the two keys the CA knows is
  // found by asking. Empty: none is.
  Secret next_key_pem;
};

// As the CA said last: it was deactivated or revoked, and nothing can be asked with it any more.
inline bool IsGone(const Account& account) {
  return !account.status.empty() && account.status != "valid";
}

}  // namespace certwright::model
