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
  Value accounts = json::Array{};
  for (const FoundAccount& account : found.accounts) accounts.Append(ToJson(account));
  Value certificates = json::Array{};
  for (const FoundCertificate& certificate : found.certificates) {
    certificates.Append(ToJson(certificate));
  }
  Value left_out = json::Array{};
  for (const LeftOut& entry : found.left_out) {
    left_out.Append(Value::Object({{"from", entry.from}, {"why", entry.why}}));
  }
  return Value::Object(
      {{"accounts", accounts}, {"certificates", certificates}, {"left_out", left_out}});
}

Found FromDocument(const Value& document) {
  Found found;
  for (const Value& entry : document["accounts"].Items()) {
    found.accounts.push_back(AccountFrom(entry));
  }
  for (const Value& entry : document["certificates"].Items()) {
    found.certificates.push_back(CertificateFrom(entry));
  }
  for (const Value& entry : document["left_out"].Items()) {
    found.left_out.push_back({entry.String("from"), entry.String("why")});
  }
  return found;
}

}  // namespace certwright::migrate
