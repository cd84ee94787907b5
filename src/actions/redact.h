// What may be kept of a call: everything but its secrets (invariant I1).
#pragma once

#include "certwright/json/value.h"

namespace certwright::actions {

// The value with "XXX", as a node's agent does it, in place of each text that is secret: that of a
// member whose name ends in key, keyfile, password, pass, secret or token, and each that holds a
// private key in PEM or in base64 of PEM, wherever it stands.
json::Value WithoutSecrets(const json::Value& value);

// The same for one text that has no name.
bool HoldsKey(std::string_view text);

}  // namespace certwright::actions
