// How the parts of the order flow say things.
#pragma once

#include <string>
#include <string_view>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::acme {

// "the CA sent <detail>": Error(kProtocol).
[[noreturn]] inline void Refuse(const std::string& detail) {
  throw Error(FailureCode::kProtocol, Cat("the CA sent ", detail),
              "this is a fault of the CA, or of something between it and here");
}

// "1 name", "2 names".
inline std::string Count(std::size_t number, std::string_view what) {
  return Cat(number, " ", what, number == 1 ? "" : "s");
}

}  // namespace certwright::acme
