// What an order asks of the limits of its CA.
#pragma once

#include <string>
#include <vector>

#include "certwright/issue/ledger.h"

namespace certwright::issue {

// What a limit counts by, of this order: registered domains, names, the set; "" is the account.
std::vector<std::string> SubjectsOf(model::LimitName name, const Asked& asked);

// All but the accounts.
std::vector<Need> NeedsOf(const std::vector<model::Limit>& limits, const Asked& asked);

// The names of the order that have to do with the need.
std::vector<std::string> Concerned(const Need& need, const Asked& asked);

}  // namespace certwright::issue
