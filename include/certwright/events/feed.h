// Tells every subscriber every event: in order, at least once, from its own stored position.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/events/payload.h"
#include "certwright/model/event.h"
#include "certwright/store/database.h"
#include "certwright/store/events.h"

namespace certwright::events {

// Somebody who is told. Called from one thread of its own, never from two at once.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  // The key of its stored position: never rename.
  virtual std::string name() const = 0;
  // It is told of these kinds of events only; none: of all.
  virtual store::Kinds kinds() const { return {}; }
  // At most this many events at once: a handler of other programs gets one, a renderer takes many.
  virtual int batch() const { return 1; }
  // Deals with all of them, or throws: then the same events come again, after a pause that doubles
  // from a second to longest_pause(). `events` may be empty: bring the world up to date with the
  // store (self-healing).
  virtual void Deliver(std::span<const model::Event> events, std::stop_token stop) = 0;
  virtual Millis longest_pause() const { return std::chrono::minutes(1); }
  // Whether the empty call at start is wanted.
  virtual bool catches_up() const { return false; }
  // After so long without an event the empty call comes again; nullopt: never. Asked after each call.
  virtual std::optional<Millis> longest_rest() const { return std::nullopt; }
  // Whether it is told of an event after those of the same kinds whose names come before its own. Who
  // fails, is behind, or took more than five seconds for its last event is not waited for.
  virtual bool in_name_order() const { return false; }
  // Whether a person may have events told again: it is another program, and not a part of this one.
  virtual bool replays() const { return false; }
  // Whose stored position it takes up where it has none of its own; "": nobody's.
  virtual std::string heir_of() const { return ""; }
};

// Who is there now, besides those that subscribed. Throws where it cannot be told: then nobody comes
// and nobody goes.
using Discovery = std::function<std::vector<std::unique_ptr<Subscriber>>()>;

class Feed {
 public:
  Feed(store::Database& database, Clock& clock, store::Retention retention = {});
  ~Feed();  // Stop()

  // Before Start. A subscriber that was never seen starts after the last event, or at 0 where
  // `from_start`.
  void Subscribe(std::unique_ptr<Subscriber> subscriber, bool from_start = false);
  // Before Start, once. They are looked for now, at each Notify and once a minute: who newly appears
  // is told of what came since the look before, and who is gone is forgotten.
  void Discover(Discovery discovery);
  // One thread a subscriber (the daemon), and one that looks who is there and deletes old events.
  // Who is not among the subscribers by now is gone: its position is forgotten, and events are no
  // longer kept for it. DeliverPending does so too.
  void Start();
  void Stop();
  // Events were written: look now. Any thread.
  void Notify();
  // In this thread, until each subscriber has come to the end or failed once (commands without a
  // daemon). Gives the failures; what was not delivered comes at the next start.
  std::vector<std::string> DeliverPending(std::stop_token stop);

  // Waits until the named subscriber has caught up after the start and has passed event `seq`; false
  // when `timeout` is over first or there is none of that name.
  bool WaitPassed(const std::string& subscriber, std::int64_t seq, Millis timeout,
                  std::stop_token stop);
  // Waits until an event with a number above `seq` is there; false when `timeout` is over first.
  bool WaitWritten(std::int64_t seq, Millis timeout, std::stop_token stop);

  // Those that are other programs, or the one of them that is called so ("handler:KIND/FILE",
  // "KIND/FILE" or "FILE"), are told of everything from event `seq` on, again or (where it is later
  // than what they wait for) without what is before it. Gives their names. Throws Error(kNotFound).
  std::vector<std::string> TellFrom(std::int64_t seq, const std::string& subscriber);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace certwright::events
