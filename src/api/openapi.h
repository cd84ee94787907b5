// The description of the API (OpenAPI 3.0.3), made from the schemas that check each call.
#pragma once

#include <string>

#include "certwright/actions/runner.h"
#include "certwright/json/value.h"

namespace certwright::api {

json::Value OpenApi(const actions::Runner& runner, const std::string& version);

// A draft-04 schema as a Schema Object of OpenAPI 3.0: null is told by `nullable`, several types by
// anyOf, and "#/definitions/x" is the component `component`.x. What OpenAPI cannot say
// (patternProperties, dependencies) is left out, so that it describes rather more than less.
json::Value SchemaObject(const json::Value& draft04, const std::string& component);

}  // namespace certwright::api
