// Message authentication codes.
#pragma once

#include <string>
#include <string_view>

#include "certwright/base/secret.h"

namespace certwright::crypto {

// RFC 2104 with SHA-256: 32 raw bytes. Throws Error(kInput) where the key cannot be used.
std::string HmacSha256(const Secret& key, std::string_view text);

}  // namespace certwright::crypto
