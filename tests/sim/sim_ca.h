// A CA in memory that is quick enough for years: authorizations are reused, orders are forgotten when
// they end, and it counts what a real one limits. Its clock is the world's.
#pragma once

#include <ctime>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "certwright/base/encoding.h"
#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/http/transport.h"
#include "certwright/json/value.h"
#include "fake_pki.h"
#include "sim_clock.h"
#include "sim_limits.h"

namespace certwright::sim {

// One certificate that it issued.
struct Issued {
  std::string names;
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  bool replaced = false;
};

// What it knows of one exact set of names.
struct History {
  std::vector<UnixSeconds> ordered;  // each newOrder that was answered with an order
  std::vector<UnixSeconds> issued;
  UnixSeconds valid_until = 0;
  UnixSeconds uncovered = 0;  // seconds without a valid certificate, between two of them
};

using Window = std::pair<UnixSeconds, UnixSeconds>;

class SimCa : public http::Transport {
 public:
  static constexpr char kDirectory[] = "https://ca.test/directory";

  explicit SimCa(SimClock& clock) : clock_(clock) {}

  // --- how it behaves; changed between two ticks ---
  UnixSeconds lifetime = 90 * kDay;
  bool renewal_info = true;
  UnixSeconds ask_again = kDay;  // Retry-After of renewalInfo
  std::function<Window(const Issued&)> window = [](const Issued& issued) {
    const UnixSeconds third = (issued.not_after - issued.not_before) / 3;
    return Window{issued.not_after - third - kDay, issued.not_after - third + kDay};
  };
  bool down = false;    // nobody answers
  bool broken = false;  // 500 to everything
  std::function<bool(const std::string& name)> cannot_see = [](const std::string&) {
    return false;
  };
  bool limited = true;

  // --- what it saw ---
  std::map<std::string, History> histories;  // by name set
  std::map<std::string, int> refused;        // by limit
  int orders = 0;
  int replacing = 0;  // orders that said what they replace
  int windows_asked = 0;
  int requests_while_down = 0;

  http::Response Send(const http::Request& request, std::stop_token stop) override {
    if (stop.stop_requested()) throw Error(FailureCode::kCancelled, "stopped");
    const std::lock_guard guard(mutex_);
    if (down) {
      ++requests_while_down;
      Failure failure;
      failure.code = FailureCode::kNetwork;
      failure.detail = "connection refused";
      failure.transient = true;
      throw Error(std::move(failure));
    }
    http::Response response = broken ? Problem(500, "serverInternal", "out of order")
                                     : Answer(request);
    response.headers.emplace_back("replay-nonce", Cat("nonce-", ++nonces_));
    response.headers.emplace_back("date", HttpDate(clock_.True()));
    return response;
  }

 private:
  struct Order {
    std::string name_set;
    json::Value identifiers;
    std::string status;
    std::string chain;
  };

  static std::string HttpDate(std::time_t time) {
    std::tm parts{};
    char text[64];
    gmtime_r(&time, &parts);
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return text;
  }
  static http::Response Json(int status, const json::Value& body, http::Headers headers = {}) {
    headers.emplace_back("content-type", "application/json");
    return {status, std::move(headers), json::Write(body)};
  }
  static http::Response Problem(int status, const std::string& type, const std::string& detail,
                                http::Headers headers = {}) {
    return Json(status,
                json::Value::Object(
                    {{"type", "urn:ietf:params:acme:error:" + type}, {"detail", detail}}),
                std::move(headers));
  }

  http::Response Answer(const http::Request& request) {
    const std::string path = request.url.substr(base_.size());
    const std::string kind = path.substr(0, path.find('/'));
    const std::string rest = kind.size() < path.size() ? path.substr(kind.size() + 1) : "";
    if (kind == "directory") return Directory();
    if (kind == "nonce") return {200, {}, ""};
    if (kind == "renewal-info") return RenewalInfo(rest);
    const json::Value body = json::Parse(request.body);
    const auto payload_text = FromBase64Url(body.String("payload")).value_or("");
    const json::Value payload = payload_text.empty() ? json::Value() : json::Parse(payload_text);
    if (kind == "account") {
      return Json(201, json::Value::Object({{"status", "valid"}}),
                  {{"location", base_ + "account/1"}});
    }
    if (kind == "new-order") return NewOrder(payload);
    const auto found = open_.find(rest);
    if (found == open_.end()) return Problem(404, "malformed", "no such order");
    Order& order = found->second;
    if (kind == "order") return Json(200, OrderJson(rest, order));
    if (kind == "authz") {
      // Pebble and Let's Encrypt take a deactivation as this, too.
      return Json(200, AuthorizationJson(rest, order));
    }
    if (kind == "challenge") {
      order.status = "invalid";
      limits_.failed_validations.Count(order.name_set, clock_.True());
      return Json(200, ChallengeJson(rest, order));
    }
    if (kind == "finalize") return Finalize(rest, order, payload);
    if (kind == "cert") {
      http::Response chain{200, {{"content-type", "application/pem-certificate-chain"}},
                           order.chain};
      open_.erase(found);
      return chain;
    }
    return Problem(404, "malformed", "nothing here");
  }

  http::Response Directory() const {
    json::Value body = json::Value::Object({{"newNonce", base_ + "nonce"},
                                            {"newAccount", base_ + "account"},
                                            {"newOrder", base_ + "new-order"}});
    if (renewal_info) body.Set("renewalInfo", base_ + "renewal-info");
    return Json(200, body);
  }

  // By the serial number in the certID (RFC 9773 section 4.1): they are given one after the other.
  Issued* FindIssued(const std::string& cert_id) {
    const auto serial = FromBase64Url(cert_id.substr(cert_id.find('.') + 1));
    if (!serial) return nullptr;
    std::size_t number = 0;
    for (const char c : *serial) number = number << 8 | static_cast<unsigned char>(c);
    const std::size_t index = number - kFirstSerial;
    return index < issued_.size() ? &issued_[index] : nullptr;
  }

  http::Response RenewalInfo(const std::string& cert_id) {
    const Issued* issued = FindIssued(cert_id);
    if (issued == nullptr) return Problem(404, "malformed", "no such certificate");
    ++windows_asked;
    const Window suggested = window(*issued);
    return Json(200,
                json::Value::Object(
                    {{"suggestedWindow",
                      json::Value::Object({{"start", FormatUtc(suggested.first)},
                                           {"end", FormatUtc(suggested.second)}})}}),
                {{"retry-after", Cat(ask_again)}});
  }

  http::Response NewOrder(const json::Value& payload) {
    Order order;
    order.identifiers = payload["identifiers"];
    std::string domain;
    for (const json::Value& identifier : order.identifiers.Items()) {
      const std::string name = identifier.String("value");
      order.name_set += (order.name_set.empty() ? "" : ",") + name;
      domain = name.substr(name.find('.') + 1);
    }
    const std::string replaces = payload.String("replaces");
    Issued* replaced = replaces.empty() ? nullptr : FindIssued(replaces);
    const bool free = replaced != nullptr && !replaced->replaced;
    const UnixSeconds now = clock_.True();
    const bool renews = !histories[order.name_set].issued.empty();
    if (!free) {
      if (auto refusal = Refusal(order.name_set, domain, renews)) return *refusal;
    }
    limits_.orders.Count("", now);
    limits_.exact_set.Count(order.name_set, now);
    if (!renews) limits_.registered_domain.Count(domain, now);
    if (free) ++replacing;
    if (replaced != nullptr) replaced->replaced = true;
    ++orders;
    histories[order.name_set].ordered.push_back(now);
    order.status = cannot_see(order.name_set) ? "pending" : "ready";
    const std::string id = Cat(orders);
    const json::Value shown = OrderJson(id, order);
    open_[id] = std::move(order);
    return Json(201, shown, {{"location", base_ + "order/" + id}});
  }

  std::optional<http::Response> Refusal(const std::string& name_set, const std::string& domain,
                                        bool renews) {
    if (!limited) return std::nullopt;
    const UnixSeconds now = clock_.True();
    const struct {
      const char* name;
      UnixSeconds until;
    } all[] = {
        {"orders", limits_.orders.WaitUntil("", now)},
        {"exact_set", limits_.exact_set.WaitUntil(name_set, now)},
        {"registered_domain",
         renews ? 0 : limits_.registered_domain.WaitUntil(domain, now)},
        {"failed_validations", limits_.failed_validations.WaitUntil(name_set, now)},
    };
    for (const auto& limit : all) {
      if (limit.until == 0) continue;
      ++refused[limit.name];
      return Problem(429, "rateLimited", Cat("too many: ", limit.name),
                     {{"retry-after", Cat(limit.until - now)}});
    }
    return std::nullopt;
  }

  json::Value OrderJson(const std::string& id, const Order& order) const {
    json::Value body =
        json::Value::Object({{"status", order.status},
                             {"identifiers", order.identifiers},
                             {"authorizations", json::Array{json::Value(base_ + "authz/" + id)}},
                             {"finalize", base_ + "finalize/" + id}});
    if (order.status == "valid") body.Set("certificate", base_ + "cert/" + id);
    return body;
  }
  json::Value AuthorizationJson(const std::string& id, const Order& order) const {
    const std::string status = order.status == "pending" || order.status == "invalid"
                                   ? order.status
                                   : "valid";
    return json::Value::Object({{"identifier", order.identifiers.Items()[0]},
                                {"status", status},
                                {"challenges", json::Array{ChallengeJson(id, order)}}});
  }
  json::Value ChallengeJson(const std::string& id, const Order& order) const {
    json::Value body = json::Value::Object({{"type", "http-01"},
                                            {"url", base_ + "challenge/" + id},
                                            {"token", Cat("token-of-the-order-", id)},
                                            {"status", order.status}});
    if (order.status == "invalid") {
      body.Set("error", json::Value::Object({{"type", "urn:ietf:params:acme:error:connection"},
                                             {"detail", "connection refused"}}));
    }
    return body;
  }

  http::Response Finalize(const std::string& id, Order& order, const json::Value& payload) {
    const UnixSeconds now = clock_.True();
    Issued issued{order.name_set, now - kHour, now - kHour + lifetime};
    order.chain = root_.Sign(FromBase64Url(payload.String("csr")).value_or(""), issued.not_before,
                             issued.not_after) +
                  root_.Pem();
    order.status = "valid";
    History& history = histories[order.name_set];
    if (history.valid_until > 0) history.uncovered += std::max<UnixSeconds>(0, now - history.valid_until);
    history.valid_until = issued.not_after;
    history.issued.push_back(now);
    issued_.push_back(std::move(issued));
    return Json(200, OrderJson(id, order));
  }

  static constexpr std::size_t kFirstSerial = 0x1002;  // of fake_pki's Authority

  SimClock& clock_;
  const std::string base_ = "https://ca.test/";
  std::mutex mutex_;
  acme::testing::Authority root_{"Simulated Root"};
  CaLimits limits_;
  std::map<std::string, Order> open_;  // by id
  std::vector<Issued> issued_;         // by serial number
  int nonces_ = 0;
};

}  // namespace certwright::sim
