#include "examination.h"

#include <sys/stat.h>

#include <utility>

#include "certwright/base/error.h"
#include "certwright/base/file.h"
#include "certwright/base/text.h"
#include "certwright/traefik/health.h"

namespace certwright::app {

namespace {

using State = model::Finding::State;

// Below it a renewal may not be written down; a certificate takes some 10 kB.
constexpr std::uintmax_t kEnoughMegabytes = 64;

class Examiner {
 public:
  Examiner(const Examined& parts, std::stop_token stop) : parts_(parts), stop_(std::move(stop)) {}

  std::vector<model::Finding> Go(const std::vector<model::Identifier>& names) {
    StateDirectory();
    for (const issue::Authority* authority : parts_.authorities.all()) Ca(*authority);
    if (!parts_.config.traefik.dynamic_dir.empty()) Traefik();
    Append(parts_.outlook.Examine(names, stop_));
    return std::move(findings_);
  }

 private:
  void Add(const char* check, std::string subject, State state, std::string saw,
           std::string advice) {
    findings_.push_back({check, std::move(subject), state, std::move(saw), std::move(advice)});
  }
  void Append(std::vector<model::Finding> more) {
    for (model::Finding& one : more) findings_.push_back(std::move(one));
  }

  void StateDirectory() {
    const Path& dir = parts_.config.state_dir;
    std::error_code error;
    const auto space = std::filesystem::space(dir, error);
    const std::uintmax_t megabytes = error ? 0 : space.available >> 20;
    if (error) {
      Add("disk", dir.string(), State::kUnknown, error.message(), "");
    } else if (megabytes < kEnoughMegabytes) {
      Add("disk", dir.string(), State::kProblem, Cat(megabytes, " MB are free"),
          Cat("make room: ", kEnoughMegabytes, " MB at least"));
    } else {
      Add("disk", dir.string(), State::kOk, Cat(megabytes, " MB are free"), "");
    }
    struct stat status {};
    if (::stat(dir.c_str(), &status) != 0 || (status.st_mode & 077) == 0) return;
    Add("permissions", dir.string(), State::kProblem,
        "others may look into it: private keys are there", Cat("chmod 700 ", dir.string()));
  }

  const config::CertificateAuthority& SettingsOf(const issue::Authority& authority) const {
    for (const config::CertificateAuthority& ca : parts_.config.acme.fallback) {
      if (ca.directory == authority.directory()) return ca;
    }
    return parts_.config.acme;
  }

  void Ca(const issue::Authority& authority) {
    const std::string& url = authority.directory();
    try {
      const acme::Directory directory = authority.client.FetchDirectory(stop_);
      Add("ca", url, State::kOk, "it answers", "");
      Account(authority, directory);
    } catch (const Error& error) {
      return AddFailure("ca", url, error.failure());
    }
    try {
      authority.client.CheckClock(stop_);
    } catch (const Error& error) {
      AddFailure("time", url, error.failure());
    }
  }

  void Account(const issue::Authority& authority, const acme::Directory& directory) {
    const auto account = authority.accounts.Find();
    if (account && !account->url.empty()) {
      return Add("account", authority.directory(), State::kOk, account->url, "");
    }
    const config::CertificateAuthority& settings = SettingsOf(authority);
    if (!directory.terms_of_service.empty() && !settings.agree_to_terms) {
      return Add("account", authority.directory(), State::kProblem,
                 Cat("there is none yet, and nobody agreed to the CA's terms: ",
                     Printable(directory.terms_of_service, 300)),
                 "read them, then set agree_to_terms = true");
    }
    if (directory.external_account_required && settings.eab_kid.empty()) {
      return Add("account", authority.directory(), State::kProblem,
                 "there is none yet, and the CA wants it bound to one of its customers",
                 "set eab_kid and eab_hmac_key_file to what the CA gave you");
    }
    Add("account", authority.directory(), State::kOk, "the first order makes one", "");
  }

  void AddFailure(const char* check, const std::string& subject, const Failure& failure) {
    const bool stopped = failure.code == FailureCode::kCancelled;
    Add(check, subject, stopped ? State::kUnknown : State::kProblem, failure.detail,
        failure.advice.empty() && !stopped ? "see the CA's status page" : failure.advice);
  }

  void Traefik() {
    traefik::Health health =
        traefik::LookAtTraefik(parts_.traefik, parts_.traefik_transport, stop_);
    Append(std::move(health.findings));
    if (health.http.port == 0) return;
    Append(parts_.outlook.LookThrough(health.http.host, health.http.port, health.https.port, stop_));
  }

  const Examined& parts_;
  const std::stop_token stop_;
  std::vector<model::Finding> findings_;
};

}  // namespace

std::vector<model::Finding> Examine(const Examined& parts,
                                    const std::vector<model::Identifier>& names,
                                    std::stop_token stop) {
  return Examiner(parts, std::move(stop)).Go(names);
}

}  // namespace certwright::app
