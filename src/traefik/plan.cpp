#include "plan.h"

#include <algorithm>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/store/events.h"
#include "certwright/store/routes.h"
#include "certwright/store/settings.h"
#include "certwright/traefik/routes.h"
#include "pem_files.h"
#include "ranking.h"

namespace certwright::traefik {
namespace {

// Where the responder listens on all addresses, Traefik is led to the loopback.
std::string Reachable(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  for (const std::string_view any : {"0.0.0.0:", "[::]:", ":"}) {
    const std::string start = Cat(kScheme, any);
    if (url.starts_with(start)) return Cat(kScheme, "127.0.0.1:", url.substr(start.size()));
  }
  return url;
}

// The generation stands for the text around it, and for what is in the files: after a restored
// backup the same name may hold another certificate. Rendering twice would cost twice as much, so
// that it is put into its place afterwards: the marker is the first of what is named so (Render).
std::string SetGeneration(std::string& text, const std::string& fingerprints) {
  const std::string generation = Digest(text + fingerprints);
  const std::string empty = MarkerName("0");
  text.replace(text.find(empty), empty.size(), MarkerName(generation));
  return generation;
}

}  // namespace

// What does not pass was written into the store by something else than the actions: it must not
// take the others with it.
void Publisher::Plan::TakeRoutes(std::vector<model::Route> all) {
  for (auto& route : all) {
    if (const auto problem = ProblemOf(route)) {
      left_out.push_back(Cat("route ", Printable(route.instance), " is left out: ", problem->field,
                             ": ", problem->words));
    } else {
      routes.push_back(std::move(route));
    }
  }
}

void Publisher::Plan::Read(store::Session& session) {
  auto pair = store::FindSelfSigned(session);
  if (!pair) {
    throw Error(FailureCode::kInternal,
                "the store holds no self-signed pair for Traefik's default");
  }
  self_signed = std::move(*pair);
  self_signed.origin = model::Origin::kSelfSigned;
  last_event = store::LastEvent(session);
  versions = store::ListCurrentVersions(session);
  default_key = TraefikKey(store::FindDefaultNames(session));
  TakeRoutes(store::ListRoutes(session));
  forwarded_depth = store::FindTrustedProxies(session).depth;
}

void Publisher::Plan::Rank(UnixSeconds now) {
  Ranking ranking = RankVersions(std::move(versions), now);
  ranked_at = now;
  ranked_until = ranking.until;
  const auto found = std::lower_bound(ranking.keys.begin(), ranking.keys.end(), default_key);
  const bool is_held =
      !default_key.empty() && found != ranking.keys.end() && *found == default_key;
  versions = std::move(ranking.firsts);
  outranked = std::move(ranking.outranked);
  default_version = is_held ? versions[found - ranking.keys.begin()] : self_signed;
}

Publisher::Plan Publisher::MakePlan() {
  Plan plan;
  database_.Read([&](store::Session& session) { plan.Read(session); });
  plan.Rank(clock_.Now());

  const PemFiles files(options_.certificate_dir, options_.group);
  DynamicConfiguration configuration;
  configuration.generation = "0";
  configuration.http_entrypoint = options_.http_entrypoint;
  configuration.https_entrypoint = options_.https_entrypoint;
  configuration.challenge_url = Reachable(options_.challenge_url);
  configuration.default_certificate = files.For(plan.default_version);
  configuration.routes = std::move(plan.routes);
  configuration.forwarded_depth = plan.forwarded_depth;
  std::string fingerprints;
  for (const auto& version : plan.versions) {
    configuration.certificates.push_back(files.For(version));
    fingerprints += version.fingerprint;
  }
  plan.text = Render(configuration);
  plan.generation = SetGeneration(plan.text, fingerprints);
  plan.routes = std::move(configuration.routes);
  return plan;
}

std::set<std::string> Publisher::Plan::Files() const {
  std::set<std::string> names;
  const auto add = [&](const model::CertificateVersion& version) {
    const std::string stem = PemFiles::Stem(version);
    names.insert(stem + ".crt");
    names.insert(stem + ".key");
  };
  for (const auto& version : versions) add(version);
  add(default_version);
  add(self_signed);
  return names;
}

}  // namespace certwright::traefik
