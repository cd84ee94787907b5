// Tells every subscriber every event: in order, at least once, from its own stored position.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/sync.h"
#include "certwright/model/event.h"
#include "certwright/store/database.h"

namespace certwright::events {

// Somebody who is told. Called from one thread of its own, never from two at once.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  // The key of its stored position: never rename.
  virtual std::string name() const = 0;
  // At most this many events at once: a handler of other programs gets one, a renderer takes many.
  virtual int batch() const { return 1; }
  // Deals with all of them, or throws: then the same events come again after a pause. `events` may be
  // empty once after start: bring the world up to date with the store (self-healing).
  virtual void Deliver(std::span<const model::Event> events, std::stop_token stop) = 0;
  // Whether the empty call at start is wanted.
  virtual bool catches_up() const { return false; }
};

class Feed {
 public:
  Feed(store::Database& database, Clock& clock);
  ~Feed();  // Stop()

  // Before Start. A subscriber that was never seen starts after the last event, or at 0 where
  // `from_start`.
  void Subscribe(std::unique_ptr<Subscriber> subscriber, bool from_start = false);
  // One thread a subscriber (the daemon). Who is not among the subscribers by now is gone: its
  // position is forgotten, and events are no longer kept for it. DeliverPending does so too.
  void Start();
  void Stop();
  // Events were written: look now. Any thread.
  void Notify();
  // In this thread, until each subscriber has come to the end or failed once (commands without a
  // daemon). Gives the first failure, if any; what was not delivered comes at the next start.
  std::vector<std::string> DeliverPending(std::stop_token stop);

  // Waits until the named subscriber has caught up after the start and has passed event `seq`; false when `timeout` is over first or there is none of that name.
  bool WaitPassed(const std::string& subscriber, std::int64_t seq, Millis timeout,
                  std::stop_token stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

inline constexpr char kCertificateChanged[] = "certificate-changed";
inline constexpr char kRoutesChanged[] = "routes-changed";
inline constexpr char kDefaultCertificateChanged[] = "default-certificate-changed";
inline constexpr char kHostsChanged[] = "hosts-changed";

// The payload of contract.md: node_id, module_id, names, and our id and reason; of what tells of a
// certificate without changing it also not_after, failure and next_try; of hosts-changed node_id
// alone, as text (schema/json/<event name>.event.json).
std::string PayloadJson(const model::Event& event, int node_id, const std::string& module_id);

}  // namespace certwright::events
