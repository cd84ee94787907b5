// Time of RFC 5280 section 4.1.2.5, without asking the clock.
#pragma once

#include <string>

#include "certwright/base/clock.h"
#include "der.h"

namespace certwright::crypto {

// UTCTime or GeneralizedTime, with seconds and "Z". Throws Error(kInput).
UnixSeconds ParseX509Time(const der::Value& value);

// UTCTime until 2049, then GeneralizedTime.
std::string EncodeX509Time(UnixSeconds time);

}  // namespace certwright::crypto
