// The real scheduler, obtainer, jobs and store, over a simulated clock and CA.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "certwright/acme/client.h"
#include "certwright/base/log.h"
#include "certwright/base/random.h"
#include "certwright/events/feed.h"
#include "certwright/issue/account_keeper.h"
#include "certwright/issue/authorities.h"
#include "certwright/issue/jobs.h"
#include "certwright/issue/obtain.h"
#include "certwright/renewal/scheduler.h"
#include "certwright/store/certificates.h"
#include "certwright/store/renewals.h"
#include "sim_ca.h"

namespace certwright::sim {

// Every token was fetched at once.
class QuickPresenter : public acme::Http01Presenter {
 public:
  void Present(const std::string&, const std::string&) override {}
  void Withdraw(const std::string&) override {}
  bool WaitFetched(const std::vector<std::string>&, Millis, Millis, std::stop_token) override {
    return true;
  }
};

// What a process is made of.
struct Plant {
  Plant(const Path& dir, SimCa& ca, SimClock& clock, acme::Http01Presenter& presenter)
      : database(store::Database::Open(dir)),
        client(SimCa::kDirectory, ca, clock),
        accounts(
            *database, client, [] { return acme::AccountWishes{}; }, clock),
        authorities({{client, accounts, {}, {}}}),
        feed(*database, clock),
        obtainer(*database, authorities, presenter, feed, clock, issue::Fuse{}, {},
                 renewal::MakeNextTry(clock, SystemRandom())),
        jobs(obtainer, clock, kSideBySide),
        scheduler(*database, obtainer, jobs, feed, clock, SystemRandom()) {}

  std::unique_ptr<store::Database> database;
  acme::Client client;
  issue::AccountKeeper accounts;
  issue::Authorities authorities;
  events::Feed feed;
  issue::Obtainer obtainer;
  issue::Jobs jobs;
  renewal::Scheduler scheduler;
};

}  // namespace certwright::sim
