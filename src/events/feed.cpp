#include "feed_impl.h"

#include <algorithm>

#include "certwright/base/error.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"

namespace certwright::events {
namespace {

// Who comes, who goes, what is old: looked at this often where nothing happens.
constexpr Millis kLookAround{60'000};

}  // namespace

std::uint64_t Feed::Impl::Notified() {
  const std::lock_guard guard(mutex);
  return notified;
}

std::vector<std::shared_ptr<Worker>> Feed::Impl::Workers() {
  const std::lock_guard guard(mutex);
  return workers;
}

void Feed::Impl::Add(std::shared_ptr<Worker> worker) {
  const std::lock_guard guard(mutex);
  if (threads) StartThread(*worker);
  workers.push_back(std::move(worker));
}

void Feed::Impl::StartThread(Worker& worker) {
  worker.thread =
      std::jthread([this, &worker](std::stop_token stop) { RunWorker(worker, stop); });
}

void Feed::Impl::LookAround(bool forget) {
  try {
    Roll::Changes changes = roll.Look(Workers());
    for (auto& worker : changes.come) Add(std::move(worker));
    for (const auto& worker : changes.gone) Dismiss(worker);
    if (forget) roll.ForgetOthers(Workers());
  } catch (const std::exception& error) {
    log::Error(Cat("events: who is to be told cannot be looked up: ", Printable(error.what())));
  }
}

void Feed::Impl::Dismiss(const std::shared_ptr<Worker>& worker) {
  {
    const std::lock_guard guard(mutex);
    std::erase(workers, worker);
  }
  worker->thread = {};  // stops it and waits
  changed.notify_all();
}

void Feed::Impl::Prune(bool always) {
  try {
    const std::int64_t last = database.Read(store::LastEvent);
    if (!always && last - pruned_at < retention.count / 10) return;
    pruned_at = last;
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

void Feed::Impl::RunKeeper(std::stop_token stop) {
  bool quiet = true;  // nothing happened for as long as nobody looks around
  while (!stop.stop_requested()) {
    const std::uint64_t seen = Notified();
    LookAround(true);
    Prune(quiet);
    std::unique_lock lock(mutex);
    quiet = !changed.wait_for(lock, stop, kLookAround, [&] { return notified != seen; });
  }
}

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
  impl_->Prune(true);
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
