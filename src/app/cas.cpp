#include "cas.h"

#include <algorithm>

#include "ca_settings.h"
#include "certwright/acme/client.h"
#include "certwright/base/log.h"
#include "certwright/base/sync.h"
#include "certwright/base/text.h"

namespace certwright::app {

namespace {

constexpr char kHttp01[] = "HTTP-01";

}  // namespace

// With all that it takes to speak to it.
struct Cas::Ca {
  Ca(const config::Config& config, const config::CertificateAuthority& ca,
     store::Database& database, Clock& clock, const issue::Ledger& ledger)
      : settings(ca),
        transport(config, ca),
        client(ca.directory, transport, clock, {config.acme.allow_http_loopback}),
        accounts(
            database, client,
            [this] {
              const config::CertificateAuthority now = *settings.Acquire();
              return WishesOf(now);
            },
            clock, ledger) {}

  Sync<config::CertificateAuthority> settings;  // but for the email all stays as it was
  CaTransport transport;
  acme::Client client;
  issue::AccountKeeper accounts;
};

Cas::Cas(const config::Config& config, store::Database& database, Clock& clock,
         const issue::Ledger& ledger)
    : config_(config), database_(database), clock_(clock), ledger_(ledger) {
  const store::AcmeServer server = Server();
  if (server != Configured()) {
    log::Info(Cat("set-acme-server: ", server.url, " takes the place of acme.directory"));
  }
  authorities_ = std::make_unique<issue::Authorities>(InOrder(server));
}

Cas::~Cas() = default;

store::AcmeServer Cas::Configured() const {
  return {config_.acme.directory, config_.acme.email, kHttp01};
}

store::AcmeServer Cas::Server() {
  return database_
      .Read([](store::Session& session) { return store::FindAcmeServer(session); })
      .value_or(Configured());
}

void Cas::UseServer(store::AcmeServer server) {
  server.url = config::CheckedDirectory(server.url, config_.acme.allow_http_loopback);
  if (server.email.starts_with("mailto:")) server.email.erase(0, 7);
  if (!server.email.empty()) config::CheckContact(server.email);
  const std::lock_guard guard(one_at_a_time_);
  std::vector<issue::Authority> in_order = InOrder(server);  // what cannot be made is not stored
  database_.Write([&](store::Session& session) {
    if (server == Configured()) {
      store::DeleteAcmeServer(session);
    } else {
      store::SaveAcmeServer(session, server, clock_.Now());
    }
  });
  authorities_->Replace(std::move(in_order));
  log::Info(Cat("certificates are ordered from ", server.url, " from now on"));
}

// Those of the configuration for this directory where there are some, else those of acme.
config::CertificateAuthority Cas::SettingsOf(const store::AcmeServer& server) const {
  config::CertificateAuthority settings = config_.acme;
  for (const config::CertificateAuthority& fallback : config_.acme.fallback) {
    if (fallback.directory == server.url) settings = fallback;
  }
  settings.directory = server.url;
  settings.email = server.email;
  return settings;
}

// One for each directory: two who keep one account would register it twice.
Cas::Ca& Cas::For(const config::CertificateAuthority& settings) {
  const auto found = std::find_if(made_.begin(), made_.end(), [&](const auto& ca) {
    return ca->client.directory_url() == settings.directory;
  });
  if (found != made_.end()) {
    *(*found)->settings.Acquire() = settings;
    return **found;
  }
  return *made_.emplace_back(
      std::make_unique<Ca>(config_, settings, database_, clock_, ledger_));
}

std::vector<issue::Authority> Cas::InOrder(const store::AcmeServer& server) {
  Ca& first = For(SettingsOf(server));
  std::vector<issue::Authority> in_order{{first.client, first.accounts, {}, {}}};
  for (const config::CertificateAuthority& fallback : config_.acme.fallback) {
    if (fallback.directory == server.url) continue;
    Ca& ca = For(fallback);
    in_order.push_back({ca.client, ca.accounts, fallback.profile, fallback.preferred_chain});
  }
  return in_order;
}

}  // namespace certwright::app
