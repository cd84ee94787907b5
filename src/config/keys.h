// The tables of keys.
#pragma once

#include <vector>

#include "certwright/config/config.h"
#include "value.h"

namespace certwright::config {

const std::vector<Key<Config>>& ConfigKeys();
const std::vector<Key<ApiSocket>>& SocketKeys();

inline constexpr char kSocketTable[] = "api.socket";
// The array of all sockets as TOML text.
std::string SocketsText(const Config& config);

}  // namespace certwright::config
