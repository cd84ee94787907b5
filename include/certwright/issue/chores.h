// What is left to do when nobody waits for it: routes and default names that nothing covers any more,
// revocations that were cut off, and authorizations that an order which failed may have left pending
// (CAs count those). Never in the way of an issuance, and what fails is tried again later.
#pragma once

#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "certwright/base/clock.h"
#include "certwright/issue/authorities.h"
#include "certwright/issue/revoke.h"
#include "certwright/store/database.h"

namespace certwright::issue {

class Chores {
 public:
  // All references must outlive it. `defaults`: of what routes come to want.
  Chores(store::Database& database, const Authorities& authorities, Revoker& revoker,
         model::CertificatePolicy defaults, Clock& clock);
  ~Chores();  // stops the thread

  // Once, bounded: ends with the first failure that time may mend. Never throws.
  void RunOnce(std::stop_token stop);
  // In a thread of its own (the daemon): now, and then each minute; after a failure it rests.
  void Start();

 private:
  Millis Attempt(std::stop_token stop);
  std::set<std::string> OpenAuthorizations();
  bool GiveUpAuthorizations(std::stop_token stop);

  store::Database& database_;
  const Authorities& authorities_;
  Revoker& revoker_;
  const model::CertificatePolicy defaults_;
  Clock& clock_;
  std::mutex one_at_a_time_;
  std::jthread thread_;  // last: joined first
};

}  // namespace certwright::issue
