// ACME porcelain: one order from newOrder to the checked certificate, as one state machine.
//
//   kCreating -> kPending -> kValidating -> kReady -> kProcessing -> kIssued -> kDone
//                                                             (anywhere) -> kFailed
//
// Each Step makes the requests of one state, side by side where there are several. The record is
// saved before each request that changes something at the CA, so a process that died takes the same
// order up again (invariant I2): a flow made for a stored record first looks where the CA says the
// order stands.
//
// The class is in four files of src/acme: order_flow.cpp (the states), order_authorizations.cpp,
// order_polling.cpp and order_chain.cpp.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "certwright/acme/client.h"
#include "certwright/acme/http01.h"
#include "certwright/base/clock.h"
#include "certwright/base/error.h"
#include "certwright/model/certificate.h"
#include "certwright/model/order.h"
#include "certwright/model/progress.h"

namespace certwright::acme {

// The record is kDone: the chain was checked against key, names and time (CheckedVersion).
struct Done {
  model::CertificateVersion version;
};

// Nothing to do for now: step again after `at_most`, or as soon as the CA has fetched `tokens`
// (again).
struct Wait {
  Millis at_most{0};
  std::vector<std::string> tokens;  // empty: only time helps
  std::optional<Failure> because;   // a transient failure that is being waited out
};

// The end for this run. Where failure.transient the record is as it was and can be stepped again at
// failure.retry_at or later; otherwise it is kFailed.
struct Failed {
  Failure failure;
};

using Outcome = std::variant<Done, Wait, Failed>;

class OrderFlow {
 public:
  using Save = std::function<void(const model::OrderRecord&)>;

  // All references must outlive the flow. One flow belongs to one record and one thread.
  OrderFlow(Client& client, const Signer& signer, Http01Presenter& presenter, Clock& clock,
            Save save, model::ProgressSink progress);
  ~OrderFlow();  // withdraws the tokens that it presented

  Outcome Step(model::OrderRecord& order, std::stop_token stop);
  // Waits as the Wait says and remembers the news that came. False when `stop`.
  bool Pause(const Wait& wait, std::stop_token stop);

 private:
  Outcome Advance(model::OrderRecord& order, std::stop_token stop);
  Outcome Create(model::OrderRecord& order, std::stop_token stop);
  Answer SendNewOrder(model::OrderRecord& order, std::stop_token stop);
  Outcome StartChallenges(model::OrderRecord& order, std::stop_token stop);
  Outcome Poll(model::OrderRecord& order, std::stop_token stop);
  Outcome Finalize(model::OrderRecord& order, std::stop_token stop);
  Outcome Fetch(model::OrderRecord& order, std::stop_token stop);
  Answer FetchChain(const std::string& url, std::stop_token stop);
  model::CertificateVersion ChooseChain(const model::OrderRecord& order, const Answer& answer,
                                        std::stop_token stop);
  model::CertificateVersion Checked(const model::OrderRecord& order,
                                    const std::string& chain_pem) const;

  Outcome Adopt(model::OrderRecord& order, const Order& seen, std::optional<Millis> retry_after,
                std::stop_token stop);
  void ReadAuthorizations(model::OrderRecord& order, std::stop_token stop);
  Failure ReasonOfInvalid(model::OrderRecord& order, const Order& seen, std::stop_token stop);
  Wait NextPoll(const model::OrderRecord& order, std::optional<Millis> retry_after);
  Outcome AfterFailure(model::OrderRecord& order, Failure failure);
  Order ReadOrder(const model::OrderRecord& order, const Answer& answer) const;
  std::size_t MaxOrderBytes(const model::OrderRecord& order) const;
  void Tell(std::string step, std::string text, int percent) const;

  Client& client_;
  const Signer& signer_;
  Http01Presenter& presenter_;
  Clock& clock_;
  Save save_;
  model::ProgressSink progress_;

  bool in_step_with_ca_ = false;  // the record's state was seen at the CA by this flow
  int news_ = 0;                  // so often the CA had fetched every token (again)
  int polls_ = 0;                 // of the present state, since the last news
  model::OrderState furthest_ = model::OrderState::kCreating;  // that a step ended in
  std::optional<model::OrderState> waits_for_;  // the CA, in this state
  Steady waits_since_{};
  std::vector<std::string> presented_;
};

}  // namespace certwright::acme
