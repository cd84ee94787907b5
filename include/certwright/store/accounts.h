// ACME accounts: one for each CA directory URL.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "certwright/model/account.h"
#include "certwright/store/database.h"

namespace certwright::store {

std::optional<model::Account> FindAccount(Session& session, const std::string& directory);
void SaveAccount(Session& session, const model::Account& account);  // insert or update by directory
std::vector<model::Account> ListAccounts(Session& session);

}  // namespace certwright::store
