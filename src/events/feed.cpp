#include "certwright/events/feed.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <optional>

#include "certwright/base/error.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "roll.h"
#include "worker.h"

namespace certwright::events {
namespace {

constexpr Millis kFirstPause{1'000};
// So long one that comes before is waited for, and so fast is who will be waited for again.
constexpr Millis kCourtesy{5'000};
// Who comes, who goes, what is old: looked at this often where nothing happens.
constexpr Millis kLookAround{60'000};
// Events of other kinds need not be passed in the store one by one.
constexpr std::int64_t kSaveEvery = 500;

// The one test hook of the feed: CERTWRIGHT_TEST_EXIT_BEFORE_DELIVERY=1 ends the process, as kill -9
// would, between the commit of an event and its first delivery.
void EndHereIfTested() {
  const char* wanted = std::getenv("CERTWRIGHT_TEST_EXIT_BEFORE_DELIVERY");
  if (wanted != nullptr && std::string_view(wanted) == "1") ::_exit(99);
}

}  // namespace

struct Feed::Impl {
  Impl(store::Database& d, Clock& c, store::Retention kept)
      : database(d), clock(c), retention(kept), roll(d, c) {}

  store::Database& database;
  Clock& clock;
  const store::Retention retention;
  Roll roll;
  std::mutex mutex;  // of who is on the roll, of what is guarded in workers, and of `notified`
  std::condition_variable_any changed;  // an event was written, or a subscriber has come further
  std::uint64_t notified = 0;
  bool threads = false;  // Start was called
  std::vector<std::shared_ptr<Worker>> workers;
  std::jthread keeper;

  std::uint64_t Notified() {
    const std::lock_guard guard(mutex);
    return notified;
  }

  std::vector<std::shared_ptr<Worker>> Workers() {
    const std::lock_guard guard(mutex);
    return workers;
  }

  void Add(std::shared_ptr<Worker> worker) {
    const std::lock_guard guard(mutex);
    if (threads) StartThread(*worker);
    workers.push_back(std::move(worker));
  }

  void StartThread(Worker& worker) {
    worker.thread =
        std::jthread([this, &worker](std::stop_token stop) { RunWorker(worker, stop); });
  }

  // Who came and who went since the last look. Who has gone is forgotten only where `forget`: not
  // before all have subscribed.
  void LookAround(bool forget) {
    try {
      Roll::Changes changes = roll.Look(Workers());
      for (auto& worker : changes.come) Add(std::move(worker));
      for (const auto& worker : changes.gone) Dismiss(worker);
      if (forget) roll.ForgetOthers(Workers());
    } catch (const std::exception& error) {
      log::Error(Cat("events: who is to be told cannot be looked up: ", Printable(error.what())));
    }
  }

  void Dismiss(const std::shared_ptr<Worker>& worker) {
    {
      const std::lock_guard guard(mutex);
      std::erase(workers, worker);
    }
    worker->thread = {};  // stops it and waits
    changed.notify_all();
  }

  void Prune() {
    try {
      const auto lost = database.WriteSoon([&](store::Session& session) {
        return store::PruneEvents(session, retention, clock.Now());
      });
      for (const std::string& name : lost) {
        log::Error(Cat("events: ", Printable(name), " is so far behind that events were deleted "
                       "which it has not had"));
      }
    } catch (const std::exception& error) {
      log::Error(Cat("events: old ones could not be deleted: ", Printable(error.what())));
    }
  }

  void RunKeeper(std::stop_token stop) {
    while (!stop.stop_requested()) {
      const std::uint64_t seen = Notified();
      LookAround(true);
      Prune();
      std::unique_lock lock(mutex);
      changed.wait_for(lock, stop, kLookAround, [&] { return notified != seen; });
    }
  }

  struct Next {
    std::int64_t after = 0;
    std::vector<model::Event> events;
    std::int64_t previous = 0;  // the one of its kinds before them
    std::int64_t last = 0;      // of all that there are
  };

  Next ReadNext(Worker& worker) {
    Next next;
    {
      const std::lock_guard guard(mutex);
      next.after = worker.passed;
      worker.moved = false;
    }
    database.Read([&](store::Session& session) {
      next.events = store::ListEvents(session, next.after,
                                      std::max(1, worker.subscriber->batch()), worker.kinds);
      if (next.events.empty()) {
        next.last = store::LastEvent(session);
      } else if (worker.subscriber->in_name_order()) {
        next.previous = store::EventBefore(session, next.events.front().seq, worker.kinds);
      }
    });
    return next;
  }

  // One delivery; false where there is nothing to deliver. Throws what the subscriber throws.
  bool DeliverNext(Worker& worker, std::stop_token stop) {
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

  // Those before it in the order of names have had the event, or are not to be waited for.
  void AwaitTurn(const Worker& worker, const Next& next, std::stop_token stop) {
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

  // Events of other kinds were looked at and are none of its business.
  void PassOthers(Worker& worker, std::int64_t last) {
    {
      const std::lock_guard guard(mutex);
      if (worker.moved || last <= worker.passed) return;
      worker.passed = last;
    }
    changed.notify_all();
    if (last - worker.saved >= kSaveEvery) Save(worker, last);
  }

  // Who waits is told before the position is saved: a crash between the two only tells twice.
  void Pass(Worker& worker, std::int64_t seq, bool prompt) {
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
  void Save(Worker& worker, std::int64_t seq) {
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

  // For who asks how it stands; then those behind it need not wait for it.
  void WriteDown(Worker& worker, const std::string& words, Millis pause) {
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

  void Pause(Worker& worker, Millis pause, std::stop_token stop) {
    std::stop_source nap;
    {
      const std::lock_guard guard(mutex);
      if (worker.moved) return;
      worker.nap = nap;
    }
    const std::stop_callback ended(stop, [&] { nap.request_stop(); });
    clock.Sleep(pause, nap.get_token());
  }

  void RunWorker(Worker& worker, std::stop_token stop) {
    Millis pause = kFirstPause;
    while (!stop.stop_requested()) {
      // Read before the events are: a Notify in between is not lost.
      const std::uint64_t seen = Notified();
      try {
        const bool delivered = DeliverNext(worker, stop);
        pause = kFirstPause;
        if (delivered) continue;
        std::unique_lock lock(mutex);
        changed.wait(lock, stop, [&] { return notified != seen || worker.moved; });
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

  // Each event to everybody before the next one, as far as one thread can. Another program that
  // failed is not told again however often a command comes here.
  std::vector<std::string> DeliverHere(std::stop_token stop) {
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
};

Feed::Feed(store::Database& database, Clock& clock, store::Retention retention)
    : impl_(std::make_unique<Impl>(database, clock, retention)) {}

Feed::~Feed() { Stop(); }

void Feed::Subscribe(std::unique_ptr<Subscriber> subscriber, bool from_start) {
  auto worker = std::make_shared<Worker>(std::move(subscriber));
  impl_->roll.Enter(*worker, from_start ? std::optional<std::int64_t>(0) : std::nullopt);
  impl_->Add(std::move(worker));
}

void Feed::Discover(Discovery discovery) {
  impl_->roll.SetDiscovery(std::move(discovery));
  impl_->LookAround(false);
}

void Feed::Start() {
  impl_->LookAround(true);
  {
    const std::lock_guard guard(impl_->mutex);
    if (impl_->threads) return;
    impl_->threads = true;
    for (const auto& worker : impl_->workers) impl_->StartThread(*worker);
  }
  impl_->keeper = std::jthread([impl = impl_.get()](std::stop_token stop) {
    impl->RunKeeper(stop);
  });
}

void Feed::Stop() {
  impl_->keeper = {};  // first: nobody comes any more
  const auto workers = impl_->Workers();
  for (const auto& worker : workers) worker->thread.request_stop();
  for (const auto& worker : workers) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

void Feed::Notify() {
  {
    const std::lock_guard guard(impl_->mutex);
    ++impl_->notified;
  }
  impl_->changed.notify_all();
}

std::vector<std::string> Feed::DeliverPending(std::stop_token stop) {
  impl_->LookAround(true);
  std::vector<std::string> failures = impl_->DeliverHere(stop);
  impl_->Prune();
  return failures;
}

bool Feed::WaitPassed(const std::string& subscriber, std::int64_t seq, Millis timeout,
                      std::stop_token stop) {
  std::shared_ptr<Worker> found;
  for (const auto& worker : impl_->Workers()) {
    if (worker->name == subscriber) found = worker;
  }
  if (!found) return false;
  std::unique_lock lock(impl_->mutex);
  return impl_->changed.wait_for(lock, stop, timeout,
                                 [&] { return !found->catch_up && found->passed >= seq; });
}

bool Feed::WaitWritten(std::int64_t seq, Millis timeout, std::stop_token stop) {
  const Steady end = impl_->clock.SteadyNow() + timeout;
  while (true) {
    const std::uint64_t seen = impl_->Notified();
    if (impl_->database.Read(store::LastEvent) > seq) return true;
    const auto left = end - impl_->clock.SteadyNow();
    std::unique_lock lock(impl_->mutex);
    const bool news =
        impl_->changed.wait_for(lock, stop, left, [&] { return impl_->notified != seen; });
    if (!news) return false;
  }
}

std::vector<std::string> Feed::TellFrom(std::int64_t seq, const std::string& subscriber) {
  std::vector<std::string> told;
  std::vector<std::string> known;
  for (const auto& worker : impl_->Workers()) {
    if (!worker->subscriber->replays()) continue;
    known.push_back(worker->name);
    if (!subscriber.empty() && !IsCalled(worker->name, subscriber)) continue;
    const std::int64_t position = impl_->database.Write([&](store::Session& session) {
      const std::int64_t at = std::min(seq - 1, store::LastEvent(session));
      store::SavePosition(session, worker->name, at, impl_->clock.Now());
      return at;
    });
    {
      const std::lock_guard guard(impl_->mutex);
      worker->passed = position;
      worker->moved = true;
      worker->gave_up = false;
      worker->prompt = true;
      worker->nap.request_stop();
    }
    told.push_back(worker->name);
  }
  if (told.empty() && !subscriber.empty()) {
    throw Error(FailureCode::kNotFound,
                Cat("there is no handler called ", Printable(subscriber, 200)),
                known.empty() ? "there is no handler at all; see events.dir"
                              : Cat("the handlers are: ", Printable(Join(known, ", "), 2000)));
  }
  impl_->changed.notify_all();
  return told;
}

}  // namespace certwright::events
