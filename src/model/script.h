// Which scripts a label mixes: the part of UTS 39 that host names need.
#pragma once

#include <string>
#include <string_view>

namespace certwright::model {

// "" where the letters of a label (UTF-8, valid) go together, else the names of two scripts that do
// not ("Latin and Cyrillic"). UTS 39 section 5.2, "highly restrictive": one script, or Latin with
// Han and the Japanese, Korean or Bopomofo letters. Letters of scripts that are not in our table
// count as one script of their own.
std::string MixedScripts(std::string_view label);

}  // namespace certwright::model
