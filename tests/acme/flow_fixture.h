// One order walked through the CA in memory, with everything that was saved and told on the way.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <variant>

#include "certwright/acme/order_flow.h"
#include "certwright/crypto/certificate.h"
#include "certwright/crypto/jws.h"
#include "fake_ca.h"

namespace certwright::acme::testing {

// The first certificate of a PEM text, its lines broken as ours are.
inline std::string FirstOf(const std::string& pem) {
  return ToPem("CERTIFICATE", SplitPem(pem).at(0).der);
}

class FlowTest : public ::testing::Test {
 protected:
  FlowTest() { Reset(); }

  FakeCa& ca() { return *ca_; }

  // Another CA, another order and other fakes, for the next row of a table.
  void Reset() {
    client_.reset();
    clock_ = std::make_unique<FakeClock>();
    presenter_ = std::make_unique<FakePresenter>(*clock_);
    ca_ = std::make_unique<FakeCa>();
    Reconnect();
    order_ = {};
    order_.directory = kDirectoryUrl;
    order_.key_pem = key_.ToPkcs8Pem();
    UseNames(1);
    on_save_ = {};
    Forget();
  }

  // What was seen so far; the CA and the order stay.
  void Forget() {
    ca_->Forget();
    journal_.clear();
    saves_.clear();
    told_.clear();
  }

  // As a process that starts: no directory and no nonce is known.
  void Reconnect() { client_ = std::make_unique<Client>(kDirectoryUrl, *ca_, *clock_); }

  void UseNames(int count) {
    order_.identifiers.clear();
    for (int i = 1; i <= count; ++i) {
      order_.identifiers.push_back({model::IdentifierType::kDns, Cat("n", i, ".test")});
    }
    std::sort(order_.identifiers.begin(), order_.identifiers.end());
  }

  // Steps until the end in one flow, as one process would; gives the failure, or none.
  std::optional<Failure> Run(std::stop_token stop = {}) {
    const auto before = ca_->before;
    ca_->before = [&, before](const Seen& seen) {
      if (seen.request.method == "POST") {
        const std::lock_guard guard(mutex_);
        journal_.push_back(seen.kind);
      }
      return before ? before(seen) : std::nullopt;
    };
    const std::optional<Failure> failure = StepToTheEnd(stop);
    ca_->before = before;
    return failure;
  }

  void ExpectDone() {
    const std::optional<Failure> failure = Run();
    ASSERT_FALSE(failure.has_value()) << failure->detail;
    EXPECT_EQ(order_.state, model::OrderState::kDone);
    EXPECT_EQ(crypto::InspectChain(order_.chain_pem).at(0).names, order_.identifiers);
    EXPECT_EQ(order_.attempts, 0);
  }

  // An answer in place of the CA's own to each request of this kind, or an exception.
  void Instead(const std::string& kind, std::function<http::Response()> answer) {
    ca_->before = [kind, answer](const Seen& seen) -> std::optional<http::Response> {
      if (seen.kind != kind) return std::nullopt;
      return answer();
    };
  }
  // A change of each answer to requests of this kind.
  void Spoil(const std::string& kind, std::function<void(http::Response&)> change) {
    ca_->after = [kind, change](const Seen& seen, http::Response& answer) {
      if (seen.kind == kind) change(answer);
    };
  }

  // The sleeps that took time, in milliseconds.
  std::vector<int> Pauses() const {
    std::vector<int> pauses;
    for (const Millis pause : clock_->Sleeps()) {
      if (pause.count() > 0) pauses.push_back(static_cast<int>(pause.count()));
    }
    return pauses;
  }
  // How long it would have waited for fetches, in milliseconds.
  std::vector<int> Timeouts() const {
    std::vector<int> timeouts;
    for (const FakePresenter::Waited& wait : presenter_->Waits()) {
      timeouts.push_back(static_cast<int>(wait.timeout.count()));
    }
    return timeouts;
  }
  int Elapsed() const {
    return static_cast<int>(
        std::chrono::duration_cast<Millis>(clock_->SteadyNow().time_since_epoch()).count());
  }

  const crypto::PrivateKey key_ = crypto::PrivateKey::Generate(model::KeyType::kEc256);
  std::unique_ptr<FakeClock> clock_;
  std::unique_ptr<FakePresenter> presenter_;
  std::unique_ptr<FakeCa> ca_;
  std::unique_ptr<Client> client_;
  Signer signer_{crypto::PrivateKey::Generate(model::KeyType::kEc256), "https://ca.test/account/1"};
  model::OrderRecord order_;
  std::function<void()> on_save_;  // may throw: nothing is saved then

  std::mutex mutex_;
  std::vector<std::string> journal_;  // POSTs and saves
  std::vector<model::OrderRecord> saves_;
  std::vector<std::string> told_;  // steps

 private:
  std::optional<Failure> StepToTheEnd(std::stop_token stop) {
    const auto save = [&](const model::OrderRecord& record) {
      if (on_save_) on_save_();
      saves_.push_back(record);
      journal_.push_back(Cat("SAVE(", model::OrderStateName(record.state), ")"));
    };
    const auto tell = [&](const model::Progress& step) { told_.push_back(step.step); };
    OrderFlow flow(*client_, signer_, *presenter_, *clock_, save, tell);
    for (int steps = 0; steps < 300; ++steps) {
      const Outcome outcome = flow.Step(order_, stop);
      if (std::holds_alternative<Done>(outcome)) return std::nullopt;
      if (const auto* failed = std::get_if<Failed>(&outcome)) return failed->failure;
      flow.Pause(std::get<Wait>(outcome), stop);
    }
    ADD_FAILURE() << "the flow does not end";
    return Failure{};
  }
};

}  // namespace certwright::acme::testing
