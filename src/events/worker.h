// One subscriber of the feed with its thread: what the feed's own inside knows of it.
#pragma once

#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "certwright/events/feed.h"

namespace certwright::events {

struct Worker {
  explicit Worker(std::unique_ptr<Subscriber> who)
      : subscriber(std::move(who)), name(subscriber->name()), kinds(subscriber->kinds()),
        catch_up(subscriber->catches_up()) {}

  const std::unique_ptr<Subscriber> subscriber;
  const std::string name;
  const store::Kinds kinds;
  bool discovered = false;
  std::int64_t saved = 0;  // its stored position; its own thread's
  bool gave_up = false;    // failed where there are no threads: the next process tells it again

  // Guarded by the feed's lock.
  bool catch_up;                // the empty call comes next
  std::int64_t passed = 0;      // it has had all of its kinds up to here
  bool prompt = true;           // its last event went well, and fast
  bool moved = false;           // passed was set by a person since its thread looked
  std::stop_source nap;         // ends its pause after a failure

  std::jthread thread;  // last: gone first
};

}  // namespace certwright::events
