#include "certwright/served/watch.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "certwright/base/error.h"
#include "certwright/base/log.h"
#include "certwright/base/parallel.h"
#include "certwright/base/text.h"
#include "certwright/store/certificates.h"
#include "certwright/store/served.h"
#include "judge.h"
#include "news.h"

namespace certwright::served {
namespace {

constexpr std::size_t kSideBySide = 8;
constexpr std::size_t kAtOnce = 64;  // looks that are written down together
// A clock may jump and a machine sleep.
constexpr std::int64_t kLongestWait = 60;
constexpr std::int64_t kLookSoon = 10;

using Key = std::pair<std::string, std::string>;  // endpoint, name
Key KeyOf(const Spot& spot) { return {spot.endpoint, spot.name}; }

struct Looked {
  const Spot* spot = nullptr;
  std::optional<probe::ShownLeaf> leaf;
  std::string problem;
};

// Of one run: an endpoint with many names that answers for none is not asked for all of them.
struct Silent {
  std::map<std::string, std::string> problems;  // by endpoint
  std::set<std::string> answered;

  void Learn(const std::vector<Looked>& looked) {
    std::map<std::string, std::size_t> failed;
    for (const Looked& each : looked) {
      if (each.leaf) answered.insert(each.spot->endpoint);
      if (++failed[each.spot->endpoint] < kSideBySide) continue;
      problems.try_emplace(each.spot->endpoint, each.problem);
    }
    for (const std::string& endpoint : answered) problems.erase(endpoint);
  }
};

void Look(Looked& looked, const Silent& silent, std::stop_token stop) {
  if (const auto known = silent.problems.find(looked.spot->endpoint);
      known != silent.problems.end()) {
    looked.problem = known->second;
    return;
  }
  try {
    looked.leaf = looked.spot->look(std::move(stop));
  } catch (const Error& error) {
    looked.problem = error.failure().detail;
  }
}

Sight SightOf(const Looked& looked, const std::vector<store::HeldCertificate>& ranked) {
  const model::CertificateVersion& best = *ranked.front().current;
  Sight sight;
  sight.wanted = best.serial_hex;
  if (!looked.leaf) {
    sight.problem = looked.problem;
    return sight;
  }
  sight.reached = true;
  sight.seen = looked.leaf->serial_hex;
  const auto is_shown = [&](const store::HeldCertificate& held) {
    return held.current->fingerprint == looked.leaf->fingerprint;
  };
  sight.good = looked.spot->any_current ? std::any_of(ranked.begin(), ranked.end(), is_shown)
                                        : is_shown(ranked.front());
  if (!sight.good) {
    sight.problem = Cat("shows the certificate with the serial ", sight.seen, ", and ", sight.wanted,
                        " is held");
  }
  return sight;
}

}  // namespace

struct Watch::Impl {
  Impl(Spots s, store::Database& d, events::Feed& f, Clock& c, Options o)
      : spots_of(std::move(s)), database(d), feed(f), clock(c), options(o) {}

  const Spots spots_of;
  store::Database& database;
  events::Feed& feed;
  Clock& clock;
  const Options options;

  std::mutex mutex;  // guards the two below
  std::condition_variable_any woken;
  std::set<std::string> changed;
  bool wakes = false;  // something is due earlier than the thread knows

  void Wake() {
    {
      const std::lock_guard guard(mutex);
      wakes = true;
    }
    woken.notify_all();
  }

  std::mutex looking;  // guards what is below
  std::vector<Spot> spots;
  std::map<Key, UnixSeconds> due;
  UnixSeconds next_round = 0;

  std::set<std::string> TakeChanged() {
    const std::lock_guard guard(mutex);
    return std::exchange(changed, {});
  }

  void Refresh(std::stop_token stop) {
    spots = spots_of(std::move(stop));
    std::set<Key> keys;
    for (const Spot& spot : spots) keys.insert(KeyOf(spot));
    std::erase_if(due, [&](const auto& entry) { return !keys.contains(entry.first); });
    database.Write([&](store::Session& session) {
      for (const auto& state : store::ListServed(session)) {
        if (keys.contains({state.endpoint, state.name})) continue;
        store::DeleteServed(session, state.endpoint, state.name);
      }
    });
  }

  void Plan(bool everything, UnixSeconds now, std::stop_token stop) {
    const std::set<std::string> names = TakeChanged();
    const bool round = everything || now >= next_round || next_round > now + options.every;
    if (!round && names.empty()) return;
    try {
      Refresh(std::move(stop));
    } catch (...) {
      const std::lock_guard guard(mutex);
      changed.insert(names.begin(), names.end());
      throw;
    }
    const UnixSeconds soon = now + std::clamp<std::int64_t>(options.grace / 10, 1, kLookSoon);
    for (const Spot& spot : spots) {
      const bool concerned = std::any_of(names.begin(), names.end(), [&](const auto& name) {
        return model::Covers(name, spot.name);
      });
      if (round) {
        due[KeyOf(spot)] = now;
      } else if (concerned) {
        due[KeyOf(spot)] = soon;
      }
    }
    if (round) next_round = now + options.every;
  }

  // False where it was stopped.
  bool LookAt(const std::vector<const Spot*>& chosen, Silent& silent, std::stop_token stop) {
    std::vector<Looked> looked;
    for (const Spot* spot : chosen) looked.push_back({spot, std::nullopt, ""});
    RunSideBySide(looked.size(), kSideBySide, [&](std::size_t i) { Look(looked[i], silent, stop); });
    if (stop.stop_requested()) return false;
    silent.Learn(looked);
    const UnixSeconds now = clock.Now();
    News news;
    database.Write([&](store::Session& session) {
      for (const Looked& each : looked) WriteDown(session, each, now, news);
      news.Append(session, now);
    });
    if (!news.empty()) feed.Notify();
    return true;
  }

  void WriteDown(store::Session& session, const Looked& looked, UnixSeconds now, News& news) {
    const Spot& spot = *looked.spot;
    due.erase(KeyOf(spot));
    const auto ranked = store::FindRanked(session, spot.name, now);
    if (ranked.empty()) return store::DeleteServed(session, spot.endpoint, spot.name);
    store::ServedState state =
        store::FindServed(session, spot.endpoint, spot.name).value_or(store::ServedState{});
    state.endpoint = spot.endpoint;
    state.name = spot.name;
    const Tell tell = Judge(state, SightOf(looked, ranked), now, options.grace);
    store::SaveServed(session, state);
    news.Add(tell, state, *ranked.front().current);
    if (const UnixSeconds next = NextLook(state, options.grace); next > 0) due[KeyOf(spot)] = next;
  }

  UnixSeconds Run(bool everything, std::stop_token stop) {
    const std::lock_guard guard(looking);
    const UnixSeconds now = clock.Now();
    Plan(everything, now, stop);
    Silent silent;
    std::vector<const Spot*> chosen;
    for (const Spot& spot : spots) {
      const auto at = due.find(KeyOf(spot));
      if (at == due.end() || at->second > now) continue;
      chosen.push_back(&spot);
      if (chosen.size() < kAtOnce) continue;
      if (!LookAt(std::exchange(chosen, {}), silent, stop)) return now;
    }
    if (!chosen.empty() && !LookAt(chosen, silent, stop)) return now;
    UnixSeconds next = next_round;
    for (const auto& [key, at] : due) next = std::min(next, at);
    return next;
  }

  void Loop(std::stop_token stop) {
    while (!stop.stop_requested()) {
      std::int64_t wait = kLongestWait;
      try {
        wait = std::clamp<std::int64_t>(Run(false, stop) - clock.Now(), 0, kLongestWait);
      } catch (const std::exception& error) {
        log::Warning(Cat("served: ", Printable(error.what()), "; looked at again in ", wait, " s"));
      }
      std::unique_lock lock(mutex);
      woken.wait_for(lock, stop, std::chrono::seconds(wait), [&] { return std::exchange(wakes, false); });
    }
  }

  std::jthread thread;  // last: it uses all of that
};

Watch::Watch(Spots spots, store::Database& database, events::Feed& feed, Clock& clock,
             Options options)
    : impl_(std::make_unique<Impl>(std::move(spots), database, feed, clock, options)) {}
Watch::~Watch() = default;

void Watch::Start() {
  // Whoever serves starts at the same time: the first look may wait as after a change.
  impl_->next_round =
      impl_->clock.Now() + std::clamp<std::int64_t>(impl_->options.grace / 10, 1, kLookSoon);
  impl_->thread = std::jthread([impl = impl_.get()](std::stop_token stop) { impl->Loop(stop); });
}

void Watch::Stop() {
  impl_->thread.request_stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

void Watch::Changed(const std::vector<std::string>& names) {
  {
    const std::lock_guard guard(impl_->mutex);
    impl_->changed.insert(names.begin(), names.end());
  }
  impl_->Wake();
}

UnixSeconds Watch::LookAtDue(std::stop_token stop) { return impl_->Run(false, std::move(stop)); }

void Watch::LookAtAll(std::stop_token stop) {
  impl_->Run(true, std::move(stop));
  impl_->Wake();
}

}  // namespace certwright::served
