// The CAs that the engine orders from, and the change of the first one while orders run.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "certwright/config/config.h"
#include "certwright/issue/authorities.h"
#include "certwright/issue/ledger.h"
#include "certwright/store/database.h"
#include "certwright/store/settings.h"

namespace certwright::app {

class Cas {
 public:
  // All that is given must outlive it. The first CA is the one that was set (UseServer), else that
  // of the configuration.
  Cas(const config::Config& config, store::Database& database, Clock& clock,
      const issue::Ledger& ledger);
  ~Cas();

  const issue::Authorities& authorities() const { return *authorities_; }
  // CAs at the start; at most so many are in use at once.
  std::size_t size() const { return config_.acme.fallback.size() + 1; }

  // The first CA, as actions know it.
  store::AcmeServer Server();
  // Stored first, so that it holds after a restart too; then new orders go there, and those that run
  // end where they are. What is the configuration's own is no longer stored: the file holds again.
  // Asks no CA. Throws Error(kInput) where URL or email is no good.
  void UseServer(store::AcmeServer server);

 private:
  struct Ca;
  store::AcmeServer Configured() const;
  config::CertificateAuthority SettingsOf(const store::AcmeServer& server) const;
  Ca& For(const config::CertificateAuthority& settings);
  std::vector<issue::Authority> InOrder(const store::AcmeServer& server);

  const config::Config config_;
  store::Database& database_;
  Clock& clock_;
  const issue::Ledger& ledger_;
  std::mutex one_at_a_time_;
  std::vector<std::unique_ptr<Ca>> made_;  // one a directory, kept: orders may run there
  std::unique_ptr<issue::Authorities> authorities_;
};

}  // namespace certwright::app
