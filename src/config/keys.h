// The tables of keys.
#pragma once

#include <vector>

#include "certwright/config/config.h"
#include "value.h"

namespace certwright::config {

const std::vector<Key<Config>>& ConfigKeys();
const std::vector<Key<ApiSocket>>& SocketKeys();
const std::vector<Key<CertificateAuthority>>& CaKeys();
const std::vector<Key<Webhook>>& WebhookKeys();

// Arrays of sections, and how one looks as TOML text.
inline constexpr char kSocketTable[] = "api.socket";
std::string SocketsText(const Config& config);
inline constexpr char kFallbackTable[] = "acme.fallback";
std::string FallbacksText(const Config& config);
inline constexpr char kWebhookTable[] = "events.webhook";
std::string WebhooksText(const Config& config);

}  // namespace certwright::config
