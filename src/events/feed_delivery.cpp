// One subscriber and its events.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "feed_impl.h"

namespace certwright::events {
namespace {

constexpr Millis kFirstPause{1'000};
// So long one that comes before is waited for, and so fast is who will be waited for again.
constexpr Millis kCourtesy{5'000};
// Events of other kinds need not be passed in the store one by one.
constexpr std::int64_t kSaveEvery = 500;

// The one test hook of the feed: CERTWRIGHT_TEST_EXIT_BEFORE_DELIVERY=1 ends the process, as kill -9
// would, between the commit of an event and its first delivery.
void EndHereIfTested() {
  const char* wanted = std::getenv("CERTWRIGHT_TEST_EXIT_BEFORE_DELIVERY");
  if (wanted != nullptr && std::string_view(wanted) == "1") ::_exit(99);
}

}  // namespace

Feed::Impl::Next Feed::Impl::ReadNext(Worker& worker) {
  Next next;
  std::int64_t after = 0;
  {
    const std::lock_guard guard(mutex);
    after = worker.passed;
    worker.moved = false;
  }
  database.Read([&](store::Session& session) {
    next.events = store::ListEvents(session, after, std::max(1, worker.subscriber->batch()),
                                    worker.kinds);
    if (next.events.empty()) {
      next.last = store::LastEvent(session);
    } else if (worker.subscriber->in_name_order()) {
      next.previous = store::EventBefore(session, next.events.front().seq, worker.kinds);
    }
  });
  return next;
}

bool Feed::Impl::DeliverNext(Worker& worker, std::stop_token stop) {
  if (worker.catch_up) {
    worker.subscriber->Deliver({}, stop);
    {
      const std::lock_guard guard(mutex);
      worker.catch_up = false;
    }
    changed.notify_all();
    return true;
  }
  const Next next = ReadNext(worker);
  if (next.events.empty()) {
    PassOthers(worker, next.last);
    return false;
  }
  EndHereIfTested();
  AwaitTurn(worker, next, stop);
  const Steady began = clock.SteadyNow();
  worker.subscriber->Deliver(next.events, stop);
  Pass(worker, next.events.back().seq, clock.SteadyNow() - began <= kCourtesy);
  return true;
}

void Feed::Impl::AwaitTurn(const Worker& worker, const Next& next, std::stop_token stop) {
  if (!worker.subscriber->in_name_order()) return;
  const std::int64_t seq = next.events.front().seq;
  std::unique_lock lock(mutex);
  if (!threads) return;
  changed.wait_for(lock, stop, kCourtesy, [&] {
    return std::none_of(workers.begin(), workers.end(), [&](const auto& other) {
      return other->subscriber->in_name_order() && other->kinds == worker.kinds &&
             other->name < worker.name && other->prompt && other->passed >= next.previous &&
             other->passed < seq;
    });
  });
}

void Feed::Impl::PassOthers(Worker& worker, std::int64_t last) {
  {
    const std::lock_guard guard(mutex);
    if (worker.moved || last <= worker.passed) return;
    worker.passed = last;
  }
  changed.notify_all();
  if (last - worker.saved >= kSaveEvery) Save(worker, last);
}

// Who waits is told before the position is saved: a crash between the two only tells twice.
void Feed::Impl::Pass(Worker& worker, std::int64_t seq, bool prompt) {
  {
    const std::lock_guard guard(mutex);
    if (worker.moved) return;
    worker.passed = seq;
    worker.prompt = prompt;
  }
  changed.notify_all();
  Save(worker, seq);
}

// The end of the process does not undo it, and the loss of power only tells again.
void Feed::Impl::Save(Worker& worker, std::int64_t seq) {
  try {
    database.WriteSoon([&](store::Session& session) {
      store::SavePosition(session, worker.name, seq, clock.Now());
    });
    worker.saved = seq;
  } catch (const std::exception& error) {
    log::Error(Cat("events: the position of ", Printable(worker.name),
                   " could not be saved: ", Printable(error.what())));
  }
}

void Feed::Impl::WriteDown(Worker& worker, const std::string& words, Millis pause) {
  try {
    const UnixSeconds now = clock.Now();
    database.WriteSoon([&](store::Session& session) {
      store::RecordDeliveryFailure(session, worker.name, words, now + pause.count() / 1000, now);
    });
  } catch (const std::exception& error) {
    log::Error(Cat("events: the failure of ", Printable(worker.name),
                   " could not be written down: ", Printable(error.what())));
  }
  {
    const std::lock_guard guard(mutex);
    worker.prompt = false;
  }
  changed.notify_all();
}

void Feed::Impl::Pause(Worker& worker, Millis pause, std::stop_token stop) {
  std::stop_source nap;
  {
    const std::lock_guard guard(mutex);
    if (worker.moved) return;
    worker.nap = nap;
  }
  const std::stop_callback ended(stop, [&] { nap.request_stop(); });
  clock.Sleep(pause, nap.get_token());
}

void Feed::Impl::Rest(Worker& worker, std::uint64_t seen, std::stop_token stop) {
  const auto longest = worker.subscriber->longest_rest();
  const auto is_news = [&] { return notified != seen || worker.moved; };
  std::unique_lock lock(mutex);
  if (!longest) {
    changed.wait(lock, stop, is_news);
  } else if (!changed.wait_for(lock, stop, *longest, is_news) && !stop.stop_requested()) {
    worker.catch_up = true;
  }
}

void Feed::Impl::RunWorker(Worker& worker, std::stop_token stop) {
  Millis pause = kFirstPause;
  while (!stop.stop_requested()) {
    // Read before the events are: a Notify in between is not lost.
    const std::uint64_t seen = Notified();
    try {
      const bool delivered = DeliverNext(worker, stop);
      pause = kFirstPause;
      if (delivered) continue;
      Rest(worker, seen, stop);
    } catch (const std::exception& error) {
      if (stop.stop_requested()) return;
      const std::string words = Printable(error.what());
      log::Warning(Cat("events: ", Printable(worker.name), " failed and is told again in ",
                       pause.count() / 1000, " s: ", words));
      WriteDown(worker, words, pause);
      Pause(worker, pause, stop);
      pause = std::min(pause * 2, worker.subscriber->longest_pause());
    }
  }
}

std::vector<std::string> Feed::Impl::DeliverHere(std::stop_token stop) {
  std::vector<std::string> failures;
  std::vector<std::shared_ptr<Worker>> left = Workers();
  std::erase_if(left, [](const auto& worker) { return worker->gave_up; });
  while (!left.empty() && !stop.stop_requested()) {
    std::erase_if(left, [&](const std::shared_ptr<Worker>& worker) {
      try {
        return !DeliverNext(*worker, stop);
      } catch (const std::exception& error) {
        if (!stop.stop_requested()) WriteDown(*worker, Printable(error.what()), kFirstPause);
        failures.push_back(Cat(worker->name, ": ", error.what()));
        worker->gave_up = worker->subscriber->replays();
        return true;
      }
    });
  }
  return failures;
}

}  // namespace certwright::events
