// What the configuration says of a CA and the account there, and the files that it names.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "certwright/acme/account.h"
#include "certwright/config/config.h"
#include "certwright/http/client.h"

namespace certwright::app {

// The way to a CA, made when it is first used: what asks no CA works without its ca_bundle.
class CaTransport : public http::Transport {
 public:
  // `ca`: one of those that `config` names.
  CaTransport(const config::Config& config, const config::CertificateAuthority& ca);
  // Also throws Error(kConfig) where its ca_bundle is no good; the next call reads it again.
  http::Response Send(const http::Request& request, std::stop_token stop) override;

 private:
  http::Client& Made();

  const http::ClientOptions options_;
  std::mutex mutex_;
  std::optional<http::Client> client_;
};

// Throws Error(kConfig) where the EAB key file is no good.
acme::AccountWishes WishesOf(const config::CertificateAuthority& ca);

// Reads what a CA is asked with. Throws Error(kConfig), one line a problem, as config::Load does.
void CheckCaFiles(const config::Config& config);
// The same for every file and directory that must be there.
void CheckFiles(const config::Config& config);
// What is right, and may still not be what was meant: a sentence each.
std::vector<std::string> NotesOn(const config::Config& config);

}  // namespace certwright::app
