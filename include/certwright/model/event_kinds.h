// Every kind of event that there is: each has a schema, schema/json/KIND.event.json.
#pragma once

#include <array>
#include <string_view>

namespace certwright::model {

inline constexpr std::array<std::string_view, 6> kEventKinds{
    "certificate-changed",         "certificate-expiring", "certificate-failed",
    "default-certificate-changed", "hosts-changed",        "routes-changed"};

}  // namespace certwright::model
