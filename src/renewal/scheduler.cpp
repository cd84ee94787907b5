#include "certwright/renewal/scheduler.h"

#include <algorithm>
#include <mutex>

#include "certwright/base/log.h"
#include "certwright/base/parallel.h"
#include "certwright/base/text.h"
#include "certwright/store/renewals.h"

namespace certwright::renewal {

namespace {

constexpr std::size_t kSideBySide = 8;  // certificates at one CA
constexpr int kBatch = 200;             // rows read at once
constexpr Millis kOrderPatience{3'600'000};
// A wall clock may jump and a machine may sleep: so long at most nobody looks at it.
constexpr Millis kLongestNap{60'000};
constexpr Millis kShortestNap{100};
// A CA that has no ARI may have it one day.
constexpr UnixSeconds kNoWindows = 24 * 3600;
// What is still due after it was looked at (somebody else works on it, or a bug) rests so long.
constexpr UnixSeconds kRest = 60;

}  // namespace

std::string_view ResultName(Looked::Result result) {
  switch (result) {
    case Looked::Result::kNotDue: return "not-due";
    case Looked::Result::kWouldRenew: return "would-renew";
    case Looked::Result::kRenewed: return "renewed";
    case Looked::Result::kFailed: return "failed";
  }
  return "";
}

issue::NextTry MakeNextTry(Clock& clock, Random& random) {
  return [&](const Failure& failure, int failures) {
    const UnixSeconds now = clock.Now();
    return now + RetryDelay(failure, failures, now, random);
  };
}

Scheduler::Scheduler(store::Database& database, issue::Obtainer& obtainer, issue::Jobs& jobs,
                     Clock& clock, Random& random)
    : database_(database), obtainer_(obtainer), jobs_(jobs), clock_(clock), random_(random) {}

Scheduler::~Scheduler() = default;

std::vector<Looked> Scheduler::RunOnce(const Wanted& wanted,
                                       const std::function<void(const Looked&)>& told,
                                       std::stop_token stop) {
  std::vector<std::int64_t> ids = wanted.certificates;
  if (ids.empty()) {
    database_.Read([&](store::Session& session) {
      for (const auto& due : store::ListDue(session, clock_.Now(), kBatch)) ids.push_back(due.id);
    });
  }
  std::vector<Looked> all(ids.size());
  std::mutex mutex;
  std::optional<Failure> broken;
  RunSideBySide(ids.size(), kSideBySide, [&](std::size_t i) {
    try {
      if (!stop.stop_requested()) all[i] = LookAt(ids[i], wanted, stop);
      const std::lock_guard guard(mutex);
      if (told && all[i].certificate_id != 0) told(all[i]);
    } catch (...) {
      const std::lock_guard guard(mutex);
      broken = CurrentFailure();
    }
  });
  if (broken) throw Error(*broken);
  std::erase_if(all, [](const Looked& looked) { return looked.certificate_id == 0; });
  return all;
}

Looked Scheduler::LookAt(std::int64_t certificate_id, const Wanted& wanted, std::stop_token stop) {
  Looked looked;
  const auto held = database_.Read(
      [&](store::Session& session) { return store::FindById(session, certificate_id); });
  if (!held) return looked;  // deleted meanwhile
  looked.certificate_id = certificate_id;
  looked.name_set = held->certificate.name_set;
  looked.due = Plan(held->certificate, held->current, KnownWindow(*held, wanted, stop), clock_.Now());
  const bool due = looked.due.renew_at > 0 && looked.due.renew_at <= clock_.Now();
  if (wanted.dry_run) {
    if (due || wanted.force) looked.result = Looked::Result::kWouldRenew;
    return looked;
  }
  if (due || wanted.force) Renew(*held, wanted, looked, stop);
  if (!stop.stop_requested()) PlanNext(looked, wanted, stop);
  return looked;
}

// After the look: of a new version the window is asked for, what failed has its next try. Whatever
// the plan says, nothing is looked at again at once.
void Scheduler::PlanNext(Looked& looked, const Wanted& wanted, std::stop_token stop) {
  const auto held = database_.Read(
      [&](store::Session& session) { return store::FindById(session, looked.certificate_id); });
  if (!held) return;
  looked.due = Plan(held->certificate, held->current, KnownWindow(*held, wanted, stop), clock_.Now());
  const UnixSeconds soonest = clock_.Now() + kRest;
  const UnixSeconds next = looked.due.look_at > 0 ? std::max(looked.due.look_at, soonest) : 0;
  if (next == held->certificate.next_action_at) return;
  database_.Write([&](store::Session& session) {
    store::SetNextAction(session, looked.certificate_id, next);
  });
}

model::RenewalInfo Scheduler::KnownWindow(const store::HeldCertificate& held, const Wanted& wanted,
                                          std::stop_token stop) {
  model::RenewalInfo known;
  if (!held.current || held.current->ari_id.empty()) return known;
  known.ari_id = held.current->ari_id;
  database_.Read([&](store::Session& session) {
    if (auto stored = store::FindRenewalInfo(session, known.ari_id)) known = *stored;
  });
  if (wanted.dry_run || !IsWindowWanted(*held.current, known, clock_.Now())) return known;
  try {
    const auto window = obtainer_.AskWindow(*held.current, stop);
    if (window) {
      known = Keep(known, *window, clock_.Now(), random_);
    } else {
      known.check_at = clock_.Now() + kNoWindows;
    }
    if (window && !window->explanation_url.empty()) {
      log::Info(Cat(held.certificate.name_set, ": the CA explains the time of renewal at ",
                    window->explanation_url));
    }
  } catch (const Error& error) {
    if (error.failure().code == FailureCode::kCancelled) throw;
    log::Warning(Cat(held.certificate.name_set, ": the CA's renewal window is not known: ",
                     error.failure().detail));
    known = KeepAfterFailure(known, clock_.Now());
  }
  database_.Write([&](store::Session& session) {
    store::SaveRenewalInfo(session, held.current->id, known, clock_.Now());
  });
  return known;
}

void Scheduler::Renew(const store::HeldCertificate& held, const Wanted& wanted, Looked& looked,
                      std::stop_token stop) {
  issue::ObtainRequest request;
  request.identifiers = held.certificate.names;
  request.owner = held.certificate.owner;
  request.renew = true;
  request.force = wanted.force;
  try {
    jobs_.Submit(std::move(request))->Wait(kOrderPatience, nullptr, stop);
    looked.result = Looked::Result::kRenewed;
  } catch (const Error& error) {
    looked.result = Looked::Result::kFailed;
    looked.failure = error.failure();
  }
}

void Scheduler::Start() {
  thread_ = std::jthread([this](std::stop_token stop) {
    while (!stop.stop_requested()) clock_.Sleep(Tick(stop), stop);
  });
}

Millis Scheduler::Tick(std::stop_token stop) {
  try {
    for (const Looked& looked : RunOnce({}, nullptr, stop)) {
      if (!looked.failure) continue;
      log::Warning(Cat(looked.name_set, ": not renewed: ", looked.failure->detail));
    }
    const UnixSeconds next = database_.Read(
        [](store::Session& session) { return store::NextActionOfAll(session); });
    if (next == 0) return kLongestNap;
    const UnixSeconds wait = std::clamp<UnixSeconds>(next - clock_.Now(), 0, kRest);
    return std::clamp(Millis(wait * 1000), kShortestNap, kLongestNap);
  } catch (const Error& error) {
    if (error.failure().code == FailureCode::kCancelled) return Millis(0);
    log::Error(Cat("the scheduler: ", error.failure().detail));
    return kLongestNap;
  }
}

}  // namespace certwright::renewal
