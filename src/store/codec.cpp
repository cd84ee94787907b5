#include "codec.h"

#include "certwright/base/text.h"

namespace certwright::store {
namespace {

[[noreturn]] void ThrowDamaged(std::string_view what, std::string_view text) {
  throw Error(FailureCode::kDamaged,
              Cat("the store holds ", what, " that no Certwright wrote: ", Printable(text, 80)),
              "keep a copy of the file, then restore the newest backup");
}

std::string Escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '\\':
        escaped += "\\\\";
        break;
      case '\n':
        escaped += "\\n";
        break;
      case '\t':
        escaped += "\\t";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string Unescape(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      plain += text[i];
      continue;
    }
    ++i;
    plain += text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i];
  }
  return plain;
}

// Each line ends with a line break, so that no entry and one empty entry differ.
template <typename Line>
void ForEachLine(std::string_view text, Line line) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) ThrowDamaged("a list", text);
    line(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
}

model::Identifier DecodeIdentifier(std::string_view text) {
  const auto after = [&](std::string_view prefix) {
    return Unescape(text.substr(prefix.size()));
  };
  if (text.starts_with("dns:")) return {model::IdentifierType::kDns, after("dns:")};
  if (text.starts_with("ip:")) return {model::IdentifierType::kIp, after("ip:")};
  ThrowDamaged("an identifier", text);
}

std::string EncodeIdentifier(const model::Identifier& identifier) {
  const bool dns = identifier.type == model::IdentifierType::kDns;
  return (dns ? "dns:" : "ip:") + Escape(identifier.value);
}

}  // namespace

std::string EncodeList(const std::vector<std::string>& entries) {
  std::string text;
  for (const std::string& entry : entries) text += Escape(entry) + '\n';
  return text;
}

std::vector<std::string> DecodeList(std::string_view text) {
  std::vector<std::string> entries;
  ForEachLine(text, [&](std::string_view line) { entries.push_back(Unescape(line)); });
  return entries;
}

std::string EncodeIdentifiers(const std::vector<model::Identifier>& identifiers) {
  std::string text;
  for (const auto& identifier : identifiers) text += EncodeIdentifier(identifier) + '\n';
  return text;
}

std::vector<model::Identifier> DecodeIdentifiers(std::string_view text) {
  std::vector<model::Identifier> identifiers;
  ForEachLine(text, [&](std::string_view line) { identifiers.push_back(DecodeIdentifier(line)); });
  return identifiers;
}

std::string EncodeAuthorizations(const std::vector<model::AuthorizationRecord>& records) {
  std::string text;
  for (const auto& record : records) {
    text += Cat(EncodeIdentifier(record.identifier), '\t', record.started ? '1' : '0', '\t',
                Escape(record.url), '\t', Escape(record.challenge_url), '\t',
                Escape(record.token), '\n');
  }
  return text;
}

std::vector<model::AuthorizationRecord> DecodeAuthorizations(std::string_view text) {
  std::vector<model::AuthorizationRecord> records;
  ForEachLine(text, [&](std::string_view line) {
    const std::vector<std::string> fields = Split(line, '\t');
    if (fields.size() != 5) ThrowDamaged("an authorization", line);
    model::AuthorizationRecord record;
    record.identifier = DecodeIdentifier(fields[0]);
    record.started = fields[1] == "1";
    record.url = Unescape(fields[2]);
    record.challenge_url = Unescape(fields[3]);
    record.token = Unescape(fields[4]);
    records.push_back(std::move(record));
  });
  return records;
}

std::string EncodeLimits(const std::vector<model::LimitName>& limits) {
  std::vector<std::string> names;
  for (const model::LimitName limit : limits) names.emplace_back(model::LimitText(limit));
  return Join(names, " ");
}

std::vector<model::LimitName> DecodeLimits(std::string_view text) {
  std::vector<model::LimitName> limits;
  if (text.empty()) return limits;
  for (const std::string& name : Split(text, ' ')) {
    const auto limit = model::LimitFromText(name);
    if (!limit) ThrowDamaged("a limit", name);
    limits.push_back(*limit);
  }
  return limits;
}

std::string_view OriginName(model::Origin origin) {
  switch (origin) {
    case model::Origin::kAcme:
      return "acme";
    case model::Origin::kUpload:
      return "upload";
    case model::Origin::kSelfSigned:
      return "selfsigned";
  }
  return "acme";
}

model::Origin OriginFromName(std::string_view name) {
  for (const auto origin :
       {model::Origin::kAcme, model::Origin::kUpload, model::Origin::kSelfSigned}) {
    if (OriginName(origin) == name) return origin;
  }
  ThrowDamaged("an origin", name);
}

std::optional<std::string> EncodeFailure(const std::optional<Failure>& failure) {
  if (!failure) return std::nullopt;
  return SerializeFailure(*failure);
}

std::optional<Failure> DecodeFailure(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return ParseFailure(*text);
}

}  // namespace certwright::store
