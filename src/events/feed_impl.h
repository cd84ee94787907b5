// The feed's inside: who is told (feed.cpp), and how one is told (feed_delivery.cpp).
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "certwright/events/feed.h"
#include "roll.h"
#include "worker.h"

namespace certwright::events {

struct Feed::Impl {
  Impl(store::Database& d, Clock& c, store::Retention kept)
      : database(d), clock(c), retention(kept), roll(d, c) {}

  std::uint64_t Notified();
  std::vector<std::shared_ptr<Worker>> Workers();
  void Add(std::shared_ptr<Worker> worker);
  void StartThread(Worker& worker);
  // Who came and who went since the last look. Who has gone is forgotten only where `forget`: not
  // before all have subscribed.
  void LookAround(bool forget);
  void Dismiss(const std::shared_ptr<Worker>& worker);
  // Once in a while: when a tenth of what is kept is new, or `always`.
  void Prune(bool always);
  void RunKeeper(std::stop_token stop);

  struct Next {
    std::vector<model::Event> events;
    std::int64_t previous = 0;  // the one of its kinds before them
    std::int64_t last = 0;      // of all that there are
  };
  Next ReadNext(Worker& worker);
  // One delivery; false where there is nothing to deliver. Throws what the subscriber throws.
  bool DeliverNext(Worker& worker, std::stop_token stop);
  // Returns when those before it in the order of names have had the event, or are not to be waited
  // for.
  void AwaitTurn(const Worker& worker, const Next& next, std::stop_token stop);
  // Events of other kinds were looked at and are none of its business.
  void PassOthers(Worker& worker, std::int64_t last);
  void Pass(Worker& worker, std::int64_t seq, bool prompt);
  void Save(Worker& worker, std::int64_t seq);
  // For who asks how it stands; then those behind it need not wait for it.
  void WriteDown(Worker& worker, const std::string& words, Millis pause);
  void Pause(Worker& worker, Millis pause, std::stop_token stop);
  // Until there is news since `seen`, or it has rested for long enough.
  void Rest(Worker& worker, std::uint64_t seen, std::stop_token stop);
  void RunWorker(Worker& worker, std::stop_token stop);
  // Each event to everybody before the next one, as far as one thread can. Another program that
  // failed is not told again however often a command comes here.
  std::vector<std::string> DeliverHere(std::stop_token stop);

  store::Database& database;
  Clock& clock;
  const store::Retention retention;
  Roll roll;
  std::mutex mutex;  // of who is on the roll, of what is guarded in workers, and of `notified`
  std::condition_variable_any changed;  // an event was written, or a subscriber has come further
  std::uint64_t notified = 0;
  bool threads = false;  // Start was called
  std::vector<std::shared_ptr<Worker>> workers;
  std::int64_t pruned_at = 0;  // the last event then
  std::jthread keeper;
};

}  // namespace certwright::events
