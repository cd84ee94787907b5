#include "certwright/probe/challenge_path.h"

#include <algorithm>
#include <mutex>

#include "certwright/base/error.h"
#include "certwright/base/parallel.h"
#include "certwright/base/text.h"
#include "walk.h"

namespace certwright::probe {
namespace {

constexpr std::size_t kSideBySide = 16;

struct Job {
  std::string name;
  std::string address;
};

Sight Unknown(std::string name, std::string saw, std::string advice) {
  return {std::move(name), "", Verdict::kUnknown, std::move(saw), std::move(advice)};
}

// The addresses of one name, or what there is to say instead.
void Resolve(const model::Identifier& name, Resolver& resolver, std::stop_token stop,
             std::vector<Job>& jobs, std::vector<Sight>& sights) {
  if (name.type == model::IdentifierType::kIp) {
    jobs.push_back({name.value, name.value});
    return;
  }
  if (name.value.starts_with("*.")) {
    sights.push_back(Unknown(name.value, "a wildcard has no address to look at", ""));
    return;
  }
  const Addresses found = resolver.LookUpAddresses(name.value, std::move(stop));
  for (const std::string& address : found.addresses) jobs.push_back({name.value, address});
  if (!found.problem.empty()) {
    sights.push_back(Unknown(name.value, found.problem, "check the name servers of the domain"));
  } else if (found.addresses.empty()) {
    sights.push_back({name.value, "", Verdict::kBad, "the name has no A and no AAAA record",
                      "add a record that leads to this machine"});
  }
}

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood: return "good";
    case Verdict::kBad: return "bad";
    case Verdict::kUnknown: return "unknown";
  }
  return "unknown";
}

std::vector<Sight> LookAtChallengePath(const std::vector<model::Identifier>& names,
                                       Resolver& resolver, const Present& present, Random& random,
                                       const PathOptions& options, std::stop_token stop) {
  // In the form of a CA's: base64url, 128 bits and more (RFC 8555 section 8.3).
  const Token token{RandomHex(random, 16), RandomHex(random, 32)};
  std::shared_ptr<void> presented;
  try {
    presented = present(token.value, token.key_authorization());
  } catch (const std::exception& error) {
    return {Unknown(names.empty() ? "" : names.front().value, Printable(error.what()),
                    "make the responder listen (http01.listen)")};
  }
  std::mutex mutex;
  std::vector<Job> jobs;
  std::vector<Sight> sights;
  RunSideBySide(names.size(), kSideBySide, [&](std::size_t i) {
    std::vector<Job> own_jobs;
    std::vector<Sight> own_sights;
    Resolve(names[i], resolver, stop, own_jobs, own_sights);
    const std::lock_guard guard(mutex);
    jobs.insert(jobs.end(), own_jobs.begin(), own_jobs.end());
    sights.insert(sights.end(), own_sights.begin(), own_sights.end());
  });
  RunSideBySide(jobs.size(), kSideBySide, [&](std::size_t i) {
    Sight sight = Walk(jobs[i].name, jobs[i].address, token, resolver, options, stop);
    const std::lock_guard guard(mutex);
    sights.push_back(std::move(sight));
  });
  std::sort(sights.begin(), sights.end(), [](const Sight& a, const Sight& b) {
    return std::tie(a.name, a.address) < std::tie(b.name, b.address);
  });
  return sights;
}

Verdict Worst(const std::vector<Sight>& sights) {
  Verdict worst = sights.empty() ? Verdict::kUnknown : Verdict::kGood;
  for (const Sight& sight : sights) {
    if (sight.verdict == Verdict::kBad) return Verdict::kBad;
    if (sight.verdict == Verdict::kUnknown) worst = Verdict::kUnknown;
  }
  return worst;
}

std::string Summary(const std::vector<Sight>& sights) {
  const Verdict worst = Worst(sights);
  const auto found = std::find_if(sights.begin(), sights.end(),
                                  [&](const Sight& sight) { return sight.verdict == worst; });
  if (found == sights.end()) return "nothing was looked at";
  return Cat(found->name, found->address.empty() ? "" : Cat(" (", found->address, ")"), ": ",
             found->saw, found->advice.empty() ? "" : "; ", found->advice);
}

}  // namespace certwright::probe
