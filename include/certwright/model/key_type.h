// The kinds of certificate keys.
#pragma once

#include <string_view>

namespace certwright::model {

enum class KeyType { kEc256, kEc384, kRsa2048, kRsa3072, kRsa4096 };

std::string_view KeyTypeName(KeyType type);      // "ec256"
KeyType KeyTypeFromName(std::string_view name);  // throws Error(kInput), listing the names

}  // namespace certwright::model
