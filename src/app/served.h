// What is looked at whether it shows what is held: Traefik and each [[served]].
#pragma once

#include <memory>

#include "certwright/base/clock.h"
#include "certwright/config/config.h"
#include "certwright/events/feed.h"
#include "certwright/served/watch.h"
#include "certwright/store/database.h"
#include "certwright/traefik/publisher.h"

namespace certwright::app {

// `publisher` null: without Traefik. All but the configuration outlives the watch.
std::unique_ptr<served::Watch> MakeWatch(const config::Config& config,
                                         traefik::Publisher* publisher, store::Database& database,
                                         events::Feed& feed, Clock& clock);

// Ends the thread of a watch, before the feed that it tells goes.
struct WatchStopper {
  const std::unique_ptr<served::Watch>& watch;
  ~WatchStopper() {
    if (watch) watch->Stop();
  }
};

// Has the watch look soon after each change. The watch outlives the feed.
std::unique_ptr<events::Subscriber> MakeWatchSubscriber(served::Watch& watch);

}  // namespace certwright::app
