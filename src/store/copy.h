// A copy of a whole database, as of one instant.
#pragma once

#include <string>
#include <string_view>

#include "sqlite.h"

namespace certwright::store {

// 'text', for the places of SQL that take no parameter.
std::string QuoteLiteral(std::string_view text);

// Makes `file` anew (0600) and writes it to the disk. No transaction may be open. Throws Error.
void CopyInto(Connection& connection, const Path& file);

}  // namespace certwright::store
