// The CAs that certificates are ordered from, in order of preference, each with its own account.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certwright/acme/client.h"
#include "certwright/base/error.h"
#include "certwright/issue/account_keeper.h"
#include "certwright/model/identifier.h"

namespace certwright::issue {

struct Authority {
  acme::Client& client;
  AccountKeeper& accounts;
  // What a fall-back is asked for in place of the certificate's policy, whose words belong to the
  // first CA. Empty of the first.
  std::optional<std::string> profile;
  std::optional<std::string> preferred_chain;

  const std::string& directory() const { return client.directory_url(); }
};

// Safe from several threads. What was given out stays good as long as this: whoever works with a CA
// goes on with it when others take its place.
class Authorities {
 public:
  // The first is where certificates are ordered, the others its fall-backs; at least one. What they
  // refer to must outlive this.
  explicit Authorities(std::vector<Authority> in_order);

  const Authority& Primary() const;
  std::vector<const Authority*> all() const;
  const Authority* Find(const std::string& directory) const;  // null: not one of them

  // From now on these are the CAs.
  void Replace(std::vector<Authority> in_order);

 private:
  mutable std::mutex mutex_;
  std::deque<Authority> given_;  // all that ever were among them: only added to
  std::vector<const Authority*> current_;
};

// Why a CA of these identities (RFC 8555 section 7.1.1, caaIdentities) may not issue for one of the
// names (RFC 8659), in words; nullopt: it may, or nobody knows.
using CaaCheck = std::function<std::optional<std::string>(
    const std::vector<model::Identifier>& names, const std::vector<std::string>& caa_identities,
    const std::string& account_url, std::stop_token stop)>;

// Whether what one CA ended with says nothing against another: it is down, it has a fault, its limits
// are spent. What is wrong here, or with the names, would be wrong everywhere.
bool MayGoElsewhere(const Failure& failure);

}  // namespace certwright::issue
