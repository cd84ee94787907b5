// A CA in memory: every name is proved already, what it does with an order is up to the test.
#pragma once

#include <botan/auto_rng.h>
#include <botan/ec_group.h>
#include <botan/ecdsa.h>
#include <botan/pkcs10.h>
#include <botan/x509_ca.h>
#include <botan/x509self.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "certwright/base/clock.h"
#include "certwright/base/encoding.h"
#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/http/transport.h"
#include "certwright/json/value.h"

namespace certwright::actions {

inline constexpr char kDirectory[] = "https://ca.test/directory";

class FakeCa : public http::Transport {
 public:
  enum class Mood {
    kUnreachable,  // refuses every connection
    kSilent,       // takes an order and answers when the mood changes
    kRefusing,     // says no to every order, in `words`
    kIssuing,
  };
  explicit FakeCa(Clock& clock) : clock_(clock) {}

  std::atomic<Mood> mood = Mood::kIssuing;
  std::string words = "no";
  std::atomic<int> orders = 0;
  std::atomic<int> revocations = 0;

  http::Response Send(const http::Request& request, std::stop_token stop) override {
    if (mood == Mood::kUnreachable) {
      Failure failure;
      failure.code = FailureCode::kNetwork;
      failure.detail = "cannot connect to \"ca.test\": connection refused";
      failure.transient = true;
      throw Error(failure);
    }
    const std::lock_guard guard(mutex_);
    http::Response response = Answer(request, stop);
    response.headers.emplace_back("replay-nonce", Cat("nonce", ++nonces_));
    return response;
  }

 private:
  static constexpr char kOrder[] = "https://ca.test/order/";

  static json::Value Payload(const http::Request& request) {
    const std::string text =
        FromBase64Url(json::Parse(request.body).String("payload")).value_or("");
    return text.empty() ? json::Value() : json::Parse(text);
  }

  static http::Response Json(int status, const json::Value& body, std::string location = "") {
    http::Response response;
    response.status = status;
    response.body = json::Write(body);
    response.headers = {{"content-type", status < 400 ? "application/json"
                                                      : "application/problem+json"}};
    if (!location.empty()) response.headers.emplace_back("location", location);
    return response;
  }

  http::Response Answer(const http::Request& request, std::stop_token stop) {
    if (request.url == kDirectory) {
      return Json(200, json::Value::Object({{"newNonce", "https://ca.test/nonce"},
                                            {"newAccount", "https://ca.test/account"},
                                            {"newOrder", "https://ca.test/orders"},
                                            {"revokeCert", "https://ca.test/revoke"},
                                            {"keyChange", "https://ca.test/key-change"}}));
    }
    if (request.url.ends_with("/nonce")) return Json(200, json::Value::Object());
    if (request.url.ends_with("/account")) {
      return Json(201, json::Value::Object({{"status", "valid"}}), "https://ca.test/account/1");
    }
    if (request.url.ends_with("/account/1")) {
      return Json(200, json::Value::Object({{"status", "valid"}}));
    }
    if (request.url.ends_with("/revoke")) {
      ++revocations;
      return Json(200, json::Value::Object());
    }
    if (request.url.ends_with("/orders")) return NewOrder(request, stop);
    if (request.url.ends_with("/finalize")) return Finalize(request);
    if (request.url.ends_with("/certificate")) {
      http::Response response;
      response.status = 200;
      response.body = chain_;
      response.headers = {{"content-type", "application/pem-certificate-chain"}};
      return response;
    }
    return Json(200, OrderJson());
  }

  http::Response NewOrder(const http::Request& request, std::stop_token stop) {
    ++orders;
    if (mood == Mood::kSilent) {
      while (mood == Mood::kSilent && !stop.stop_requested()) {
        std::this_thread::sleep_for(Millis(1));
      }
      if (stop.stop_requested()) throw Error(FailureCode::kCancelled, "stopped");
    }
    if (mood == Mood::kRefusing) {
      return Json(403, json::Value::Object(
                           {{"type", "urn:ietf:params:acme:error:rejectedIdentifier"},
                            {"detail", words}}));
    }
    identifiers_ = Payload(request)["identifiers"];
    chain_.clear();
    return Json(201, OrderJson(), Cat(kOrder, orders.load()));
  }

  json::Value OrderJson() const {
    const std::string url = Cat(kOrder, orders.load());
    json::Value order =
        json::Value::Object({{"status", chain_.empty() ? "ready" : "valid"},
                             {"identifiers", identifiers_},
                             {"authorizations", json::Array{"https://ca.test/authorization/1"}},
                             {"finalize", Cat(url, "/finalize")}});
    if (!chain_.empty()) order.Set("certificate", Cat(url, "/certificate"));
    return order;
  }

  http::Response Finalize(const http::Request& request) {
    const std::string der = FromBase64Url(Payload(request).String("csr")).value_or("");
    const std::vector<std::uint8_t> bytes(der.begin(), der.end());
    const Botan::PKCS10_Request csr(bytes);
    if (!issuer_) {
      issuer_key_ = std::make_unique<Botan::ECDSA_PrivateKey>(random_,
                                                              Botan::EC_Group("secp256r1"));
      Botan::X509_Cert_Options options("A fake CA");
      options.CA_key();
      issuer_ = std::make_unique<Botan::X509_Certificate>(
          Botan::X509::create_self_signed_cert(options, *issuer_key_, "SHA-256", random_));
    }
    const Botan::X509_CA ca(*issuer_, *issuer_key_, "SHA-256", random_);
    const auto at = [&](UnixSeconds time) {
      return Botan::X509_Time(std::chrono::system_clock::from_time_t(time));
    };
    const UnixSeconds now = clock_.Now();
    chain_ = ca.sign_request(csr, random_, at(now - 3600), at(now + 90 * 24 * 3600)).PEM_encode();
    return Json(200, OrderJson());
  }

  Clock& clock_;
  std::mutex mutex_;
  int nonces_ = 0;
  json::Value identifiers_;
  std::string chain_;
  Botan::AutoSeeded_RNG random_;
  std::unique_ptr<Botan::ECDSA_PrivateKey> issuer_key_;
  std::unique_ptr<Botan::X509_Certificate> issuer_;
};

}  // namespace certwright::actions
