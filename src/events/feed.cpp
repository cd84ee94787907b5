#include "certwright/events/feed.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>

#include "certwright/base/error.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/store/events.h"

namespace certwright::events {
namespace {

constexpr Millis kFirstPause{1'000};
constexpr Millis kLongestPause{60'000};

// The one test hook of the feed: CERTWRIGHT_TEST_EXIT_BEFORE_DELIVERY=1 ends the process, as kill -9
// would, between the commit of an event and its first delivery.
void EndHereIfTested() {
  const char* wanted = std::getenv("CERTWRIGHT_TEST_EXIT_BEFORE_DELIVERY");
  if (wanted != nullptr && std::string_view(wanted) == "1") ::_exit(99);
}

}  // namespace

struct Feed::Impl {
  struct Worker {
    std::unique_ptr<Subscriber> subscriber;
    std::string name;
    bool catch_up = false;    // guarded by Impl::mutex once threads run
    std::int64_t passed = 0;  // as well
    std::jthread thread;
  };

  Impl(store::Database& d, Clock& c) : database(d), clock(c) {}

  store::Database& database;
  Clock& clock;
  std::mutex mutex;
  std::condition_variable_any changed;  // an event was written, or a subscriber has come further
  std::uint64_t notified = 0;
  std::vector<std::unique_ptr<Worker>> workers;

  bool IsSubscriber(const std::string& name) const {
    return std::any_of(workers.begin(), workers.end(),
                       [&](const auto& worker) { return worker->name == name; });
  }

  // Else a subscriber that was configured once would stop the pruning of events for ever.
  void ForgetWhoIsGone() {
    try {
      const auto known = database.Read(store::ListSubscribers);
      for (const std::string& name : known) {
        if (IsSubscriber(name)) continue;
        database.Write([&](store::Session& session) { store::DeletePosition(session, name); });
        log::Info(Cat("events: ", Printable(name), " is no subscriber any more"));
      }
    } catch (const std::exception& error) {
      log::Error(Cat("events: who is gone could not be forgotten: ", Printable(error.what())));
    }
  }

  std::uint64_t Notified() {
    const std::lock_guard guard(mutex);
    return notified;
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
    const int batch = std::max(1, worker.subscriber->batch());
    const auto events = database.Read([&](store::Session& session) {
      return store::ListEvents(session, worker.passed, batch);
    });
    if (events.empty()) return false;
    EndHereIfTested();
    worker.subscriber->Deliver(events, stop);
    Pass(worker, events.back().seq);
    return true;
  }

  // Who waits is told before the position is saved: a crash between the two only tells twice.
  void Pass(Worker& worker, std::int64_t seq) {
    {
      const std::lock_guard guard(mutex);
      worker.passed = seq;
    }
    changed.notify_all();
    try {
      database.Write([&](store::Session& session) {
        store::SavePosition(session, worker.name, seq, clock.Now());
      });
    } catch (const std::exception& error) {
      log::Error(Cat("events: the position of ", worker.name, " could not be saved: ",
                     Printable(error.what())));
    }
  }

  void RunWorker(Worker& worker, std::stop_token stop) {
    Millis pause = kFirstPause;
    while (!stop.stop_requested()) {
      // Read before the events are: a Notify in between is not lost.
      const std::uint64_t seen = Notified();
      try {
        const bool delivered = DeliverNext(worker, stop);
        pause = kFirstPause;
        if (!delivered) {
          std::unique_lock lock(mutex);
          changed.wait(lock, stop, [&] { return notified != seen; });
        }
      } catch (const std::exception& error) {
        if (stop.stop_requested()) return;
        log::Warning(Cat("events: ", worker.name, " failed and is told again in ",
                         pause.count() / 1000, " s: ", Printable(error.what())));
        clock.Sleep(pause, stop);
        pause = std::min(pause * 2, kLongestPause);
      }
    }
  }
};

Feed::Feed(store::Database& database, Clock& clock)
    : impl_(std::make_unique<Impl>(database, clock)) {}

Feed::~Feed() { Stop(); }

void Feed::Subscribe(std::unique_ptr<Subscriber> subscriber, bool from_start) {
  auto worker = std::make_unique<Impl::Worker>();
  worker->name = subscriber->name();
  worker->catch_up = subscriber->catches_up();
  worker->subscriber = std::move(subscriber);
  const auto known = impl_->database.Read(
      [&](store::Session& session) { return store::FindPosition(session, worker->name); });
  worker->passed = known ? *known : impl_->database.Write([&](store::Session& session) {
    // Saved now: what comes between here and its first delivery must not be passed over by a crash.
    const std::int64_t position = from_start ? 0 : store::LastEvent(session);
    store::SavePosition(session, worker->name, position, impl_->clock.Now());
    return position;
  });
  impl_->workers.push_back(std::move(worker));
}

void Feed::Start() {
  impl_->ForgetWhoIsGone();
  for (auto& worker : impl_->workers) {
    if (worker->thread.joinable()) continue;
    worker->thread = std::jthread([impl = impl_.get(), worker = worker.get()](
                                      std::stop_token stop) { impl->RunWorker(*worker, stop); });
  }
}

void Feed::Stop() {
  for (auto& worker : impl_->workers) worker->thread.request_stop();
  for (auto& worker : impl_->workers) {
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
  impl_->ForgetWhoIsGone();
  std::vector<std::string> failures;
  for (auto& worker : impl_->workers) {
    try {
      while (!stop.stop_requested() && impl_->DeliverNext(*worker, stop)) {
      }
    } catch (const std::exception& error) {
      failures.push_back(Cat(worker->name, ": ", error.what()));
    }
  }
  return failures;
}

bool Feed::WaitPassed(const std::string& subscriber, std::int64_t seq, Millis timeout,
                      std::stop_token stop) {
  const auto found =
      std::find_if(impl_->workers.begin(), impl_->workers.end(),
                   [&](const auto& worker) { return worker->name == subscriber; });
  if (found == impl_->workers.end()) return false;
  std::unique_lock lock(impl_->mutex);
  return impl_->changed.wait_for(lock, stop, timeout, [&] {
    return !(*found)->catch_up && (*found)->passed >= seq;
  });
}

}  // namespace certwright::events
