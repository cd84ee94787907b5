// The tables of keys.
#pragma once

#include <vector>

#include "certwright/base/text.h"
#include "certwright/config/config.h"
#include "value.h"

namespace certwright::config {

const std::vector<Key<Config>>& ConfigKeys();
const std::vector<Key<ApiSocket>>& SocketKeys();
const std::vector<Key<CertificateAuthority>>& CaKeys();
const std::vector<Key<Webhook>>& WebhookKeys();
const std::vector<Key<Export>>& ExportKeys();
const std::vector<Key<Served>>& ServedKeys();

// Arrays of sections, and how one looks as TOML text.
inline constexpr char kSocketTable[] = "api.socket";
std::string SocketsText(const Config& config);
inline constexpr char kFallbackTable[] = "acme.fallback";
std::string FallbacksText(const Config& config);
inline constexpr char kWebhookTable[] = "events.webhook";
std::string WebhooksText(const Config& config);
inline constexpr char kExportTable[] = "export";
std::string ExportsText(const Config& config);
inline constexpr char kServedTable[] = "served";
std::string ServedText(const Config& config);

// A list of tables as TOML text.
template <typename Target>
std::string SectionsText(const std::vector<Key<Target>>& keys, const std::vector<Target>& sections) {
  std::vector<std::string> texts;
  for (const auto& section : sections) {
    std::vector<std::string> fields;
    for (const auto& key : keys) fields.push_back(Cat(key.name, " = ", key.show(section)));
    texts.push_back(Cat("{ ", Join(fields, ", "), " }"));
  }
  return Cat("[", Join(texts, ", "), "]");
}

}  // namespace certwright::config
