// What path and query of a resource say, as the input of its action.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/json/value.h"
#include "operations.h"

namespace certwright::api {

struct ResourceInput {
  json::Value input;
  Millis wait{0};
};

// The query's parameters are the other members of the action's input, by its schema (their values
// are checked with the rest of the input). Throws Error(kInput): no such parameter, or a value that
// is not of its type.
ResourceInput ReadInput(const Operation& operation, const std::string& parameter,
                        const std::vector<std::pair<std::string, std::string>>& query);

// Those that may stand in the query: the member and its schema.
json::Members QueryParameters(const Operation& operation);

}  // namespace certwright::api
