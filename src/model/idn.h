// Host names in other letters than ASCII (RFC 5890 and following), by libidn2.
#pragma once

#include <string>
#include <string_view>

namespace certwright::model {

// Whether `host` has a character outside ASCII, or a label that is an A-label already.
bool IsInternational(std::string_view host);

struct IdnResult {
  std::string ascii;  // the whole name with A-labels, lower case; "" where `wrong` says why not
  std::string wrong;
};

// `host`: valid UTF-8 without NUL. A-labels must stand for something (convert back and forth), and
// no label may mix scripts (script.h). Does not check the length of the whole or LDH.
IdnResult ToAscii(std::string_view host);

}  // namespace certwright::model
