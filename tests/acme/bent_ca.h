// A CA in memory behind http::Transport: what it answers can be bent by each test, what it was sent
// is recorded. Time is a number, sleeping adds to it.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "certwright/acme/client.h"
#include "certwright/acme/http01.h"
#include "certwright/base/clock.h"
#include "certwright/base/encoding.h"
#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"
#include "certwright/http/transport.h"
#include "certwright/json/value.h"

namespace certwright::acme {

inline constexpr UnixSeconds kStart = 1'800'000'000;

class FakeClock : public Clock {
 public:
  UnixSeconds Now() const override { return kStart + elapsed.count() / 1000; }
  Steady SteadyNow() const override { return Steady(elapsed); }
  bool Sleep(Millis duration, std::stop_token stop) override {
    sleeps.push_back(duration);
    elapsed += duration;
    return !stop.stop_requested();
  }
  Millis elapsed{0};
  std::vector<Millis> sleeps;
};

// Presents nothing; says at once that the CA has fetched every token, unless told otherwise.
class FakePresenter : public Http01Presenter {
 public:
  explicit FakePresenter(FakeClock& clock) : clock_(clock) {}
  void Present(const std::string& token, const std::string& key_authorization) override {
    live[token] = key_authorization;
  }
  void Withdraw(const std::string& token) override { live.erase(token); }
  bool WaitFetched(const std::vector<std::string>& tokens, Millis, Millis timeout,
                   std::stop_token) override {
    waits.emplace_back(tokens.size(), timeout);
    if (!fetches) clock_.elapsed += timeout;
    return fetches;
  }
  std::map<std::string, std::string> live;
  std::vector<std::pair<std::size_t, Millis>> waits;
  bool fetches = true;

 private:
  FakeClock& clock_;
};

struct Sent {
  std::string what;  // "POST newOrder", "HEAD newNonce", "POST authz 0" ...
  std::string url;
  json::Value header;   // protected; null for GET and HEAD
  std::string payload;  // decoded
};

class FakeCa : public http::Transport {
 public:
  explicit FakeCa(std::vector<model::Identifier> names) : identifiers(std::move(names)) {
    std::sort(identifiers.begin(), identifiers.end());
    pair = crypto::SelfSigned(identifiers, kStart - 3600, kStart + 90 * 24 * 3600);
  }

  // Bends an answer (or throws in its place); called under the lock, `count` from 1 for each
  // `what`.
  std::function<void(const Sent& sent, int count, http::Response& answer)> bend;
  std::vector<model::Identifier> identifiers;
  model::CertificateVersion pair;  // its key is the one that orders must be made with
  std::string order_status = "pending";
  int polls_until_ready = 1;  // after every challenge was started
  int polls_until_valid = 1;  // after finalize
  std::vector<Sent> sent;

  int Count(const std::string& prefix) {
    const std::lock_guard guard(mutex_);
    return static_cast<int>(std::count_if(
        sent.begin(), sent.end(), [&](const Sent& one) { return one.what.starts_with(prefix); }));
  }
  std::vector<std::string> Whats() {
    const std::lock_guard guard(mutex_);
    std::vector<std::string> all;
    for (const Sent& one : sent) all.push_back(one.what);
    return all;
  }

  http::Response Send(const http::Request& request, std::stop_token) override {
    const std::lock_guard guard(mutex_);
    Sent one;
    one.url = request.url;
    if (request.method == "POST") {
      const json::Value jws = json::Parse(request.body);
      one.header = json::Parse(FromBase64Url(jws.String("protected")).value_or("{}"));
      one.payload = FromBase64Url(jws.String("payload")).value_or("?");
    }
    const std::string path = request.url.substr(std::string("https://ca.test/").size());
    one.what = Cat(request.method, " ", path);
    sent.push_back(one);
    const int count = static_cast<int>(std::count_if(
        sent.begin(), sent.end(), [&](const Sent& other) { return other.what == one.what; }));
    http::Response answer = Answer(path, one);
    answer.headers.emplace_back("replay-nonce", Cat("nonce-", sent.size()));
    if (bend) bend(one, count, answer);
    return answer;
  }

  static http::Response Json(int status, const json::Value& body) {
    http::Response response;
    response.status = status;
    response.headers = {{"content-type", "application/json"}};
    response.body = json::Write(body);
    return response;
  }
  static http::Response Problem(int status, const std::string& type, const std::string& detail) {
    return Json(status, json::Value::Object(
                            {{"type", "urn:ietf:params:acme:error:" + type}, {"detail", detail}}));
  }

  json::Value OrderJson() const {
    json::Value list = json::Array{};
    json::Value authorizations = json::Array{};
    for (std::size_t i = 0; i < identifiers.size(); ++i) {
      list.Append(json::Value::Object(
          {{"type", model::TypeName(identifiers[i].type)}, {"value", identifiers[i].value}}));
      authorizations.Append(Cat("https://ca.test/authz/", i));
    }
    json::Value order = json::Value::Object({{"status", order_status},
                                             {"identifiers", list},
                                             {"authorizations", authorizations},
                                             {"finalize", "https://ca.test/finalize"}});
    if (order_status == "valid") order.Set("certificate", "https://ca.test/cert");
    return order;
  }

 private:
  http::Response Answer(const std::string& path, const Sent& one) {
    if (path == "directory") {
      return Json(200, json::Value::Object({{"newNonce", "https://ca.test/newNonce"},
                                            {"newAccount", "https://ca.test/newAccount"},
                                            {"newOrder", "https://ca.test/newOrder"},
                                            {"meta", json::Value()}}));
    }
    if (path == "newNonce") return Json(200, json::Value::Object());
    if (path == "newAccount") {
      http::Response answer = Json(201, json::Value::Object({{"status", "valid"}}));
      answer.headers.emplace_back("location", "https://ca.test/account/1");
      return answer;
    }
    if (path == "newOrder") {
      http::Response answer = Json(201, OrderJson());
      answer.headers.emplace_back("location", "https://ca.test/order/1");
      return answer;
    }
    if (path == "order/1") {
      if (order_status == "pending" && started_.size() == identifiers.size() &&
          polls_until_ready-- <= 1) {
        order_status = "ready";
      } else if (order_status == "processing" && polls_until_valid-- <= 1) {
        order_status = "valid";
      }
      return Json(200, OrderJson());
    }
    if (path.starts_with("authz/")) return Authorization(path.substr(6));
    if (path.starts_with("challenge/")) {
      started_[path.substr(10)] = true;
      return Json(200, Challenge(path.substr(10), "processing"));
    }
    if (path == "finalize") {
      order_status = polls_until_valid > 0 ? "processing" : "valid";
      return Json(200, OrderJson());
    }
    if (path == "cert") {
      http::Response answer;
      answer.status = 200;
      answer.body = pair.chain_pem;
      return answer;
    }
    (void)one;
    return Problem(404, "malformed", "there is nothing here");
  }

  json::Value Challenge(const std::string& index, const std::string& status) const {
    return json::Value::Object({{"type", "http-01"},
                                {"url", Cat("https://ca.test/challenge/", index)},
                                {"status", status},
                                {"token", Cat("token-of-number-", index, "-and-more")}});
  }

  http::Response Authorization(const std::string& index) {
    const model::Identifier& identifier = identifiers.at(std::stoul(index));
    const json::Value odd = json::Value::Object({{"type", "dns-persist-01"}});  // no token: legal
    const bool begun = started_.contains(index);
    return Json(200,
                json::Value::Object(
                    {{"identifier", json::Value::Object({{"type", model::TypeName(identifier.type)},
                                                         {"value", identifier.value}})},
                     {"status", "pending"},
                     {"challenges",
                      json::Array{odd, Challenge(index, begun ? "processing" : "pending")}}}));
  }

  std::mutex mutex_;
  std::map<std::string, bool> started_;
};

inline Signer TestSigner(std::string url = "https://ca.test/account/1") {
  return {crypto::PrivateKey::Generate(model::KeyType::kEc256), std::move(url)};
}

}  // namespace certwright::acme
