// The account at a CA (RFC 8555 section 7.3).
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "certwright/acme/client.h"
#include "certwright/base/secret.h"
#include "certwright/model/account.h"

namespace certwright::acme {

struct ExternalAccount {  // section 7.3.4
  std::string kid;
  Secret mac_key;  // raw bytes
};

struct AccountWishes {
  std::string email;  // "" : no contact
  bool agree_to_terms = false;
  std::optional<ExternalAccount> external;
};

// Finds the account of account.key_pem at the CA and fills url, status and contact; false where the
// CA knows none (section 7.3.1). Throws as Client::Post.
bool FindAccountByKey(Client& client, model::Account& account, std::stop_token stop);

// Registers account.key_pem; fills url, status, contact and terms. Throws Error(kRefused) with the
// terms' URL where they are not agreed to, with advice where the CA wants an external account.
void RegisterAccount(Client& client, const AccountWishes& wishes, model::Account& account,
                     std::stop_token stop);

}  // namespace certwright::acme
