#include "certwright/acme/resources.h"

#include <algorithm>
#include <array>

#include "certwright/base/encoding.h"
#include "certwright/base/text.h"
#include "certwright/http/client.h"

namespace certwright::acme {

namespace {

constexpr std::size_t kMaxUrlBytes = 2048;
constexpr std::size_t kMaxChallenges = 64;
constexpr std::size_t kMinTokenBytes = 16;  // RFC 8555 section 8.3 asks for 128 bits: 22 characters
constexpr std::size_t kMaxTokenBytes = 512;
constexpr UnixSeconds kYear2000 = 946'684'800;
constexpr UnixSeconds kEndOf9999 = 253'402'300'799;
constexpr std::string_view kErrorPrefix = "urn:ietf:params:acme:error:";

struct NamedStatus {
  Status status;
  std::string_view name;
};
constexpr std::array kStatuses{
    NamedStatus{Status::kPending, "pending"}, NamedStatus{Status::kProcessing, "processing"},
    NamedStatus{Status::kReady, "ready"},     NamedStatus{Status::kValid, "valid"},
    NamedStatus{Status::kInvalid, "invalid"}, NamedStatus{Status::kDeactivated, "deactivated"},
    NamedStatus{Status::kExpired, "expired"}, NamedStatus{Status::kRevoked, "revoked"},
};

[[noreturn]] void Refuse(std::string detail) {
  throw Error(FailureCode::kProtocol, Cat("the CA sent ", detail),
              "this is a fault of the CA, or of something between it and here");
}

const json::Value& NeedObject(const json::Value& value, std::string_view what) {
  if (!value.IsObject()) Refuse(Cat(what, " that is no JSON object"));
  return value;
}

Status ParseStatus(const json::Value& value, std::string_view what) {
  const std::string name = value.AsString().value_or("");
  for (const NamedStatus& known : kStatuses) {
    if (known.name == name) return known.status;
  }
  if (!value.IsString()) Refuse(Cat(what, " without a status"));
  Refuse(Cat(what, " with the unknown status '", Printable(name, 40), "'"));
}

// What the CA says back is compared with what was asked, so it is read without the checks of
// ParseIdentifier: a text that differs matches nothing.
model::Identifier ParseCaIdentifier(const json::Value& value, std::string_view what) {
  const std::string type = value.String("type");
  const std::string text = value.String("value");
  if (text.empty()) Refuse(Cat(what, " without an identifier"));
  if (type == "dns") return {model::IdentifierType::kDns, ToLower(text)};
  if (type != "ip") Refuse(Cat(what, " for an identifier of the type '", Printable(type, 40), "'"));
  try {
    model::Identifier identifier = model::ParseIdentifier(text);
    if (identifier.type == model::IdentifierType::kIp) return identifier;
  } catch (const Error&) {
    // It is not even a name.
  }
  Refuse(Cat(what, " with the identifier '", Printable(text, 60), "', which is no IP address"));
}

std::optional<Failure> ParseError(const json::Value& value) {
  if (!value.IsObject()) return std::nullopt;
  return FailureFromProblem(value, 0);
}

std::string OptionalUrl(const json::Value& body, std::string_view key, const UrlPolicy& policy) {
  const json::Value& value = body[key];
  if (value.IsNull()) return "";
  return CheckedUrl(value, policy, Cat("the directory's ", key, " URL"));
}

FailureCode CodeOf(std::string_view type, int status) {
  if (type == "rateLimited" || status == 429) return FailureCode::kRateLimited;
  if (type == "serverInternal" || status >= 500) return FailureCode::kServer;
  return FailureCode::kRefused;
}

std::string AdviceFor(std::string_view type) {
  if (type == "accountDoesNotExist")
    return "run 'certwright account register' to make a new account";
  if (type == "externalAccountRequired") {
    return "this CA wants an external account: set acme.eab_kid and acme.eab_hmac_key_file";
  }
  if (type == "userActionRequired") return "the CA wants a person to act: follow the link it gives";
  if (type == "connection" || type == "unauthorized" || type == "tls" ||
      type == "incorrectResponse") {
    return "the CA must reach http://NAME/.well-known/acme-challenge/ on port 80 here";
  }
  if (type == "dns") return "check the A and AAAA records of the name";
  if (type == "caa") return "the CAA records of the domain do not allow this CA";
  if (type == "rejectedIdentifier") return "this CA issues no certificate for this name";
  if (type == "invalidContact" || type == "unsupportedContact") return "check the address: that of --email, or acme.email";
  if (type == "rateLimited") return "wait: the CA's limits are counted for a week at most";
  return "";
}

// One end of a suggestedWindow. What lies outside these years is a fault, and no date to plan with.
UnixSeconds ParseWindowTime(const json::Value& window, std::string_view key) {
  const std::optional<std::string> text = window[key].AsString();
  if (!text) Refuse(Cat("a suggestedWindow without the text '", key, "'"));
  const UnixSeconds time = ParseRfc3339(*text);
  if (time == -1) {
    Refuse(
        Cat("a suggestedWindow whose ", key, " is no RFC 3339 date: '", Printable(*text, 60), "'"));
  }
  if (time < kYear2000 || time > kEndOf9999) {
    Refuse(Cat("a suggestedWindow whose ", key, " is not between the years 2000 and 9999: '",
               Printable(*text, 60), "'"));
  }
  return time;
}

// For people to follow: a fragment, which no URL that is asked may have, is fine here.
std::string ExplanationUrl(const json::Value& value) {
  const std::string text = value.AsString().value_or("");
  const bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  if (text.empty() || text.size() > kMaxUrlBytes || !printable) return "";
  try {
    CheckedUrl(text.substr(0, text.find('#')), {}, "the explanationURL");
  } catch (const Error&) {
    return "";
  }
  return text;
}

std::string ShortType(const json::Value& problem) {
  std::string type = problem.String("type");
  if (type.starts_with(kErrorPrefix)) type.erase(0, kErrorPrefix.size());
  return Printable(type, 80);
}

}  // namespace

std::string_view StatusName(Status status) {
  for (const NamedStatus& known : kStatuses) {
    if (known.status == status) return known.name;
  }
  return "unknown";
}

std::string CheckedUrl(const json::Value& value, const UrlPolicy& policy, std::string_view what) {
  const std::optional<std::string> text = value.AsString();
  if (!text || text->empty()) Refuse(Cat("no text where ", what, " is expected"));
  if (text->size() > kMaxUrlBytes) Refuse(Cat(what, " with more than 2048 bytes"));
  http::Url url;
  try {
    url = http::ParseUrl(*text);
  } catch (const Error&) {
    Refuse(Cat("'", Printable(*text, 100), "' where ", what, " is expected"));
  }
  const bool plain_allowed = policy.allow_http_loopback && http::IsLoopback(url);
  if (url.scheme != "https" && !(url.scheme == "http" && plain_allowed)) {
    Refuse(Cat(what, " that is not https: ", Printable(*text, 100)));
  }
  return *text;
}

Directory ParseDirectory(const json::Value& body, const UrlPolicy& policy) {
  NeedObject(body, "a directory");
  Directory directory;
  directory.new_nonce = CheckedUrl(body["newNonce"], policy, "the directory's newNonce URL");
  directory.new_account = CheckedUrl(body["newAccount"], policy, "the directory's newAccount URL");
  directory.new_order = CheckedUrl(body["newOrder"], policy, "the directory's newOrder URL");
  directory.revoke_cert = OptionalUrl(body, "revokeCert", policy);
  directory.key_change = OptionalUrl(body, "keyChange", policy);
  directory.renewal_info = OptionalUrl(body, "renewalInfo", policy);
  const json::Value& meta = body["meta"];
  directory.terms_of_service = Printable(meta.String("termsOfService"), kMaxUrlBytes);
  directory.external_account_required = meta.Bool("externalAccountRequired");
  for (const std::string& identity : meta.Strings("caaIdentities")) {
    directory.caa_identities.push_back(ToLower(Printable(identity, 260)));
  }
  for (const auto& [name, description] : meta["profiles"].Fields()) {
    directory.profiles.push_back(Printable(name, 80));
  }
  return directory;
}

Order ParseOrder(const json::Value& body, const std::vector<model::Identifier>& identifiers,
                 const UrlPolicy& policy) {
  NeedObject(body, "an order");
  Order order;
  order.status = ParseStatus(body["status"], "an order");
  for (const json::Value& item : body["identifiers"].Items()) {
    order.identifiers.push_back(ParseCaIdentifier(item, "an order"));
  }
  std::sort(order.identifiers.begin(), order.identifiers.end());
  if (order.identifiers != identifiers) {
    Refuse(Cat("an order for other identifiers than asked: ",
               order.identifiers.empty()
                   ? "none"
                   : Printable(Join(model::Names(order.identifiers), ", "), 200)));
  }
  // Every identifier has one authorization, but two orders may share one; there are never more.
  const json::Array& authorizations = body["authorizations"].Items();
  if (authorizations.empty()) Refuse("an order without authorizations");
  if (authorizations.size() > identifiers.size()) {
    Refuse(Cat("an order with ", authorizations.size(), " authorizations for ", identifiers.size(),
               " names"));
  }
  for (const json::Value& url : authorizations) {
    order.authorizations.push_back(CheckedUrl(url, policy, "an authorization's URL"));
  }
  order.finalize = CheckedUrl(body["finalize"], policy, "the order's finalize URL");
  if (order.status == Status::kValid) {
    if (!body.Has("certificate")) Refuse("a valid order without a certificate URL");
    order.certificate = CheckedUrl(body["certificate"], policy, "the certificate's URL");
  }
  order.error = ParseError(body["error"]);
  return order;
}

Challenge ParseHttp01Challenge(const json::Value& body, const UrlPolicy& policy) {
  Challenge challenge;
  challenge.type = "http-01";
  challenge.url = CheckedUrl(body["url"], policy, "the challenge's URL");
  challenge.status =
      body.Has("status") ? ParseStatus(body["status"], "a challenge") : Status::kPending;
  challenge.error = ParseError(body["error"]);
  const std::optional<std::string> token = body["token"].AsString();
  if (!token) Refuse("an HTTP-01 challenge without a token");
  if (token->size() < kMinTokenBytes || token->size() > kMaxTokenBytes || !IsBase64Url(*token)) {
    Refuse(Cat("a token that is not 16 to 512 characters of base64url: '", Printable(*token, 40),
               "'"));
  }
  challenge.token = *token;
  return challenge;
}

Authorization ParseAuthorization(const json::Value& body, const UrlPolicy& policy) {
  NeedObject(body, "an authorization");
  Authorization authorization;
  authorization.identifier = ParseCaIdentifier(body["identifier"], "an authorization");
  authorization.wildcard = body.Bool("wildcard");
  authorization.status = ParseStatus(body["status"], "an authorization");
  const json::Array& challenges = body["challenges"].Items();
  if (challenges.size() > kMaxChallenges) {
    Refuse(Cat("an authorization with ", challenges.size(), " challenges"));
  }
  for (const json::Value& item : challenges) {
    const std::string type = item.String("type");
    authorization.offered.push_back(Printable(type, 40));
    if (type == "http-01" && !authorization.http01) {
      authorization.http01 = ParseHttp01Challenge(item, policy);
    }
    if (!authorization.error) authorization.error = ParseError(item["error"]);
  }
  return authorization;
}

model::RenewalWindow ParseRenewalWindow(const json::Value& body) {
  const json::Value& suggested = NeedObject(body, "renewal information")["suggestedWindow"];
  if (!suggested.IsObject()) Refuse("renewal information without a suggestedWindow");
  model::RenewalWindow window;
  window.start = ParseWindowTime(suggested, "start");
  window.end = ParseWindowTime(suggested, "end");
  if (window.end <= window.start) {
    Refuse(Cat("a suggestedWindow that ends (", FormatUtc(window.end),
               ") no later than it starts (", FormatUtc(window.start), ")"));
  }
  window.explanation_url = ExplanationUrl(body["explanationURL"]);
  return window;
}

Failure FailureFromProblem(const json::Value& problem, int status) {
  Failure failure;
  failure.acme_type = ShortType(problem);
  failure.code = CodeOf(failure.acme_type, status);
  failure.transient =
      failure.code == FailureCode::kServer || failure.code == FailureCode::kRateLimited;
  const std::string words = Printable(problem.String("detail"), 600);
  failure.detail = Cat("the CA said", failure.acme_type.empty() ? "" : " ", failure.acme_type,
                       words.empty() ? "" : ": ", words);
  if (failure.acme_type.empty() && words.empty()) {
    failure.detail = Cat("the CA answered ", status, " without a reason");
  }
  failure.advice = AdviceFor(failure.acme_type);
  // Section 7.3.3: where the person is to look.
  const std::string link = Printable(problem.String("instance"), 300);
  if (failure.acme_type == "userActionRequired" && !link.empty()) {
    failure.advice += Cat(": ", link);
  }
  if (problem["identifier"].IsObject()) {
    failure.identifiers.push_back(Printable(problem["identifier"].String("value"), 260));
  }
  for (const json::Value& item : problem["subproblems"].Items()) {
    if (failure.subproblems.size() == 100) break;
    Subproblem sub{ShortType(item), Printable(item.String("detail"), 400),
                   Printable(item["identifier"].String("value"), 260)};
    if (!sub.identifier.empty()) failure.identifiers.push_back(sub.identifier);
    failure.subproblems.push_back(std::move(sub));
  }
  return failure;
}

}  // namespace certwright::acme
