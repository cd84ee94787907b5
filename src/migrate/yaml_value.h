// YAML as the old module writes it, read into a JSON value; libyaml is used behind this only.
#pragma once

#include <string_view>

#include "certwright/json/value.h"

namespace certwright::migrate {

// One document; null where there is none. Plain scalars are what PyYAML takes them for: null, true
// and false (also yes, no, on, off), whole numbers, else text. Throws Error(kInput): not YAML, an
// alias (it may grow without end), nesting over 32, a key that is no text or stands there twice.
json::Value ParseYaml(std::string_view text);

}  // namespace certwright::migrate
