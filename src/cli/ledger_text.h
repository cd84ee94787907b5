// What ledger and plan print for people of the CAs' limits.
#pragma once

#include <string>

#include "certwright/json/value.h"

namespace certwright::cli {

// `output`: what the action ledger gave.
std::string LedgerText(const json::Value& output);
// Of one certificate of what the action plan gave: the limits that its order needs, and where it
// runs into one. Indented lines.
std::string BudgetsText(const json::Value& planned);

}  // namespace certwright::cli
