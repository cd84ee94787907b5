// Every kind of event that there is: each has a schema, schema/json/KIND.event.json.
#pragma once

#include <array>
#include <string_view>

namespace certwright::model {

inline constexpr auto kEventKinds = std::to_array<std::string_view>({
    "certificate-changed",
    "certificate-expiring",
    "certificate-failed",
    "certificate-not-served",
    "certificate-served",
    "default-certificate-changed",
    "hosts-changed",
    "routes-changed",
});

}  // namespace certwright::model
