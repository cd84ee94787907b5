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
// CA knows none (section 7.3.1). Throws as Client::Post, and Error(kRefused) where the account is
// not valid any more: account.status says then what it is.
bool FindAccountByKey(Client& client, model::Account& account, std::stop_token stop);

// Registers account.key_pem; fills url, status, contact and terms. Throws Error(kRefused) with the
// terms' URL where they are not agreed to, with advice where the CA wants an external account.
void RegisterAccount(Client& client, const AccountWishes& wishes, model::Account& account,
                     std::stop_token stop);

// Section 7.3.2: the contact becomes this address, none where it is empty; fills contact and status
// as the CA says them. Throws as Client::Post.
void UpdateContact(Client& client, const std::string& email, model::Account& account,
                   std::stop_token stop);

// Section 7.3.5: from now on the account's key is account.next_key_pem. Changes nothing in
// `account`: an answer may be lost, so who asks has stored the new key before and settles after.
// Throws as Client::Post, and Error(kRefused) where the CA has no keyChange or the key is another
// account's.
void RolloverKey(Client& client, const model::Account& account, std::stop_token stop);

// Section 7.3.6: nothing can be asked with this account any more; account.status says so. An
// account that was deactivated already is fine. Throws as Client::Post.
void DeactivateAccount(Client& client, model::Account& account, std::stop_token stop);

}  // namespace certwright::acme
