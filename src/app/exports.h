// The [[export]]s of the configuration, and each as a subscriber of the feed.
#pragma once

#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/config/config.h"
#include "certwright/events/feed.h"
#include "certwright/export/keeper.h"
#include "certwright/store/database.h"

namespace certwright::app {

exports::Target TargetOf(const config::Export& configured);

class Exports {
 public:
  // `database` and `clock` outlive it. What is stored of exports that are configured no more goes.
  Exports(const config::Config& config, store::Database& database, Clock& clock);

  // Each with a position of its own: one that fails holds up no other. Outlives the feed.
  void Subscribe(events::Feed& feed);
  // Looks at all of them once an hour: for what changes without an event (a certificate expires,
  // somebody deletes a file).
  void Start();

  const std::vector<std::unique_ptr<exports::Keeper>>& keepers() const { return keepers_; }

 private:
  void KeepAll(std::stop_token stop);

  Clock& clock_;
  std::vector<std::unique_ptr<exports::Keeper>> keepers_;
  std::jthread rounds_;  // last: it uses them
};

}  // namespace certwright::app
