// What list and show print for people.
#pragma once

#include <string>

#include "certwright/json/value.h"

namespace certwright::cli {

// `output` is what the action of that name gave. Names, issuers and errors come from outside: what
// a terminal would obey is made harmless.
std::string ListText(const json::Value& output);
std::string ShowText(const json::Value& output);
// "START to END" of the window that a CA gave; "" where it gave none.
std::string WindowText(const json::Value& window);
// What a look from outside saw, in one line; "" where nobody looked.
std::string PreflightText(const json::Value& preflight);

}  // namespace certwright::cli
