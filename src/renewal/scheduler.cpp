#include "certwright/renewal/scheduler.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>

#include "certwright/base/log.h"
#include "certwright/base/parallel.h"
#include "certwright/base/text.h"
#include "certwright/issue/routes.h"
#include "certwright/store/events.h"
#include "certwright/store/orders.h"
#include "certwright/store/renewals.h"
#include "lane_threads.h"
#include "slots.h"

namespace certwright::renewal {

namespace {

constexpr int kPage = 1000;  // rows read at once
// Of one CA: what falls due meanwhile does not wait for a hundred thousand others.
constexpr std::size_t kBatch = 1000;
constexpr Millis kOrderPatience{3'600'000};
constexpr Millis kShortestNap{100};
// A CA that has no ARI may have it one day.
constexpr UnixSeconds kNoWindows = 24 * 3600;
constexpr UnixSeconds kSoon = 60;
// A clock that is set back by so little was not wrong.
constexpr UnixSeconds kSetBack = 60;

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
  return [&](const Failure& failure, int failures) -> issue::AfterFailure {
    const UnixSeconds now = clock.Now();
    const bool parked_now = IsParked(failures) && !IsParked(failures - 1);
    // Looked at soon, whoever made it fail: what else it waits for is planned then.
    return {now + RetryDelay(failure, failures, now, random), now + kSoon,
            failures == 1 ? "failed" : parked_now ? "parked" : ""};
  };
}

Scheduler::Scheduler(store::Database& database, issue::Obtainer& obtainer, issue::Jobs& jobs,
                     events::Feed& feed, Clock& clock, Random& random, const Limits& limits,
                     PreflightCheck preflight)
    : database_(database),
      obtainer_(obtainer),
      jobs_(jobs),
      feed_(feed),
      clock_(clock),
      random_(random),
      limits_(limits),
      preflight_(std::move(preflight)),
      slots_(std::make_unique<Slots>(limits.side_by_side)) {}

Scheduler::~Scheduler() = default;

// Page by page: nobody else waits long for the store. What a clock that was ahead planned is looked
// at too: waiting until then could take years.
Scheduler::Lanes Scheduler::CollectDue(const std::set<std::string>& busy, std::size_t most) {
  Lanes lanes;
  const auto take = [&](const store::DueRow& row) {
    const std::string ca = obtainer_.LaneOf(row.ca);
    if (busy.contains(ca)) return;
    std::vector<std::int64_t>& lane = lanes[ca];
    if (lane.size() < most) lane.push_back(row.certificate_id);
  };
  const UnixSeconds now = clock_.Now();
  std::vector<store::DueRow> page(1);
  do {
    page = database_.Read([&](store::Session& session) {
      return store::ListDueRows(session, now, page.back(), kPage);
    });
    std::for_each(page.begin(), page.end(), take);
  } while (page.size() == kPage);
  page = database_.Read([&](store::Session& session) {
    return store::ListWrittenAfter(session, now + kSetBack, kPage);
  });
  std::for_each(page.begin(), page.end(), take);
  return lanes;
}

std::vector<Looked> Scheduler::RunOnce(const Wanted& wanted,
                                       const std::function<void(const Looked&)>& told,
                                       std::stop_token stop) {
  Lanes lanes = wanted.certificates.empty()
                    ? CollectDue({}, std::numeric_limits<std::size_t>::max())
                    : Lanes{{"", wanted.certificates}};
  std::vector<const std::vector<std::int64_t>*> ids;
  for (const auto& [ca, lane] : lanes) ids.push_back(&lane);
  std::vector<Looked> all;
  std::mutex mutex;
  std::optional<Failure> broken;
  const auto look = [&](std::int64_t id) {
    try {
      if (stop.stop_requested()) return;
      Looked looked = LookAt(id, wanted, stop);
      if (looked.certificate_id == 0) return;
      const std::lock_guard guard(mutex);
      if (told) told(looked);
      all.push_back(std::move(looked));
    } catch (...) {
      const std::lock_guard guard(mutex);
      broken = CurrentFailure();
    }
  };
  RunSideBySide(ids.size(), ids.size(), [&](std::size_t lane) {
    RunSideBySide(ids[lane]->size(), limits_.side_by_side,
                  [&](std::size_t i) { look((*ids[lane])[i]); });
  });
  if (broken) throw Error(*broken);
  return all;
}

Looked Scheduler::LookAt(std::int64_t certificate_id, const Wanted& wanted, std::stop_token stop) {
  Looked looked;
  if (!claims_.Take(certificate_id, stop)) return looked;
  const Claims::Claim claim(claims_, certificate_id);
  auto held = database_.Read(
      [&](store::Session& session) { return store::FindById(session, certificate_id); });
  if (!held) return looked;  // deleted meanwhile
  if (!wanted.dry_run && ForgetForsaken(*held)) return looked;
  looked.certificate_id = certificate_id;
  looked.name_set = held->certificate.name_set;
  const bool turn = IsTurn(*held, wanted, looked, stop);
  if (wanted.dry_run) {
    if (turn) looked.result = Looked::Result::kWouldRenew;
    return looked;
  }
  if (stop.stop_requested()) return looked;
  if (turn) {
    Renew(*held, wanted, looked, stop);
    const bool failed = looked.failure && looked.failure->code != FailureCode::kCancelled;
    if (failed) KeepPreflight(held->certificate);
  }
  if (!stop.stop_requested()) PlanNext(looked, wanted, stop);
  return looked;
}

// What a route asked for goes with the route, also where an issuance was under way then.
bool Scheduler::ForgetForsaken(const store::HeldCertificate& held) {
  if (held.current && !held.certificate.discard) return false;
  if (jobs_.IsUnderWay(held.certificate.name_set)) return false;
  const auto dropped = database_.Write([&](store::Session& session) {
    const auto latest = store::FindById(session, held.certificate.id);
    return latest ? issue::DropForsaken(session, *latest, clock_.Now()) : std::nullopt;
  });
  if (dropped.value_or(0) > 0) feed_.Notify();
  return dropped.has_value();
}

// Whether it is to be ordered now. Fills in looked.due, and takes the look from outside where that
// has a say.
bool Scheduler::IsTurn(store::HeldCertificate& held, const Wanted& wanted, Looked& looked,
                       std::stop_token stop) {
  model::ManagedCertificate& certificate = held.certificate;
  const model::RenewalInfo known = KnownWindow(held, wanted, stop);
  const auto is_due = [&](const model::ManagedCertificate& seen) {
    looked.due = Plan(seen, held.current, known, clock_.Now());
    return looked.due.renew_at > 0 && looked.due.renew_at <= clock_.Now();
  };
  if (wanted.force || !wanted.certificates.empty()) {
    model::ManagedCertificate as_if_well = certificate;
    as_if_well.last_error.reset();
    if (is_due(as_if_well)) return true;
    return is_due(certificate) || wanted.force || IsLeftOpen(held);
  }
  if (!preflight_ || wanted.dry_run || !IsWatched(certificate)) {
    return is_due(certificate) || IsLeftOpen(held);
  }
  const Preflight seen = preflight_(certificate.names, stop);
  if (stop.stop_requested()) return false;
  const bool turned = TurnedGood(certificate, seen.good, clock_.Now());
  if (turned) log::Info(Cat(certificate.name_set, ": the way to it is good again"));
  certificate.preflight_good = seen.good;
  certificate.preflight_saw = seen.saw;
  certificate.preflight_at = clock_.Now();
  // Written down after the order where it turned: what dies in between turns again.
  if (!turned) KeepPreflight(certificate);
  return is_due(certificate) || turned || IsLeftOpen(held);
}

// An order that a process left open when it died, or for want of network or disk, is a renewal that
// somebody began: it goes on though nothing is due yet (I2), but not before its next try.
bool Scheduler::IsLeftOpen(const store::HeldCertificate& held) {
  if (jobs_.IsUnderWay(held.certificate.name_set)) return false;
  const UnixSeconds now = clock_.Now();
  const UnixSeconds next_try = NextTryOfOpen(held.certificate, held.current, OpenOrders(held), now);
  return next_try > 0 && next_try <= now;
}

std::vector<model::OrderRecord> Scheduler::OpenOrders(const store::HeldCertificate& held) const {
  auto open = database_.Read([&](store::Session& session) {
    return store::FindOpenOrders(session, held.certificate.id);
  });
  std::erase_if(open, [&](const auto& order) { return !obtainer_.Knows(order.directory); });
  return open;
}

void Scheduler::KeepPreflight(const model::ManagedCertificate& certificate) {
  if (certificate.preflight_at == 0) return;
  database_.Write([&](store::Session& session) {
    store::SavePreflight(session, certificate.id, certificate.preflight_good,
                         certificate.preflight_saw, certificate.preflight_at);
  });
}

// After the look: of a new version the window is asked for, what failed has its next try. Whatever
// the plan says, nothing is looked at again at once.
void Scheduler::PlanNext(Looked& looked, const Wanted& wanted, std::stop_token stop) {
  const auto held = database_.Read(
      [&](store::Session& session) { return store::FindById(session, looked.certificate_id); });
  if (!held) return;
  const model::RenewalInfo known = KnownWindow(*held, wanted, stop);
  looked.due = Plan(held->certificate, held->current, known, OpenOrders(*held), clock_.Now());
  WarnOfExpiry(*held);
  const UnixSeconds now = clock_.Now();
  const UnixSeconds next = NextLook(*held, looked.due);
  const bool written_ahead = held->certificate.updated_at > now + kSetBack;
  if (next == held->certificate.next_action_at && !written_ahead) return;
  database_.Write([&](store::Session& session) {
    // Whoever made it due meanwhile has a reason that this plan knows nothing of.
    const auto latest = store::FindById(session, looked.certificate_id);
    if (!latest || latest->certificate.next_action_at != held->certificate.next_action_at) return;
    store::SetNextAction(session, looked.certificate_id, next, now);
  });
}

// The earliest of what it waits for; 0: nothing.
UnixSeconds Scheduler::NextLook(const store::HeldCertificate& held, const Due& due) const {
  const UnixSeconds now = clock_.Now();
  UnixSeconds next = due.look_at;
  const auto also = [&](UnixSeconds at) {
    if (at > 0) next = next > 0 ? std::min(next, at) : at;
  };
  if (preflight_) also(WatchAt(held.certificate, now));
  if (held.certificate.discard) also(now + kSoon);
  if (held.current) also(WarnOf(*held.current, held.certificate.failures, now).next);
  return next > 0 ? std::max(next, now + limits_.interval) : 0;
}

void Scheduler::WarnOfExpiry(const store::HeldCertificate& held) {
  if (!held.current) return;
  const model::CertificateVersion& version = *held.current;
  const ExpiryWarning warning = WarnOf(version, held.certificate.failures, clock_.Now());
  if (warning.reason.empty()) return;
  model::Event event;
  event.name = "certificate-expiring";
  event.reason = warning.reason;
  event.names = model::Names(version.names);
  event.certificate_id = held.certificate.id;
  event.not_after = version.not_after;
  event.failure = held.certificate.last_error;
  event.created_at = clock_.Now();
  database_.Write([&](store::Session& session) {
    store::SetExpiryTold(session, version.id, warning.told);
    store::AppendEvent(session, event);
  });
  feed_.Notify();
  log::Warning(Cat(held.certificate.name_set, ": expires at ", FormatUtc(version.not_after)));
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
  request.planned_for = held.current ? held.current->id : 0;
  try {
    const auto place = slots_->Take(FirstAsked(held), stop);
    if (!place) throw Error(FailureCode::kCancelled, "stopped before anything was ordered");
    const bool issued = jobs_.Submit(std::move(request))->Wait(kOrderPatience, nullptr, stop).issued;
    looked.result = issued ? Looked::Result::kRenewed : Looked::Result::kNotDue;
  } catch (const Error& error) {
    looked.result = Looked::Result::kFailed;
    looked.failure = error.failure();
  }
}

// The CA that a renewal is first asked of: where an order is under way, else the first, wherever the
// certificate is from.
std::string Scheduler::FirstAsked(const store::HeldCertificate& held) const {
  const auto open = database_.Read([&](store::Session& session) {
    return store::FindOpenOrders(session, held.certificate.id);
  });
  for (const model::OrderRecord& order : open) {
    if (obtainer_.Knows(order.directory)) return order.directory;
  }
  return obtainer_.LaneOf("");
}

void Scheduler::Start() {
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

void Scheduler::Run(std::stop_token stop) {
  LaneThreads threads;
  while (!stop.stop_requested()) {
    std::stop_source nap = threads.NextNap();
    const std::stop_callback wake(stop, [&] { nap.request_stop(); });
    clock_.Sleep(Tick(threads), nap.get_token());
  }
}

Millis Scheduler::Tick(LaneThreads& threads) {
  try {
    for (auto& [ca, ids] : CollectDue(threads.Busy(), kBatch)) {
      threads.Begin(ca, [this, ids = std::move(ids)](std::stop_token lane_stop) {
        if (!LookAtAll(ids, lane_stop)) clock_.Sleep(limits_.check, lane_stop);
      });
    }
    const UnixSeconds now = clock_.Now();
    const UnixSeconds next = database_.Read(
        [&](store::Session& session) { return store::NextActionAfter(session, now); });
    if (next == 0) return limits_.check;
    const Millis wait = std::chrono::seconds(std::min<UnixSeconds>(next - now, 24 * 3600));
    return std::clamp(wait, kShortestNap, limits_.check);
  } catch (const Error& error) {
    log::Error(Cat("the scheduler: ", error.failure().detail));
    return limits_.check;
  }
}

// False where the store failed: what was due still is, and is not to be tried in a loop.
bool Scheduler::LookAtAll(const std::vector<std::int64_t>& ids, std::stop_token stop) {
  std::atomic<bool> good = true;
  RunSideBySide(ids.size(), limits_.side_by_side, [&](std::size_t i) {
    if (stop.stop_requested()) return;
    try {
      const Looked looked = LookAt(ids[i], {}, stop);
      if (!looked.failure || stop.stop_requested()) return;
      log::Warning(Cat(looked.name_set, ": not renewed: ", looked.failure->detail));
    } catch (...) {
      const Failure failure = CurrentFailure();
      if (failure.code == FailureCode::kCancelled) return;
      log::Error(Cat("the scheduler: ", failure.detail));
      good = false;
    }
  });
  return good;
}

}  // namespace certwright::renewal
