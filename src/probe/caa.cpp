#include "certwright/probe/caa.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "certwright/base/text.h"

namespace certwright::probe {
namespace {

using Verdict = CaaDecision::Verdict;

// What every CA of the CA/Browser Forum understands; iodef and the contacts restrict nothing, and
// issuemail (RFC 9495) nothing of a TLS certificate.
constexpr std::array<std::string_view, 6> kUnderstood = {
    "issue", "issuewild", "iodef", "issuemail", "contactemail", "contactphone"};

// issue-value of RFC 8659 section 4.2. A value that is none permits nobody: an empty domain.
struct IssueValue {
  std::string domain;
  std::vector<std::pair<std::string, std::string>> parameters;  // tags in lower case
};

bool IsDomainByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

IssueValue ParseIssueValue(std::string_view text) {
  IssueValue value;
  const std::vector<std::string> parts = Split(text, ';');
  value.domain = ToLower(Trim(parts.front()));
  if (!std::all_of(value.domain.begin(), value.domain.end(), IsDomainByte)) return {};
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::string_view part = Trim(parts[i]);
    if (part.empty() && i + 1 == parts.size()) break;  // ends with a semicolon
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) return {};
    value.parameters.emplace_back(ToLower(Trim(part.substr(0, equals))),
                                  Trim(part.substr(equals + 1)));
  }
  return value;
}

std::vector<std::string> ValuesOf(const IssueValue& value, std::string_view tag) {
  std::vector<std::string> values;
  for (const auto& [name, text] : value.parameters) {
    if (name == tag) values.push_back(text);
  }
  return values;
}

// RFC 8657 sections 3 and 4: more than one of a kind permits nobody.
bool ParametersPermit(const IssueValue& value, const CaaIssuer& issuer) {
  const auto accounts = ValuesOf(value, "accounturi");
  if (accounts.size() > 1 || (accounts.size() == 1 && accounts[0] != issuer.account_url)) {
    return false;
  }
  const auto methods = ValuesOf(value, "validationmethods");
  if (methods.empty()) return true;
  if (methods.size() > 1) return false;
  const auto named = Split(methods[0], ',');
  return std::any_of(named.begin(), named.end(),
                     [&](const std::string& one) { return Trim(one) == issuer.method; });
}

bool Names(const IssueValue& value, const CaaIssuer& issuer) {
  return std::any_of(issuer.identities.begin(), issuer.identities.end(),
                     [&](const std::string& own) { return ToLower(own) == value.domain; });
}

std::string Text(const std::string& domain, const CaaRecord& record) {
  return Cat(domain, " CAA ", record.critical ? 128 : 0, " ", Printable(record.tag, 60), " \"",
             Printable(record.value, 200), "\"");
}

CaaDecision Forbidden(const std::string& domain, const CaaRecord& record, std::string_view why) {
  const std::string text = Text(domain, record);
  return {Verdict::kForbidden, Cat(text, ": ", why), text};
}

}  // namespace

CaaDecision DecideCaa(const std::string& domain, const std::vector<CaaRecord>& records,
                      bool wildcard, const CaaIssuer& issuer) {
  std::vector<const CaaRecord*> issue, issuewild;
  for (const CaaRecord& record : records) {
    const std::string tag = ToLower(record.tag);
    if (tag == "issue") issue.push_back(&record);
    if (tag == "issuewild") issuewild.push_back(&record);
    const bool understood =
        std::find(kUnderstood.begin(), kUnderstood.end(), tag) != kUnderstood.end();
    if (record.critical && !understood) {
      return Forbidden(domain, record, "it is critical, and no CA is known to understand it");
    }
  }
  const auto& relevant = wildcard && !issuewild.empty() ? issuewild : issue;
  if (relevant.empty()) return {Verdict::kAllowed, "", ""};
  bool any_domain = false;
  const CaaRecord* ours = nullptr;  // names the CA, and asks for more
  for (const CaaRecord* record : relevant) {
    const IssueValue value = ParseIssueValue(record->value);
    if (value.domain.empty()) continue;
    any_domain = true;
    if (!Names(value, issuer)) continue;
    if (ParametersPermit(value, issuer)) return {Verdict::kAllowed, "", ""};
    ours = record;
  }
  if (ours != nullptr) {
    return Forbidden(domain, *ours, "it asks for another account or another way of validation");
  }
  if (issuer.identities.empty() && any_domain) {
    return {Verdict::kUnknown,
            Cat(Text(domain, *relevant.front()), ": the CA does not say which names it goes by"),
            ""};
  }
  return Forbidden(domain, *relevant.front(), "it does not name this CA");
}

CaaDecision CaaAllows(Resolver& resolver, const model::Identifier& name, const CaaIssuer& issuer,
                      std::stop_token stop) {
  if (name.type == model::IdentifierType::kIp) return {Verdict::kAllowed, "", ""};
  const bool wildcard = name.value.starts_with("*.");
  std::string domain = wildcard ? name.value.substr(2) : name.value;
  while (!domain.empty()) {
    const CaaRecords found = resolver.LookUpCaa(domain, stop);
    if (found.status == DnsStatus::kFailed) return {Verdict::kUnknown, found.problem, ""};
    if (found.status == DnsStatus::kFound) {
      return DecideCaa(domain, found.records, wildcard, issuer);
    }
    const std::size_t dot = domain.find('.');
    domain = dot == std::string::npos ? "" : domain.substr(dot + 1);
  }
  return {Verdict::kAllowed, "", ""};
}

}  // namespace certwright::probe
