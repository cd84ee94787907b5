#include "certwright/migrate/document.h"

namespace certwright::migrate {
namespace {

using json::Value;

Value ToJson(const FoundAccount& account) {
  return Value::Object({{"from", account.from},
                        {"directory", account.directory},
                        {"url", account.url},
                        {"contact", account.contact},
                        {"key", account.key_pem.Reveal()}});
}

Value ToJson(const FoundCertificate& certificate) {
  Value value = Value::Object({{"from", certificate.from},
                               {"directory", certificate.directory},
                               {"chain", certificate.chain_pem},
                               {"key", certificate.key_pem.Reveal()}});
  const model::PolicyWish& policy = certificate.policy;
  if (policy.key_type) value.Set("key_type", std::string(model::KeyTypeName(*policy.key_type)));
  if (policy.reuse_key) value.Set("reuse_key", *policy.reuse_key);
  if (policy.preferred_chain) value.Set("preferred_chain", *policy.preferred_chain);
  return value;
}

Value ToJson(const FoundUpload& upload) {
  return Value::Object(
      {{"from", upload.from}, {"chain", upload.chain_pem}, {"key", upload.key_pem.Reveal()}});
}

Value ToJson(const FoundRoute& route) {
  return Value::Object({{"from", route.from}, {"route", route.request}});
}

Value ToJson(const LeftOut& entry) {
  return Value::Object({{"from", entry.from}, {"why", entry.why}});
}

// Only what was set.
Value ToJson(const FoundSettings& settings) {
  Value value = Value::Object();
  if (!settings.acme_url.empty()) {
    value.Set("acme_server", Value::Object({{"url", settings.acme_url},
                                            {"email", settings.acme_email}}));
  }
  if (!settings.trusted_proxies.empty()) {
    value.Set("trusted_proxies", Value::Object({{"proxies", settings.trusted_proxies},
                                                {"depth", settings.proxies_depth}}));
  }
  if (!settings.default_names.empty()) value.Set("default_names", settings.default_names);
  return value;
}

template <typename Entry>
Value ListOf(const std::vector<Entry>& entries) {
  Value list = json::Array{};
  for (const Entry& entry : entries) list.Append(ToJson(entry));
  return list;
}

FoundSettings SettingsFrom(const Value& value) {
  FoundSettings settings;
  settings.acme_url = value["acme_server"].String("url");
  settings.acme_email = value["acme_server"].String("email");
  settings.trusted_proxies = value["trusted_proxies"].Strings("proxies");
  settings.proxies_depth = static_cast<int>(value["trusted_proxies"].Int("depth"));
  settings.default_names = value.Strings("default_names");
  return settings;
}

FoundAccount AccountFrom(const Value& value) {
  return {value.String("from"), value.String("directory"), value.String("url"),
          value.Strings("contact"), Secret(value.String("key"))};
}

FoundCertificate CertificateFrom(const Value& value) {
  FoundCertificate certificate;
  certificate.from = value.String("from");
  certificate.directory = value.String("directory");
  certificate.chain_pem = value.String("chain");
  certificate.key_pem = Secret(value.String("key"));
  if (value.Has("key_type")) {
    certificate.policy.key_type = model::KeyTypeFromName(value.String("key_type"));
  }
  certificate.policy.reuse_key = value["reuse_key"].AsBool();
  certificate.policy.preferred_chain = value["preferred_chain"].AsString();
  return certificate;
}

}  // namespace

Value ToDocument(const Found& found) {
  return Value::Object({{"accounts", ListOf(found.accounts)},
                        {"certificates", ListOf(found.certificates)},
                        {"uploads", ListOf(found.uploads)},
                        {"routes", ListOf(found.routes)},
                        {"settings", ToJson(found.settings)},
                        {"left_out", ListOf(found.left_out)}});
}

Found FromDocument(const Value& document) {
  Found found;
  for (const Value& entry : document["accounts"].Items()) {
    found.accounts.push_back(AccountFrom(entry));
  }
  for (const Value& entry : document["certificates"].Items()) {
    found.certificates.push_back(CertificateFrom(entry));
  }
  for (const Value& entry : document["uploads"].Items()) {
    found.uploads.push_back(
        {entry.String("from"), entry.String("chain"), Secret(entry.String("key"))});
  }
  for (const Value& entry : document["routes"].Items()) {
    found.routes.push_back({entry.String("from"), entry["route"]});
  }
  found.settings = SettingsFrom(document["settings"]);
  for (const Value& entry : document["left_out"].Items()) {
    found.left_out.push_back({entry.String("from"), entry.String("why")});
  }
  return found;
}

}  // namespace certwright::migrate
