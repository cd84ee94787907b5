#include "certwright/issue/jobs.h"

#include <utility>

#include "certwright/base/log.h"
#include "certwright/base/text.h"

namespace certwright::issue {

namespace {

// Whether what comes of the one is what the other asks for.
bool Answers(const ObtainRequest& under_way, const ObtainRequest& request) {
  const bool same_policy = request.wish == model::PolicyWish{} || request.wish == under_way.wish;
  const bool orders = under_way.force || under_way.renew || !request.renew;
  return same_policy && orders && (under_way.force || !request.force);
}

}  // namespace

void Job::Tell(const model::Progress& step) {
  const std::lock_guard guard(mutex_);
  steps_.push_back(step);
  changed_.notify_all();
}

void Job::End(std::optional<ObtainResult> result, std::optional<Failure> failure) {
  const std::lock_guard guard(mutex_);
  result_ = std::move(result);
  failure_ = std::move(failure);
  changed_.notify_all();
}

ObtainResult Job::Wait(Millis timeout, const model::ProgressSink& progress, std::stop_token stop) {
  const Steady until = clock_.SteadyNow() + timeout;
  std::size_t told = 0;
  std::unique_lock guard(mutex_);
  while (true) {
    const bool changed = changed_.wait_for(guard, stop, until - clock_.SteadyNow(), [&] {
      return result_ || failure_ || told < steps_.size();
    });
    while (told < steps_.size()) {
      const model::Progress step = steps_[told++];
      guard.unlock();  // the one who is told may be slow
      if (progress) progress(step);
      guard.lock();
    }
    if (result_) return *result_;
    if (failure_) throw Error(*failure_);
    if (changed) continue;
    if (stop.stop_requested())
      throw Error(FailureCode::kCancelled, "stopped waiting for the certificate",
                  "an order under way is kept: the next run carries it on");
    Failure failure;
    failure.code = FailureCode::kTimeout;
    failure.identifiers = model::Names(request_.identifiers);
    failure.detail = Cat(
        "not obtained within ", std::chrono::duration_cast<std::chrono::seconds>(timeout).count(),
        " s", steps_.empty() ? "" : "; last step: ", steps_.empty() ? "" : steps_.back().text);
    failure.advice = "the order is kept and carried on; ask again, or wait longer (--timeout)";
    failure.transient = true;
    throw Error(std::move(failure));
  }
}

Jobs::Jobs(Obtainer& obtainer, Clock& clock, std::size_t max_workers)
    : obtainer_(obtainer), clock_(clock), max_workers_(max_workers) {}

Jobs::~Jobs() {
  for (std::jthread& worker : workers_) worker.request_stop();
  workers_.clear();  // joins
  for (const std::shared_ptr<Job>& job : queue_) {
    job->End(std::nullopt,
             Error(FailureCode::kCancelled, "stopped before the order was begun").failure());
  }
}

std::shared_ptr<Job> Jobs::Submit(ObtainRequest request) {
  const std::string name_set = model::NameSetKey(request.identifiers);
  const std::lock_guard guard(mutex_);
  if (const auto it = under_way_.find(name_set); it != under_way_.end()) {
    if (Answers(it->second->request(), request)) {
      it->second->askers_.push_back({request.owner, request.asked_at});
      return it->second;
    }
    Failure failure;
    failure.code = FailureCode::kBusy;
    failure.identifiers = model::Names(request.identifiers);
    failure.detail = "a certificate for these names is being obtained just now, with other settings";
    failure.advice = "ask again when that has ended";
    failure.transient = true;
    throw Error(std::move(failure));
  }
  auto job = std::make_shared<Job>(std::move(request), clock_);
  job->askers_.push_back({job->request().owner, job->request().asked_at});
  under_way_.emplace(name_set, job);
  queue_.push_back(job);
  if (idle_ < queue_.size() && workers_.size() < max_workers_) {
    try {
      workers_.emplace_back([this](std::stop_token stop) { Work(stop); });
    } catch (...) {  // no thread can be had: one that is there takes it up later
      if (!workers_.empty()) return job;
      under_way_.erase(name_set);
      queue_.pop_back();
      throw;
    }
  }
  wanted_.notify_one();
  return job;
}

std::optional<std::string> Jobs::Leave(const std::string& name_set, const std::string& owner) {
  const std::lock_guard guard(mutex_);
  const auto it = under_way_.find(name_set);
  if (it == under_way_.end()) return std::nullopt;
  std::vector<Asker>& askers = it->second->askers_;
  std::erase_if(askers, [&](const Asker& asker) { return asker.owner == owner; });
  if (askers.empty()) return std::nullopt;
  return askers.front().owner;
}

bool Jobs::IsUnderWay(const std::string& name_set) {
  const std::lock_guard guard(mutex_);
  return under_way_.contains(name_set);
}

// The certificate is there whatever becomes of this.
void Jobs::Remember(const std::vector<Asker>& askers, const ObtainRequest& request) {
  if (request.identifiers.size() != 1) return;
  try {
    obtainer_.Remember(askers, model::NameSetKey(request.identifiers));
  } catch (...) {
    log::Warning(Cat("who asked for ", model::NameSetKey(request.identifiers),
                     " is not remembered: ", CurrentFailure().detail));
  }
}

void Jobs::Work(std::stop_token stop) {
  std::unique_lock guard(mutex_);
  while (true) {
    ++idle_;
    const bool work = wanted_.wait(guard, stop, [this] { return !queue_.empty(); });
    --idle_;
    if (!work || stop.stop_requested()) return;
    const std::shared_ptr<Job> job = queue_.front();
    queue_.erase(queue_.begin());
    guard.unlock();
    std::optional<ObtainResult> result;
    std::optional<Failure> failure;
    try {
      result = obtainer_.Obtain(
          job->request(), [&](const model::Progress& step) { job->Tell(step); }, stop);
    } catch (...) {
      failure = CurrentFailure();
    }
    guard.lock();
    // Those too who join meanwhile: nobody can once it is gone from the list.
    while (result && !job->askers_.empty()) {
      const std::vector<Asker> askers = std::exchange(job->askers_, {});
      guard.unlock();
      Remember(askers, job->request());
      guard.lock();
    }
    // Gone from the list before it ends: who asks from now on gets a new look, not an old answer.
    under_way_.erase(model::NameSetKey(job->request().identifiers));
    job->End(std::move(result), std::move(failure));
  }
}

}  // namespace certwright::issue
