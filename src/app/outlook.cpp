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

// Every name is there.
class OneAddress : public probe::Resolver {
 public:
  explicit OneAddress(std::string address) : address_(std::move(address)) {}
  probe::Addresses LookUpAddresses(const std::string&, std::stop_token) override {
    return {probe::DnsStatus::kFound, {address_}, ""};
  }
  probe::CaaRecords LookUpCaa(const std::string&, std::stop_token) override {
    return {probe::DnsStatus::kNothing, {}, ""};
  }

 private:
  const std::string address_;
};

model::Finding::State StateOf(probe::Verdict verdict) {
  switch (verdict) {
    case probe::Verdict::kGood: return model::Finding::State::kOk;
    case probe::Verdict::kBad: return model::Finding::State::kProblem;
    case probe::Verdict::kUnknown: break;
  }
  return model::Finding::State::kUnknown;
}

model::Finding SightFinding(const probe::Sight& sight) {
  const bool of_name = sight.address.empty();
  return {of_name ? "dns" : "http-01",
          of_name ? sight.name : Cat(sight.name, " (", sight.address, ")"),
          StateOf(sight.verdict), sight.saw, sight.advice};
}

model::Finding CaaFinding(const std::string& name, const probe::CaaDecision& decision) {
  using Verdict = probe::CaaDecision::Verdict;
  using State = model::Finding::State;
  if (decision.verdict == Verdict::kForbidden) {
    return {"caa", name, State::kProblem, decision.saw,
            "change this record, or order from a CA that it names"};
  }
  if (decision.verdict == Verdict::kUnknown) {
    return {"caa", name, State::kUnknown,
            decision.saw.empty() ? "it cannot be told" : decision.saw, ""};
  }
  return {"caa", name, State::kOk, decision.saw.empty() ? "the CA may issue" : decision.saw, ""};
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
  const std::vector<probe::Sight> sights = Sights(names, dns_, path_, stop);
  switch (probe::Worst(sights)) {
    case probe::Verdict::kGood: return {true, "every address of every name leads here"};
    case probe::Verdict::kBad: return {false, probe::Summary(sights)};
    case probe::Verdict::kUnknown: break;
  }
  return {std::nullopt, probe::Summary(sights)};
}

std::vector<probe::Sight> Outlook::Sights(const std::vector<model::Identifier>& names,
                                          probe::Resolver& resolver,
                                          const probe::PathOptions& path, std::stop_token stop) {
  const auto present = [this](const std::string& token, const std::string& key_authorization) {
    return Present(token, key_authorization);
  };
  return probe::LookAtChallengePath(names, resolver, present, SystemRandom(), path, stop);
}

std::vector<model::Finding> Outlook::Examine(const std::vector<model::Identifier>& names,
                                             std::stop_token stop) {
  std::vector<model::Finding> findings;
  std::optional<probe::CaaIssuer> issuer;
  try {
    if (issuer_) issuer = issuer_(stop);
  } catch (const Error& error) {
    log::Debug(Cat("CAA is not looked at: ", error.what()));  // the CA does not answer
  }
  std::vector<probe::CaaDecision> decisions(names.size());
  if (issuer) {
    RunSideBySide(names.size(), kSideBySide, [&](std::size_t i) {
      decisions[i] = probe::CaaAllows(dns_, names[i], *issuer, stop);
    });
  }
  const std::vector<probe::Sight> sights = Sights(names, dns_, path_, stop);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (issuer) findings.push_back(CaaFinding(names[i].value, decisions[i]));
    for (const probe::Sight& sight : sights) {
      if (sight.name == names[i].value) findings.push_back(SightFinding(sight));
    }
  }
  return findings;
}

std::vector<model::Finding> Outlook::LookThrough(const std::string& address, int http_port,
                                                 int https_port, std::stop_token stop) {
  // RFC 6761: a name below "invalid" is nobody's.
  const std::vector<model::Identifier> nobody{{model::IdentifierType::kDns, "certwright.invalid"}};
  OneAddress resolver(address);
  probe::PathOptions path = path_;
  path.http_port = http_port;
  path.https_port = https_port;
  std::vector<model::Finding> findings;
  for (const probe::Sight& sight : Sights(nobody, resolver, path, stop)) {
    model::Finding found = SightFinding(sight);
    found.subject = Cat("through Traefik at ", address, ":", http_port);
    findings.push_back(std::move(found));
  }
  return findings;
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
