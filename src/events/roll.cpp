#include "roll.h"

#include <algorithm>

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/events/handlers.h"

namespace certwright::events {

namespace {

constexpr UnixSeconds kMissedFor = 24 * 3600;

bool IsAmong(const std::string& name, const Workers& workers) {
  return std::any_of(workers.begin(), workers.end(),
                     [&](const auto& worker) { return worker->name == name; });
}

}  // namespace

void Roll::Enter(Worker& worker, std::optional<std::int64_t> otherwise) {
  const std::string heir_of = worker.subscriber->heir_of();
  worker.saved = worker.passed = database_.Write([&](store::Session& session) {
    auto position = store::FindPosition(session, worker.name);
    if (!position) {
      position = store::FindPosition(session, heir_of);
      if (!position) position = otherwise;
      if (!position) position = store::LastEvent(session);
      store::SavePosition(session, worker.name, *position, clock_.Now());
    }
    // They may be others than before: what it is behind by, and what is kept for it, goes by them.
    store::SaveKinds(session, worker.name, worker.kinds);
    return *position;
  });
}

Roll::Changes Roll::Look(const Workers& known) {
  Changes changes;
  if (!discovery_) return changes;
  // Read before: what is written from here on is for who is found now.
  const std::int64_t last = database_.Read(store::LastEvent);
  Workers found;
  for (auto& subscriber : discovery_()) {
    found.push_back(std::make_shared<Worker>(std::move(subscriber)));
  }
  for (const auto& worker : found) {
    if (IsAmong(worker->name, known) || IsAmong(worker->name, changes.come)) continue;
    worker->discovered = true;
    Enter(*worker, looked_at_.value_or(last));
    changes.come.push_back(worker);
  }
  for (const auto& worker : known) {
    if (worker->discovered && !IsAmong(worker->name, found)) changes.gone.push_back(worker);
  }
  looked_at_ = last;
  return changes;
}

// A program that is being replaced, or whose folder is not mounted yet, comes back to what it has not
// had.
bool Roll::MayComeBack(const store::FeedPosition& position) {
  if (!position.subscriber.starts_with(kHandlerPrefix)) return false;
  const UnixSeconds now = clock_.Now();
  const auto [missed, is_new] = missed_since_.try_emplace(position.subscriber, now);
  if (is_new) {  // what is not there does not fail
    database_.Write([&](store::Session& session) {
      store::SavePosition(session, position.subscriber, position.seq, now);
    });
  }
  return now >= missed->second && now - missed->second < kMissedFor;
}

void Roll::ForgetOthers(const Workers& known) {
  for (const auto& worker : known) missed_since_.erase(worker->name);
  for (const auto& position : database_.Read(store::ListPositions)) {
    if (IsAmong(position.subscriber, known) || MayComeBack(position)) continue;
    missed_since_.erase(position.subscriber);
    database_.Write([&](store::Session& session) {
      store::DeletePosition(session, position.subscriber);
    });
    log::Info(Cat("events: ", Printable(position.subscriber), " is no subscriber any more"));
  }
}

bool IsCalled(std::string_view name, std::string_view called) {
  if (name == called) return true;
  if (name.size() <= called.size() || !name.ends_with(called)) return false;
  const char before = name[name.size() - called.size() - 1];
  return before == ':' || before == '/';
}

}  // namespace certwright::events
