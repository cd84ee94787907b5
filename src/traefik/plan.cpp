#include "plan.h"

#include <algorithm>
#include <tuple>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/store/events.h"
#include "certwright/store/routes.h"
#include "certwright/store/settings.h"
#include "certwright/traefik/routes.h"
#include "pem_files.h"

namespace certwright::traefik {
namespace {

// Of several with the same names Traefik would take one: it gets the first, an upload before one of a
// CA, as get-certificate ranks them, and then the one that is valid longer.
auto Rank(const model::CertificateVersion& version) {
  return std::tuple(TraefikKey(version), version.origin != model::Origin::kUpload,
                    -version.not_after, version.certificate_id);
}

// Where the responder listens on all addresses, Traefik is led to the loopback.
std::string Reachable(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  for (const std::string_view any : {"0.0.0.0:", "[::]:", ":"}) {
    const std::string start = Cat(kScheme, any);
    if (url.starts_with(start)) return Cat(kScheme, "127.0.0.1:", url.substr(start.size()));
  }
  return url;
}

// Of each set of names the first, what is left goes to `outranked`.
void TakeFirsts(std::vector<model::CertificateVersion>& versions,
                std::vector<model::CertificateVersion>& outranked) {
  std::vector<model::CertificateVersion> firsts;
  for (auto& version : versions) {
    const bool again = !firsts.empty() && TraefikKey(firsts.back()) == TraefikKey(version);
    (again ? outranked : firsts).push_back(std::move(version));
  }
  versions = std::move(firsts);
}

std::string KeyOf(std::vector<std::string> names) {
  for (auto& name : names) name = ToLower(name);
  std::sort(names.begin(), names.end());
  return Join(names, ",");
}

}  // namespace

std::string TraefikKey(const model::CertificateVersion& version) {
  return KeyOf(model::Names(version.names));
}

// What does not pass was written into the store by something else than the actions: it must not take
// the others with it.
std::vector<model::Route> Publisher::Plan::TakePassing(std::vector<model::Route> all) {
  std::vector<model::Route> passing;
  for (auto& route : all) {
    if (const auto problem = ProblemOf(route)) {
      left_out.push_back(Cat("route ", Printable(route.instance), " is left out: ", problem->field,
                             ": ", problem->words));
    } else {
      passing.push_back(std::move(route));
    }
  }
  return passing;
}

bool Outranks(const model::CertificateVersion& one, const model::CertificateVersion& other) {
  return TraefikKey(one) == TraefikKey(other) && Rank(one) < Rank(other);
}

Publisher::Plan Publisher::MakePlan() {
  Plan plan;
  DynamicConfiguration configuration;
  std::string default_key;
  database_.Read([&](store::Session& session) {
    auto self_signed = store::FindSelfSigned(session);
    if (!self_signed) {
      throw Error(FailureCode::kInternal,
                  "the store holds no self-signed pair for Traefik's default");
    }
    plan.self_signed = std::move(*self_signed);
    plan.self_signed.origin = model::Origin::kSelfSigned;
    plan.last_event = store::LastEvent(session);
    plan.versions = store::ListCurrentVersions(session);
    default_key = KeyOf(store::FindDefaultNames(session));
    configuration.routes = plan.TakePassing(store::ListRoutes(session));
    configuration.forwarded_depth = store::FindTrustedProxies(session).depth;
  });
  std::sort(plan.versions.begin(), plan.versions.end(),
            [](const auto& a, const auto& b) { return Rank(a) < Rank(b); });
  TakeFirsts(plan.versions, plan.outranked);
  const auto by_default =
      std::find_if(plan.versions.begin(), plan.versions.end(), [&](const auto& version) {
        return !default_key.empty() && TraefikKey(version) == default_key;
      });
  plan.default_version = by_default == plan.versions.end() ? plan.self_signed : *by_default;

  const PemFiles files(options_.certificate_dir, options_.group);
  configuration.http_entrypoint = options_.http_entrypoint;
  configuration.https_entrypoint = options_.https_entrypoint;
  configuration.challenge_url = Reachable(options_.challenge_url);
  configuration.default_certificate = files.For(plan.default_version);
  std::string fingerprints;
  for (const auto& version : plan.versions) {
    configuration.certificates.push_back(files.For(version));
    fingerprints += version.fingerprint;
  }

  // The generation stands for the text around it, and for what is in the files: after a restored
  // backup the same name may hold another certificate.
  configuration.generation.assign(1, '0');
  plan.generation = Digest(Render(configuration) + fingerprints);
  configuration.generation = plan.generation;
  plan.text = Render(configuration);
  plan.routes = std::move(configuration.routes);

  const auto remember = [&](const CertificateFiles& pair) {
    plan.files.insert(pair.cert.filename().string());
    plan.files.insert(pair.key.filename().string());
  };
  for (const auto& pair : configuration.certificates) remember(pair);
  remember(configuration.default_certificate);
  remember(files.For(plan.self_signed));
  return plan;
}

}  // namespace certwright::traefik
