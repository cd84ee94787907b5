// Looks at what Traefik really does.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "address.h"
#include "api.h"
#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/store/certificates.h"
#include "certwright/traefik/dynamic.h"
#include "certwright/traefik/publisher.h"
#include "check_routes.h"
#include "leaf.h"
#include "plan.h"
#include "ranking.h"

namespace certwright::traefik {
namespace {

constexpr Millis kHandshakeTimeout{5'000};
constexpr Millis kFirstPoll{3};
constexpr Millis kLastPoll{100};

// A wildcard is looked at by a name below it.
std::string ServerName(const std::string& name) {
  return name.starts_with("*.") ? Cat("certwright-check", name.substr(1)) : name;
}

std::vector<std::string> HostNames(const model::CertificateVersion& version) {
  std::vector<std::string> names;
  for (const auto& name : version.names) {
    if (name.type == model::IdentifierType::kDns) names.push_back(name.value);
  }
  return names;
}

// Fills what the handshakes say; stops at the first name that shows another certificate.
void LookAt(const PeerLookup& peer, const HostPort& address,
            const model::CertificateVersion& version, const std::string& default_leaf,
            ServedCertificate& result) {
  const std::string wanted = LeafOf(version.chain_pem);
  for (const auto& name : HostNames(version)) {
    result.name = ServerName(name);
    result.served = false;
    result.served_serial.clear();
    std::string leaf;
    try {
      leaf = peer(address.host, address.port, result.name, kHandshakeTimeout);
    } catch (const Error& error) {
      result.problem = Cat("no handshake for ", result.name, ": ", error.failure().detail);
      return;
    }
    result.served_serial = SerialOf(leaf);
    if (leaf != wanted) {
      result.problem = leaf == default_leaf
                           ? Cat("Traefik shows its default certificate for ", result.name)
                           : Cat("Traefik shows another certificate for ", result.name, ", serial ",
                                 result.served_serial);
      return;
    }
    result.served = true;
  }
}

void CheckFile(const Path& file, const std::string& text, CheckReport& report) {
  try {
    report.written = ReadFile(file, 64 << 20) == text;
    if (!report.written) {
      report.problem = Cat(Printable(file.string()),
                           " is not what the store asks for; the daemon writes it at its start");
    }
  } catch (const Error& error) {
    report.problem = error.failure().detail;
  }
}

// Served or not, nobody takes it: that is said before all else.
void CheckDates(const model::CertificateVersion& version, UnixSeconds now,
                ServedCertificate& result) {
  if (model::IsValidAt(version, now)) return;
  const bool is_over = version.not_after <= now;
  result.problem = Cat(is_over ? "this certificate expired at " : "this certificate is valid from ",
                       FormatUtc(is_over ? version.not_after : version.not_before),
                       is_over ? "" : " on", result.problem.empty() ? "" : "; ", result.problem);
}

// Whether the API could be asked.
bool CheckLive(const Api& api, const std::string& generation, CheckReport& report,
               std::stop_token stop) {
  try {
    report.live = api.HasMiddleware(MarkerName(generation), stop);
    if (!report.live && report.written) {
      report.problem =
          "Traefik has not taken certwright.yml; its log says why (another file in that directory "
          "may be "
          "broken)";
    }
    return true;
  } catch (const Error& error) {
    if (error.failure().code == FailureCode::kCancelled) throw;
    if (report.problem.empty()) report.problem = error.failure().detail;
    return false;
  }
}

void CheckLoaded(const Api& api, const model::CertificateVersion& version,
                 ServedCertificate& result, std::stop_token stop) {
  try {
    result.loaded = api.HasCertificate(version.fingerprint, stop);
    if (!result.loaded) {
      // The cause of whatever the handshake showed.
      result.problem = Cat("Traefik has not loaded this certificate; its log says why",
                           result.problem.empty() ? "" : "; ", result.problem);
    }
  } catch (const Error& error) {
    if (error.failure().code == FailureCode::kCancelled) throw;
    if (result.problem.empty()) result.problem = error.failure().detail;
  }
}

std::string Short(const model::CertificateVersion& version) {
  return Cat(version.origin == model::Origin::kUpload ? "the uploaded one" : "the CA's",
             ", serial ", version.serial_hex);
}

void NoteSameNames(const std::vector<model::CertificateVersion>& served,
                   const std::vector<model::CertificateVersion>& outranked, CheckReport& report) {
  std::map<std::string, const model::CertificateVersion*> by_names;
  for (const auto& version : served) by_names[TraefikKey(version)] = &version;
  for (const auto& version : outranked) {
    const std::string names = TraefikKey(version);
    report.notes.push_back(Cat("for ", Printable(names, 120), " Traefik is given ",
                               Short(*by_names[names]), ", and not ", Short(version),
                               ": what is valid goes first, of that an upload, then what is valid "
                               "longer"));
  }
}

bool IsOutranked(store::Database& database, const model::CertificateVersion& version,
                 UnixSeconds now) {
  const auto covering = database.Read([&](store::Session& session) {
    return store::FindCovering(session, version.names.front().value);
  });
  return std::any_of(covering.begin(), covering.end(), [&](const store::HeldCertificate& other) {
    return Outranks(*other.current, version, now);
  });
}

// Of one in a plan, which has no chains.
std::string ChainOf(store::Database& database, const model::CertificateVersion& listed) {
  if (!listed.chain_pem.empty()) return listed.chain_pem;
  const auto version = database.Read(
      [&](store::Session& session) { return store::FindVersion(session, listed.id, false); });
  return version ? version->chain_pem : "";
}

void NoteOtherFiles(const Path& dynamic_dir, CheckReport& report) {
  std::error_code error;
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(dynamic_dir, error)) {
    const std::string name = entry.path().filename().string();
    if (name != kFileName && !name.starts_with('.'))
      paths.push_back(Printable(entry.path().string()));
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    report.notes.push_back(
        Cat(path, " is there too: where it does not parse, Traefik takes no change of any file"));
  }
}

}  // namespace

std::string Publisher::HttpsAddress(std::stop_token stop) {
  if (!options_.https_address.empty()) return options_.https_address;
  if (options_.api.empty()) return "";
  try {
    const std::string address =
        Api(transport_, options_.api).FindEntryPoint(options_.https_entrypoint, stop).address;
    *last_https_address_.Acquire() = address;
    return address;
  } catch (const Error& error) {
    if (error.failure().code == FailureCode::kCancelled) throw;
    return *last_https_address_.Acquire();  // it is down: that nobody listens there is what is to be seen
  }
}

Seen Publisher::WaitServed(const std::string& name, const std::string& serial_hex, Millis timeout,
                           std::stop_token stop) {
  const auto held = database_.Read(
      [&](store::Session& session) { return store::FindBySerial(session, serial_hex); });
  if (!held || !held->current || held->current->serial_hex != ToLower(serial_hex)) {
    return Seen::kNotServed;
  }
  const auto hosts = HostNames(*held->current);
  if (hosts.empty() || IsOutranked(database_, *held->current, clock_.Now())) return Seen::kNotLooked;
  const auto address = ParseAddress(HttpsAddress(stop));
  if (!address) return Seen::kNotLooked;
  const std::string wanted = LeafOf(held->current->chain_pem);
  const Steady end = clock_.SteadyNow() + timeout;
  Millis pause = kFirstPoll;
  for (;;) {
    const auto left = std::chrono::duration_cast<Millis>(end - clock_.SteadyNow());
    Seen seen = Seen::kNotServed;
    try {
      const auto patience =
          timeout == Millis{0} ? kHandshakeTimeout : std::clamp(left, Millis{1}, kHandshakeTimeout);
      if (peer_(address->host, address->port, ServerName(name), patience) == wanted) {
        return Seen::kServed;
      }
    } catch (const Error& error) {
      if (error.failure().code != FailureCode::kNetwork) throw;
      seen = Seen::kUnreachable;
    }
    if (clock_.SteadyNow() + pause >= end) return seen;
    if (!clock_.Sleep(pause, stop)) {
      throw Error(FailureCode::kCancelled, "stopped while waiting for Traefik");
    }
    pause = std::min(pause * 3 / 2, kLastPoll);
  }
}

std::optional<Serving> Publisher::Serving(std::stop_token stop) {
  const auto address = ParseAddress(HttpsAddress(stop));
  if (!address) return std::nullopt;
  std::set<std::string> names;
  for (const auto& version : MakePlan().versions) {
    for (const auto& name : HostNames(version)) names.insert(ServerName(name));
  }
  return traefik::Serving{address->host, address->port, {names.begin(), names.end()}};
}

CheckReport Publisher::Check(std::stop_token stop) {
  CheckReport report;
  const Plan plan = MakePlan();
  CheckFile(options_.dynamic_dir / kFileName, plan.text, report);
  const Api api(transport_, options_.api);
  const bool reachable = !options_.api.empty() && CheckLive(api, plan.generation, report, stop);
  if (options_.api.empty()) {
    report.notes.push_back(
        "traefik.api is not set: whether Traefik has loaded a certificate is not known");
  }
  const auto address = ParseAddress(HttpsAddress(stop));
  if (!address)
    report.notes.push_back("traefik.https_address is not known: no handshake was tried");

  const std::string default_leaf = LeafOf(ChainOf(database_, plan.default_version));
  for (const auto& listed : plan.versions) {
    const auto version = database_.Read(
        [&](store::Session& session) { return store::FindVersion(session, listed.id, false); });
    if (!version) continue;  // deleted meanwhile
    ServedCertificate result;
    const auto names = model::Names(version->names);
    result.name = names.empty() ? "" : names.front();
    result.wanted_serial = version->serial_hex;
    if (address) LookAt(peer_, *address, *version, default_leaf, result);
    if (reachable) CheckLoaded(api, *version, result, stop);
    CheckDates(*version, clock_.Now(), result);
    report.certificates.push_back(std::move(result));
  }
  if (reachable) report.routes = CheckRoutes(api, plan.routes, stop);
  report.notes.insert(report.notes.end(), plan.left_out.begin(), plan.left_out.end());
  NoteSameNames(plan.versions, plan.outranked, report);
  NoteOtherFiles(options_.dynamic_dir, report);
  return report;
}

}  // namespace certwright::traefik
