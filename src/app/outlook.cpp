#include "outlook.h"

#include "certwright/base/error.h"
#include "certwright/base/log.h"
#include "certwright/base/parallel.h"
#include "certwright/base/text.h"

namespace certwright::app {

namespace {

constexpr std::size_t kSideBySide = 8;

probe::DnsOptions DnsOf(const config::Config& config) {
  probe::DnsOptions options;
  options.servers = config.probe.resolver;
  return options;
}

probe::PathOptions PathOf(const config::Config& config) {
  probe::PathOptions options;
  options.http_port = config.probe.http_port;
  return options;
}

}  // namespace

Outlook::Outlook(const config::Config& config, acme::Http01Presenter& presenter,
                 std::function<probe::CaaIssuer(std::stop_token)> issuer)
    : dns_(DnsOf(config)),
      path_(PathOf(config)),
      presenter_(presenter),
      issuer_(std::move(issuer)) {}

renewal::Preflight Outlook::Look(const std::vector<model::Identifier>& names,
                                 std::stop_token stop) {
  try {
    const auto forbidden = issuer_ ? CaaForbids(names, issuer_(stop), stop) : std::nullopt;
    if (forbidden) return {false, *forbidden};
  } catch (const Error& error) {
    log::Debug(Cat("CAA is not looked at: ", error.what()));
  }
  const auto present = [this](const std::string& token, const std::string& key_authorization) {
    return Present(token, key_authorization);
  };
  const std::vector<probe::Sight> sights =
      probe::LookAtChallengePath(names, dns_, present, SystemRandom(), path_, stop);
  switch (probe::Worst(sights)) {
    case probe::Verdict::kGood: return {true, "every address of every name leads here"};
    case probe::Verdict::kBad: return {false, probe::Summary(sights)};
    case probe::Verdict::kUnknown: break;
  }
  return {std::nullopt, probe::Summary(sights)};
}

std::optional<std::string> Outlook::CaaForbids(const std::vector<model::Identifier>& names,
                                               const probe::CaaIssuer& issuer,
                                               std::stop_token stop) {
  std::vector<probe::CaaDecision> decisions(names.size());
  RunSideBySide(names.size(), kSideBySide, [&](std::size_t i) {
    decisions[i] = probe::CaaAllows(dns_, names[i], issuer, stop);
  });
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (decisions[i].verdict != probe::CaaDecision::Verdict::kForbidden) continue;
    return Cat(names[i].value, ": ", decisions[i].saw);
  }
  return std::nullopt;
}

std::shared_ptr<void> Outlook::Present(const std::string& token,
                                       const std::string& key_authorization) {
  presenter_.Present(token, key_authorization);
  return {nullptr, [this, token](void*) { presenter_.Withdraw(token); }};
}

}  // namespace certwright::app
