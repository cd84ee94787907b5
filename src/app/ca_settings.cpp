#include "ca_settings.h"

#include "certwright/base/encoding.h"
#include "certwright/base/text.h"
#include "certwright/config/ca_limits.h"
#include "engine.h"
#include "exports.h"
#include "webhooks.h"

namespace certwright::app {

namespace {

http::ClientOptions OptionsOf(const config::Config& config, const config::CertificateAuthority& ca) {
  http::ClientOptions options;
  options.user_agent = Cat("certwright/", kVersion);
  options.ca_bundle = ca.ca_bundle;
  options.allow_http_loopback = config.acme.allow_http_loopback;
  options.exchange_timeout = std::chrono::seconds(config.acme.exchange_timeout);
  return options;
}

Secret ReadBindingKey(const Path& file) {
  constexpr const char* kAdvice = "put the HMAC key there exactly as the CA gave it";
  std::string text;
  try {
    text = Trim(ReadFile(file, 4096));
  } catch (const Error& error) {
    throw Error(FailureCode::kConfig, Cat("acme.eab_hmac_key_file: ", error.what()), kAdvice);
  }
  // CAs give the MAC key as base64url (RFC 8555 section 7.3.4).
  const std::optional<std::string> key = FromBase64Url(text.substr(0, text.find('=')));
  if (key && !key->empty()) return Secret(*key);
  throw Error(
      FailureCode::kConfig,
      Cat("acme.eab_hmac_key_file: what ", Printable(file.string()), " holds is no base64url"),
      kAdvice);
}

void CheckBundle(const config::Config& config) { http::Client(OptionsOf(config, config.acme)); }
void CheckBinding(const config::Config& config) { WishesOf(config.acme); }
void CheckFallbacks(const config::Config& config) {
  for (const config::CertificateAuthority& ca : config.acme.fallback) {
    try {
      http::Client(OptionsOf(config, ca));
      WishesOf(ca);
    } catch (const Error& error) {
      throw Error(FailureCode::kConfig, Cat("the fall-back ", ca.directory, ": ", error.what()),
                  error.failure().advice);
    }
  }
}
void CheckDynamicDir(const config::Config& config) {
  const Path& dir = config.traefik.dynamic_dir;
  std::error_code error;
  if (dir.empty() || std::filesystem::is_directory(dir, error)) return;
  throw Error(
      FailureCode::kConfig,
      Cat("traefik.dynamic_dir: ", Printable(dir.string()),
          error ? Cat(" cannot be looked at: ", error.message()) : " is no directory"),
      "make the directory that Traefik's file provider watches, and start Traefik after that");
}

void CheckExports(const config::Config& config) {
  for (const config::Export& each : config.exports) exports::CheckTarget(TargetOf(each));
}

void CheckLimits(const config::Config& config) { config::LoadCaLimits(config.ledger_limits); }

struct FileCheck {
  const char* key;
  void (*run)(const config::Config&);
};
constexpr FileCheck kCaFiles[] = {{"acme.ca_bundle", CheckBundle},
                                  {"acme.eab_hmac_key_file", CheckBinding},
                                  {"acme.fallback", CheckFallbacks}};
constexpr FileCheck kOtherFiles[] = {{"traefik.dynamic_dir", CheckDynamicDir},
                                     {"export", CheckExports},
                                     {"ledger.limits", CheckLimits},
                                     {"events.webhook", CheckWebhooks}};

class Findings {
 public:
  explicit Findings(const config::Config& config) : config_(config) {}

  void Look(const FileCheck& check) {
    try {
      check.run(config_);
    } catch (const Error& error) {
      const auto origin = config_.origins.find(check.key);
      lines_.push_back(origin == config_.origins.end()
                           ? std::string(error.what())
                           : Cat(origin->second.source, ": ", error.what()));
      advice_.push_back(error.failure().advice);
    }
  }

  void ThrowProblems() const {
    if (lines_.empty()) return;
    throw Error(FailureCode::kConfig, Join(lines_, "\n"), Join(advice_, "; "));
  }

 private:
  const config::Config& config_;
  std::vector<std::string> lines_;
  std::vector<std::string> advice_;
};

}  // namespace

CaTransport::CaTransport(const config::Config& config, const config::CertificateAuthority& ca)
    : options_(OptionsOf(config, ca)) {}

http::Response CaTransport::Send(const http::Request& request, std::stop_token stop) {
  return Made().Send(request, std::move(stop));
}

http::Client& CaTransport::Made() {
  const std::lock_guard guard(mutex_);
  if (!client_) client_.emplace(options_);
  return *client_;
}

acme::AccountWishes WishesOf(const config::CertificateAuthority& ca) {
  acme::AccountWishes wishes;
  wishes.email = ca.email;
  wishes.agree_to_terms = ca.agree_to_terms;
  if (!ca.eab_kid.empty()) {
    wishes.external = acme::ExternalAccount{ca.eab_kid, ReadBindingKey(ca.eab_hmac_key_file)};
  }
  return wishes;
}

void CheckCaFiles(const config::Config& config) {
  Findings findings(config);
  for (const FileCheck& check : kCaFiles) findings.Look(check);
  findings.ThrowProblems();
}

std::vector<std::string> NotesOn(const config::Config& config) {
  std::vector<std::string> notes;
  const auto look = [&](const config::CertificateAuthority& ca, const char* table) {
    if (ca.agree_to_terms) return;
    notes.push_back(Cat(table, ".agree_to_terms is not set: no account is made at ", ca.directory,
                        " where that has terms of service"));
  };
  look(config.acme, "acme");
  for (const config::CertificateAuthority& ca : config.acme.fallback) look(ca, "acme.fallback");
  return notes;
}

void CheckFiles(const config::Config& config) {
  Findings findings(config);
  for (const FileCheck& check : kCaFiles) findings.Look(check);
  for (const FileCheck& check : kOtherFiles) findings.Look(check);
  findings.ThrowProblems();
}

}  // namespace certwright::app
