#include "redact.h"

#include <algorithm>
#include <array>

#include "certwright/base/text.h"

namespace certwright::actions {

namespace {

constexpr char kHidden[] = "XXX";
constexpr std::array<std::string_view, 8> kSecretEndings{
    "key", "keyfile", "password", "pass", "secret", "token", "authorization", "cookie"};
// "PRIVATE KEY--" as it stands in base64, by where it falls among the groups of three bytes; line
// breaks and blanks are left out first.
constexpr std::array<std::string_view, 4> kMarks{"PRIVATE KEY--", "UFJJVkFURSBLRVkt",
                                                 "BSSVZBVEUgS0VZL", "QUklWQVRFIEtFWS0t"};

bool IsSecretName(std::string_view name) {
  const std::string lower = ToLower(name);
  return std::any_of(kSecretEndings.begin(), kSecretEndings.end(),
                     [&](std::string_view ending) { return lower.ends_with(ending); });
}

}  // namespace

bool HoldsKey(std::string_view text) {
  std::string dense(text);
  std::erase_if(dense, [](char c) { return c == '\n' || c == '\r' || c == '\t'; });
  const auto found = [&](std::string_view mark) { return dense.find(mark) != dense.npos; };
  return std::any_of(kMarks.begin(), kMarks.end(), found);
}

json::Value WithoutSecrets(const json::Value& value) {
  if (value.IsString()) return HoldsKey(*value.AsString()) ? json::Value(kHidden) : value;
  if (value.IsArray()) {
    json::Value items = json::Array{};
    for (const json::Value& item : value.Items()) items.Append(WithoutSecrets(item));
    return items;
  }
  if (!value.IsObject()) return value;
  json::Members members;
  for (const auto& [name, content] : value.Fields()) {
    const bool secret = content.IsString() && IsSecretName(name);
    members.emplace_back(name, secret ? json::Value(kHidden) : WithoutSecrets(content));
  }
  return json::Value::FromMembers(std::move(members));
}

}  // namespace certwright::actions
