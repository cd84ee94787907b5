#include <utility>

#include "certwright/acme/order_flow.h"
#include "certwright/acme/retry.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"

namespace certwright::acme {

using model::OrderRecord;
using model::OrderState;

namespace {

constexpr std::size_t kMaxChainBytes = 1 << 20;

}  // namespace

// A page of a proxy in place of the chain is no reason to lose a certificate that was issued: it is
// asked for again. A chain that is one, but a wrong one, is for CheckedVersion to refuse.
Answer OrderFlow::FetchChain(const std::string& url, std::stop_token stop) {
  Answer answer = client_.PostAsGet(signer_, url, stop, kMaxChainBytes);
  const std::size_t last = answer.text.rfind("-----BEGIN ");
  const bool whole =
      last != std::string::npos && answer.text.find("-----END ", last) != std::string::npos;
  if (!whole) {
    Failure failure;
    failure.code = FailureCode::kProtocol;
    failure.detail = Cat("the CA sent ", Trim(answer.text).empty() ? "nothing" : "something else",
                         " where the certificate's PEM chain is expected");
    failure.advice = "a proxy or a captive portal may stand between this machine and the CA";
    failure.transient = true;
    throw Error(std::move(failure));
  }
  return answer;
}

// Section 7.4.2. Every chain is checked before anything else is read from it. An alternate that
// cannot be had is no reason to be without a certificate.
model::CertificateVersion OrderFlow::ChooseChain(const OrderRecord& order, const Answer& answer,
                                                 std::stop_token stop) {
  const auto preferred = [&](const model::CertificateVersion& version) {
    return crypto::ChainHasIssuer(crypto::InspectChain(version.chain_pem), order.preferred_chain);
  };
  model::CertificateVersion own = Checked(order, answer.text);
  if (order.preferred_chain.empty() || preferred(own)) return own;
  for (const std::string& url : answer.alternates) {
    try {
      model::CertificateVersion other = Checked(order, FetchChain(url, stop).text);
      if (preferred(other)) return other;
    } catch (const Error& error) {
      const Failure& failure = error.failure();
      if (failure.code == FailureCode::kCancelled) throw;
      // The step is taken again as long as that may help.
      if (StepRetryDelay(failure, order.attempts + 1, clock_.Now())) throw;
      log::Warning(Cat("an alternate chain is left out: ", failure.detail));
    }
  }
  log::Warning(Cat("no chain of issuer '", Printable(order.preferred_chain, 100),
                   "' is offered: the CA's own choice is kept"));
  return own;
}

Outcome OrderFlow::Fetch(OrderRecord& order, std::stop_token stop) {
  Done done{ChooseChain(order, FetchChain(order.certificate_url, stop), stop)};
  order.chain_pem = done.version.chain_pem;
  order.state = OrderState::kDone;
  Tell("certificate", "certificate fetched and checked", 90);
  return done;
}

model::CertificateVersion OrderFlow::Checked(const OrderRecord& order,
                                             const std::string& chain_pem) const {
  return crypto::CheckedVersion(chain_pem, order.key_pem, order.identifiers, clock_.Now());
}

}  // namespace certwright::acme
