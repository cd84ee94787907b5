#include "certwright/traefik/health.h"

#include <unistd.h>

#include <utility>

#include "address.h"
#include "api.h"
#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/traefik/dynamic.h"

namespace certwright::traefik {
namespace {

using State = model::Finding::State;

class Look {
 public:
  Look(const TraefikOptions& options, http::Transport& transport, std::stop_token stop)
      : options_(options), api_(transport, options.api), stop_(std::move(stop)) {}

  Health Go() {
    Directory();
    if (options_.api.empty()) {
      Add("traefik.api", State::kUnknown, "it is not set: what Traefik has loaded is not known",
          "turn Traefik's API on, on loopback, and set traefik.api to its base URL");
      return std::move(health_);
    }
    try {
      EntryPoints();
      Challenge();
    } catch (const Error& error) {
      const bool stopped = error.failure().code == FailureCode::kCancelled;
      Add(options_.api, stopped ? State::kUnknown : State::kProblem,
          stopped ? "stopped" : error.failure().detail,
          stopped ? "" : "start Traefik; its API must be where traefik.api says");
    }
    return std::move(health_);
  }

 private:
  void Add(std::string subject, State state, std::string saw, std::string advice) {
    health_.findings.push_back(
        {"traefik", std::move(subject), state, std::move(saw), std::move(advice)});
  }

  void Directory() {
    const std::string dir = options_.dynamic_dir.string();
    if (::access(dir.c_str(), W_OK | X_OK) == 0) {
      return Add(dir, State::kOk, "can be written", "");
    }
    Add(dir, State::kProblem, "cannot be written by this user",
        "make it the directory that Traefik's file provider watches, and let Certwright write there");
  }

  HostPort EntryPointOf(const std::string& name, const std::string& key) {
    const EntryPoint found = api_.FindEntryPoint(name, stop_);
    const auto address = ParseAddress(found.address);
    if (!address) {
      Add(name, State::kProblem, "Traefik has no entry point of this name",
          Cat("give it one, or set ", key, " to the name that it has"));
      return {};
    }
    const std::string redirects =
        found.redirects_to.empty() ? "" : Cat(", redirects all to ", found.redirects_to);
    Add(name, State::kOk, Cat("listens at ", found.address, redirects), "");
    return *address;
  }

  void EntryPoints() {
    health_.http = EntryPointOf(options_.http_entrypoint, "traefik.http_entrypoint");
    health_.https = EntryPointOf(options_.https_entrypoint, "traefik.https_entrypoint");
  }

  void Challenge() {
    const RouterState router = api_.Router(kChallengeName, stop_);
    if (router.status.empty()) {
      Add(kChallengeName, State::kProblem, "Traefik does not have the route of the challenges",
          Cat("its file provider must watch ", options_.dynamic_dir.string(),
              ", which must be there when it starts; its log says what it could not read"));
    } else if (router.status != "enabled") {
      Add(kChallengeName, State::kProblem, Cat("Traefik does not take it: ", router.error),
          "see Traefik's log");
    } else {
      Add(kChallengeName, State::kOk, "the route of the challenges is there", "");
    }
    // Its own resolver answers 404 for tokens that are not its own, before any route of ours.
    if (api_.Router("acme-http", stop_, "internal").status.empty()) return;
    Add("certificatesResolvers", State::kProblem,
        "a resolver of Traefik's own answers the challenges on the http entry point",
        Cat("remove its httpChallenge, or set entryPoints.", options_.http_entrypoint,
            ".allowACMEByPass to true"));
  }

  const TraefikOptions& options_;
  const Api api_;
  const std::stop_token stop_;
  Health health_;
};

}  // namespace

Health LookAtTraefik(const TraefikOptions& options, http::Transport& transport,
                     std::stop_token stop) {
  return Look(options, transport, std::move(stop)).Go();
}

}  // namespace certwright::traefik
