// JSON as Traefik's YAML parser and its Go templates take it without harm.
#pragma once

#include <string>

#include "certwright/json/value.h"

namespace certwright::traefik {

// Two blanks a level. Inside strings "{" is \u007b (a raw "{{" would be a Go template) and so are
// control characters, U+007F to U+009F, U+2028, U+2029, U+FEFF and non-characters; everything else
// is raw UTF-8. Members that are empty objects are left out, save "tls" (Traefik: "cannot be a
// standalone element"). Throws Error(kConfig) where a string is not UTF-8.
std::string WriteYamlJson(const json::Value& value);

}  // namespace certwright::traefik
