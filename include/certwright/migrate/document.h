// What was found, as the input of the action import: the daemon may not read the caller's files.
#pragma once

#include "certwright/json/value.h"
#include "certwright/migrate/found.h"

namespace certwright::migrate {

// Holds private keys.
json::Value ToDocument(const Found& found);
// `document` is valid by schema/json/import.input.json.
Found FromDocument(const json::Value& document);

}  // namespace certwright::migrate
