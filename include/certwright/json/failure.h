// A Failure as the API sends it and the command line prints it.
#pragma once

#include "certwright/base/error.h"
#include "certwright/json/value.h"

namespace certwright::json {

// {code, detail, advice, acme_type, identifiers, subproblems: [{type, detail, identifier}],
//  transient, retry_at}: retry_at is RFC 3339 text, null where no retry is planned.
Value ToJson(const Failure& failure);

// Never throws: what is missing or of another type stays as in Failure{}.
Failure FailureFromJson(const Value& value);

}  // namespace certwright::json
