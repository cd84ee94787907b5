// A scripted CA in memory: RFC 8555 as far as an order goes, every request written down, every
// answer open to a test's meddling.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "certwright/base/encoding.h"
#include "certwright/base/text.h"
#include "certwright/http/transport.h"
#include "certwright/json/value.h"
#include "fake_pki.h"
#include "fakes.h"

namespace certwright::acme::testing {

inline constexpr char kDirectoryUrl[] = "https://ca.test/directory";
inline const std::string kErrors = "urn:ietf:params:acme:error:";

// One request as the CA read it. `kind`: directory nonce account newOrder authz challenge order
// finalize cert alternate renewalInfo accountUrl keyChange revokeCert, else the first part of the
// path.
struct Seen {
  std::string kind;
  std::size_t order = 0;  // index of the order that it concerns
  std::size_t name = 0;   // index of the name within it (authz, challenge)
  http::Request request;
  json::Value header;   // the protected header
  json::Value payload;  // null for POST-as-GET and where there is no body
  json::Value jws;      // as it came
};

inline http::Response JsonAnswer(int status, const json::Value& body, http::Headers headers = {}) {
  headers.emplace_back("content-type", "application/json");
  return {status, std::move(headers), json::Write(body)};
}

inline http::Response ProblemAnswer(int status, const std::string& type, const std::string& detail,
                                    http::Headers headers = {}) {
  return JsonAnswer(status, json::Value::Object({{"type", kErrors + type}, {"detail", detail}}),
                    std::move(headers));
}

// One member of a JSON answer replaced or added.
inline void SetMember(http::Response& answer, std::string_view key, json::Value value) {
  json::Value body = json::Parse(answer.body);
  answer.body = json::Write(body.Set(key, std::move(value)));
}

inline http::Response HtmlAnswer() {
  return {200, {{"content-type", "text/html"}}, "<html><body>Please sign in</body></html>"};
}

class FakeCa : public http::Transport {
 public:
  // --- how it behaves; set before the first request ---
  bool valid_already = false;      // every authorization: reused
  bool validates_at_once = false;  // inside the challenge's POST, as step-ca does
  int polls_pending = 0;           // looks at the order that still say pending after the last start
  int polls_processing = 0;        // after finalize; 0: the answer to finalize says valid
  int retry_after = -1;            // seconds, on answers about orders that are under way
  std::set<std::string> refused_names;  // their validation fails
  json::Value meta;                     // of the directory
  UnixSeconds valid_from = kNow - 3600;
  UnixSeconds valid_to = kNow + 90 * kDay;
  std::string leaf_names;  // "DNS:...": in place of those asked for

  // RFC 9773: nothing of it unless the directory offers renewalInfo.
  bool renewal_info = false;
  std::string window_start = "2027-03-01T00:00:00Z";  // suggested for whatever certID
  std::string window_end = "2027-03-03T00:00:00Z";
  std::string explanation_url;
  std::string renewal_retry_after;                 // the header's value; "" : none
  std::optional<http::Response> refuses_replaces;  // to each newOrder that has it; no order is made

  bool key_change = true;   // whether the directory has it
  bool revoke_cert = true;  // as well

  // Before the CA reads a request: an answer in its place, or an exception (the request is lost).
  // Not under the lock: may wait for other requests.
  std::function<std::optional<http::Response>(const Seen&)> before;
  // After the CA acted: changes the answer, or throws (the answer is lost).
  std::function<void(const Seen&, http::Response&)> after;

  // --- what it saw ---
  std::vector<Seen> Requests() const {
    const std::lock_guard guard(mutex_);
    return requests_;
  }
  // "newOrder authz challenge order finalize cert": GET and HEAD left out.
  std::string Posts() const {
    std::vector<std::string> kinds;
    for (const Seen& seen : Requests()) {
      if (seen.request.method == "POST") kinds.push_back(seen.kind);
    }
    return Join(kinds, " ");
  }
  std::vector<Seen> Of(const std::string& kind) const {
    std::vector<Seen> found;
    for (const Seen& seen : Requests()) {
      if (seen.kind == kind) found.push_back(seen);
    }
    return found;
  }
  int Count(const std::string& kind) const { return static_cast<int>(Of(kind).size()); }
  void Forget() {
    const std::lock_guard guard(mutex_);
    requests_.clear();
  }
  std::size_t Accounts() const {
    const std::lock_guard guard(mutex_);
    return accounts_.size();
  }
  // The reason for each certificate that was revoked, null where none was given.
  std::vector<json::Value> Revoked() const {
    const std::lock_guard guard(mutex_);
    std::vector<json::Value> reasons;
    for (const auto& [certificate, reason] : revoked_) reasons.push_back(reason);
    return reasons;
  }
  std::size_t Orders() const {
    const std::lock_guard guard(mutex_);
    return orders_.size();
  }

  // --- its state, for tests that change it between two requests ---
  struct Order {
    json::Value identifiers;
    std::vector<std::string> statuses;    // of the authorizations
    std::vector<std::string> challenges;  // statuses of theirs
    std::string status = "pending";
    int polls_left = 0;
    std::string leaf_pem;
    std::string other_leaf_pem;  // by the other root
    std::string replaces;
  };
  Order& At(std::size_t index) { return orders_.at(index); }
  static std::string OrderUrl(std::size_t order) { return Cat("https://ca.test/order/", order); }
  static std::string Token(std::size_t order, std::size_t name) {
    return Cat("token-of-order-", order, "-name-", name);
  }
  Authority root{"Test Root"};
  Authority other_root{"Other Root"};

  http::Response Send(const http::Request& request, std::stop_token stop) override {
    if (stop.stop_requested()) throw Error(FailureCode::kCancelled, "stopped");
    const Seen seen = Read(request);
    {
      const std::lock_guard guard(mutex_);
      requests_.push_back(seen);
    }
    std::optional<http::Response> response;
    if (before) response = before(seen);
    const bool own = !response;
    {
      const std::lock_guard guard(mutex_);
      if (own) response = Answer(seen);
      if (response->Header("replay-nonce").empty() && seen.kind != "directory" &&
          seen.kind != "renewalInfo") {
        nonces_.insert(Cat("nonce-", ++nonce_count_));
        response->headers.emplace_back("replay-nonce", Cat("nonce-", nonce_count_));
      }
    }
    if (own && after) after(seen, *response);
    return *response;
  }

 private:
  static Seen Read(const http::Request& request) {
    Seen seen;
    seen.request = request;
    std::vector<std::string> path = Split(request.url.substr(std::string("https://").size()), '/');
    path.resize(4);
    seen.kind = path[1] == "new-order"      ? "newOrder"
                : path[1] == "renewal-info" ? "renewalInfo"
                : path[1] == "key-change"   ? "keyChange"
                : path[1] == "revoke-cert"  ? "revokeCert"
                : path[1] == "account" && !path[2].empty() ? "accountUrl"
                                                           : path[1];
    seen.order = static_cast<std::size_t>(std::atoi(path[2].c_str()));
    seen.name = static_cast<std::size_t>(std::atoi(path[3].c_str()));
    if (request.method == "POST") {
      const json::Value jws = seen.jws = json::Parse(request.body);
      seen.header = json::Parse(FromBase64Url(jws.String("protected")).value_or(""));
      const std::string payload = FromBase64Url(jws.String("payload")).value_or("?");
      if (!payload.empty()) seen.payload = json::Parse(payload);
    }
    return seen;
  }

  http::Response Answer(const Seen& seen) {
    if (seen.kind == "directory") return Directory();
    if (seen.kind == "nonce") return {200, {}, ""};
    if (seen.kind == "renewalInfo") return RenewalInfo();
    if (seen.header.String("url") != seen.request.url) {
      return ProblemAnswer(401, "unauthorized", "the url in the header differs");
    }
    if (nonces_.erase(seen.header.String("nonce")) == 0) {
      return ProblemAnswer(400, "badNonce", "unknown nonce");
    }
    if (seen.kind == "account") return Account(seen);
    if (const auto refused = Refusal(seen)) return *refused;
    if (seen.kind == "revokeCert") return Revoke(seen);
    if (seen.header.Has("jwk") || seen.header.String("kid").empty()) {
      return ProblemAnswer(400, "malformed", "kid is wanted here");
    }
    if (seen.kind == "accountUrl") return Update(seen);
    if (seen.kind == "keyChange") return ChangeKey(seen);
    if (seen.kind == "newOrder") return NewOrder(seen);
    if (seen.order >= orders_.size()) return ProblemAnswer(404, "malformed", "no such order");
    if (seen.kind == "authz" && seen.payload.String("status") == "deactivated") {
      orders_[seen.order].statuses[seen.name] = "deactivated";
      orders_[seen.order].status = "invalid";
    }
    if (seen.kind == "authz") return JsonAnswer(200, AuthzJson(seen.order, seen.name));
    if (seen.kind == "challenge") return Challenge(seen);
    if (seen.kind == "order") return Poll(seen.order);
    if (seen.kind == "finalize") return Finalize(seen);
    if (seen.kind == "cert" || seen.kind == "alternate") return Chain(seen);
    return ProblemAnswer(404, "malformed", "nothing here");
  }

  http::Response Directory() const {
    json::Value body = json::Value::Object({{"newNonce", "https://ca.test/nonce"},
                                            {"newAccount", "https://ca.test/account"},
                                            {"newOrder", "https://ca.test/new-order"}});
    if (key_change) body.Set("keyChange", "https://ca.test/key-change");
    if (revoke_cert) body.Set("revokeCert", "https://ca.test/revoke-cert");
    if (renewal_info) body.Set("renewalInfo", "https://ca.test/renewal-info");
    if (!meta.IsNull()) body.Set("meta", meta);
    return JsonAnswer(200, body);
  }

  http::Response RenewalInfo() const {
    if (!renewal_info) return ProblemAnswer(404, "malformed", "no renewal information here");
    json::Value body = json::Value::Object(
        {{"suggestedWindow", json::Value::Object({{"start", window_start}, {"end", window_end}})}});
    if (!explanation_url.empty()) body.Set("explanationURL", explanation_url);
    http::Headers headers;
    if (!renewal_retry_after.empty()) headers.emplace_back("retry-after", renewal_retry_after);
    return JsonAnswer(200, body, headers);
  }

  http::Response Account(const Seen& seen) {
    const std::string jwk = json::Write(seen.header["jwk"]);
    const bool known = accounts_.contains(jwk);
    if (known && deactivated_.contains(accounts_[jwk])) {
      return ProblemAnswer(403, "unauthorized", "the account is deactivated");
    }
    if (!known && seen.payload.Bool("onlyReturnExisting")) {
      return ProblemAnswer(400, "accountDoesNotExist", "no account of this key");
    }
    if (!known) {
      accounts_[jwk] = Cat("https://ca.test/account/", ++account_count_);
      contacts_[accounts_[jwk]] = seen.payload.Strings("contact");
    }
    return AccountAnswer(known ? 200 : 201, accounts_[jwk]);
  }

  http::Response AccountAnswer(int status, const std::string& url) const {
    return JsonAnswer(
        status,
        json::Value::Object({{"status", deactivated_.contains(url) ? "deactivated" : "valid"},
                             {"contact", contacts_.at(url)},
                             {"odd", nullptr}}),
        {{"location", url}});
  }

  // The key of an account, "" where its URL is none of ours (tests of orders make up their own).
  std::string KeyOf(const std::string& url) const {
    for (const auto& [jwk, account] : accounts_) {
      if (account == url) return jwk;
    }
    return "";
  }

  static bool Verifies(const json::Value& jws, const json::Value& jwk) {
    if (jwk.String("crv") != "P-256") return true;
    const std::string point = Cat("\x04", FromBase64Url(jwk.String("x")).value_or(""),
                                  FromBase64Url(jwk.String("y")).value_or(""));
    return VerifiesEs256(point, Cat(jws.String("protected"), ".", jws.String("payload")),
                         FromBase64Url(jws.String("signature")).value_or(""));
  }

  std::optional<http::Response> Refusal(const Seen& seen) const {
    const std::string url = seen.header.String("kid");
    if (deactivated_.contains(url)) return ProblemAnswer(401, "unauthorized", "deactivated");
    const std::string jwk = seen.header.Has("jwk") ? json::Write(seen.header["jwk"]) : KeyOf(url);
    if (jwk.empty() || Verifies(seen.jws, json::Parse(jwk))) return std::nullopt;
    return ProblemAnswer(401, "malformed", "the signature is not by the account's key");
  }

  http::Response Update(const Seen& seen) {
    const std::string url = seen.header.String("kid");
    if (KeyOf(url).empty()) return ProblemAnswer(400, "accountDoesNotExist", "unknown account");
    if (seen.payload.Has("contact")) contacts_[url] = seen.payload.Strings("contact");
    if (seen.payload.String("status") == "deactivated") deactivated_.insert(url);
    return AccountAnswer(200, url);
  }

  // RFC 8555 section 7.3.5.
  http::Response ChangeKey(const Seen& seen) {
    const json::Value header =
        json::Parse(FromBase64Url(seen.payload.String("protected")).value_or(""));
    const json::Value inner =
        json::Parse(FromBase64Url(seen.payload.String("payload")).value_or(""));
    const std::string url = seen.header.String("kid");
    const std::string old_key = KeyOf(url);
    const std::string new_key = json::Write(header["jwk"]);
    if (header.Has("nonce") || header.String("url") != seen.request.url ||
        !Verifies(seen.payload, header["jwk"]) || inner.String("account") != url ||
        json::Write(inner["oldKey"]) != old_key || old_key.empty()) {
      return ProblemAnswer(400, "malformed", "not a key change of this account");
    }
    if (const auto other = accounts_.find(new_key); other != accounts_.end()) {
      return ProblemAnswer(409, "conflict", "another account has this key",
                           {{"location", other->second}});
    }
    accounts_.erase(old_key);
    accounts_[new_key] = url;
    return AccountAnswer(200, url);
  }

  http::Response Revoke(const Seen& seen) {
    if (!revoked_.emplace(seen.payload.String("certificate"), seen.payload["reason"]).second) {
      return ProblemAnswer(400, "alreadyRevoked", "it is revoked already");
    }
    return {200, {}, ""};
  }

  http::Response NewOrder(const Seen& seen) {
    if (seen.payload.Has("replaces") && refuses_replaces) return *refuses_replaces;
    Order order;
    order.identifiers = seen.payload["identifiers"];
    order.replaces = seen.payload.String("replaces");
    const std::size_t names = order.identifiers.Items().size();
    order.statuses.assign(names, valid_already ? "valid" : "pending");
    order.challenges = order.statuses;
    if (valid_already) order.status = "ready";
    order.polls_left = polls_pending;
    orders_.push_back(order);
    return JsonAnswer(201, OrderJson(orders_.size() - 1),
                      {{"location", OrderUrl(orders_.size() - 1)}});
  }

  json::Value OrderJson(std::size_t index) const {
    const Order& order = orders_[index];
    json::Value urls = json::Array{};
    for (std::size_t i = 0; i < order.statuses.size(); ++i) {
      urls.Append(Cat("https://ca.test/authz/", index, "/", i));
    }
    json::Value body = json::Value::Object({{"status", order.status},
                                            {"identifiers", order.identifiers},
                                            {"authorizations", urls},
                                            {"finalize", Cat("https://ca.test/finalize/", index)}});
    if (order.status == "valid") body.Set("certificate", Cat("https://ca.test/cert/", index));
    if (order.status == "invalid") {
      body.Set("error", json::Value::Object(
                            {{"type", kErrors + "unauthorized"}, {"detail", "the order is lost"}}));
    }
    return body;
  }

  json::Value ChallengeJson(std::size_t order, std::size_t name) const {
    json::Value body =
        json::Value::Object({{"type", "http-01"},
                             {"url", Cat("https://ca.test/challenge/", order, "/", name)},
                             {"token", Token(order, name)},
                             {"status", orders_[order].challenges[name]}});
    if (orders_[order].challenges[name] == "invalid") {
      body.Set("error", json::Value::Object(
                            {{"type", kErrors + "connection"}, {"detail", "connection refused"}}));
    }
    return body;
  }

  json::Value AuthzJson(std::size_t order, std::size_t name) const {
    const json::Value other = json::Value::Object(
        {{"type", "dns-persist-01"}, {"url", "https://ca.test/other"}, {"status", "pending"}});
    return json::Value::Object({{"identifier", orders_[order].identifiers.Items()[name]},
                                {"status", orders_[order].statuses[name]},
                                {"challenges", json::Array{other, ChallengeJson(order, name)}}});
  }

  http::Response Challenge(const Seen& seen) {
    orders_[seen.order].challenges[seen.name] = "processing";
    if (validates_at_once) Decide(orders_[seen.order]);
    return JsonAnswer(200, ChallengeJson(seen.order, seen.name));
  }

  // The CA has come for every challenge that was started.
  void Decide(Order& order) const {
    for (std::size_t i = 0; i < order.statuses.size(); ++i) {
      if (order.challenges[i] != "processing") continue;
      const std::string value = order.identifiers.Items()[i].String("value");
      order.challenges[i] = refused_names.contains(value) ? "invalid" : "valid";
      order.statuses[i] = order.challenges[i];
    }
    const auto count = [&](const char* status) {
      return static_cast<std::size_t>(
          std::count(order.statuses.begin(), order.statuses.end(), status));
    };
    if (count("invalid") > 0) order.status = "invalid";
    if (count("valid") == order.statuses.size()) order.status = "ready";
  }

  http::Response Poll(std::size_t index) {
    Order& order = orders_[index];
    const bool started = std::find(order.challenges.begin(), order.challenges.end(), "pending") ==
                         order.challenges.end();
    if (order.status == "pending" && started && order.polls_left-- <= 0) Decide(order);
    if (order.status == "processing" && order.polls_left-- <= 0) order.status = "valid";
    return UnderWay(index);
  }

  http::Response UnderWay(std::size_t index) const {
    http::Response response = JsonAnswer(200, OrderJson(index));
    const std::string& status = orders_[index].status;
    if (retry_after >= 0 && (status == "pending" || status == "processing")) {
      response.headers.emplace_back("retry-after", Cat(retry_after));
    }
    return response;
  }

  http::Response Finalize(const Seen& seen) {
    Order& order = orders_[seen.order];
    if (order.status != "ready") {
      return ProblemAnswer(403, "orderNotReady", Cat("the order is ", order.status));
    }
    const std::string csr = FromBase64Url(seen.payload.String("csr")).value_or("");
    order.leaf_pem = root.Sign(csr, valid_from, valid_to, leaf_names);
    order.other_leaf_pem = other_root.Sign(csr, valid_from, valid_to, leaf_names);
    order.status = polls_processing > 0 ? "processing" : "valid";
    order.polls_left = polls_processing - 1;
    return UnderWay(seen.order);
  }

  http::Response Chain(const Seen& seen) const {
    const Order& order = orders_[seen.order];
    if (order.status != "valid") return ProblemAnswer(404, "malformed", "none yet");
    http::Headers headers = {{"content-type", "application/pem-certificate-chain"}};
    if (seen.kind == "alternate") return {200, headers, order.other_leaf_pem + other_root.Pem()};
    headers.emplace_back("link",
                         Cat("<https://ca.test/alternate/", seen.order, ">;rel=\"alternate\""));
    return {200, headers, order.leaf_pem + root.Pem()};
  }

  mutable std::mutex mutex_;
  std::vector<Seen> requests_;
  std::map<std::string, std::string> accounts_;               // by key
  std::map<std::string, std::vector<std::string>> contacts_;  // by URL
  std::set<std::string> deactivated_;                         // URLs of accounts
  std::size_t account_count_ = 0;
  std::map<std::string, json::Value> revoked_;  // the certificates as they came, with the reason
  std::vector<Order> orders_;
  std::set<std::string> nonces_;
  int nonce_count_ = 0;
};

}  // namespace certwright::acme::testing
