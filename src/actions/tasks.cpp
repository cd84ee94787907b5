#include "certwright/actions/tasks.h"

#include <algorithm>

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/store/tasks.h"
#include "handler.h"
#include "redact.h"

namespace certwright::actions {

namespace {

// One that ended the process so often is not begun again.
constexpr int kMostAttempts = 5;
constexpr Millis kOutputKept{60'000};

// RFC 9562 section 5.4.
std::string NewId(Random& random) {
  std::string hex = RandomHex(random, 16);
  hex[12] = '4';
  hex[16] = "89ab"[random.Below(4)];
  return Cat(hex.substr(0, 8), '-', hex.substr(8, 4), '-', hex.substr(12, 4), '-',
             hex.substr(16, 4), '-', hex.substr(20));
}

Result Aborted(FailureCode code, std::string detail, std::string advice = "") {
  Failure failure;
  failure.code = code;
  failure.detail = std::move(detail);
  failure.advice = std::move(advice);
  return FromFailure(failure);
}

Result Lost(const model::Task& task) {
  if (task.secret) {
    return Aborted(FailureCode::kCancelled,
                   "the daemon ended before this was done, and its input, which holds a secret, was "
                   "in memory only",
                   "ask again");
  }
  return Aborted(FailureCode::kInternal,
                 Cat("the daemon ended ", task.attempts, " times while it ran this"),
                 "see the daemon's log; it is not begun again");
}

bool IsSame(const model::Task& a, const model::Task& b) {
  return a.action == b.action && a.data == b.data && !a.secret && !b.secret && a.role == b.role &&
         a.caller == b.caller && a.upload_verify == b.upload_verify && a.parent == b.parent &&
         a.extra == b.extra;
}

}  // namespace

Tasks::Tasks(store::Database& database, Clock& clock, Random& random, Run run, TaskLimits limits)
    : database_(database),
      clock_(clock),
      random_(random),
      run_(std::move(run)),
      limits_(limits) {}

Tasks::~Tasks() {
  std::vector<std::jthread> workers;
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
    for (const auto& [id, live] : live_) live->stop.request_stop();
    workers.swap(workers_);
  }
  for (std::jthread& worker : workers) worker.request_stop();
}

void Tasks::Start() {
  std::vector<std::shared_ptr<Live>> left;
  database_.Write([&](store::Session& session) {
    store::PruneTasks(session, clock_.Now());
    for (model::Task& task : store::ListOpenTasks(session)) {
      if (auto live = TakeUp(session, std::move(task))) left.push_back(std::move(live));
    }
  });
  const std::lock_guard guard(mutex_);
  started_ = true;
  for (std::shared_ptr<Live>& live : left) {
    live_.emplace(live->task.id, live);
    waiting_.push_back(std::move(live));
  }
  const std::size_t wanted = std::min(waiting_.size(), limits_.running);
  while (workers_.size() < wanted) {
    workers_.emplace_back([this](std::stop_token stop) { Work(stop); });
  }
}

std::shared_ptr<Tasks::Live> Tasks::TakeUp(store::Session& session, model::Task task) {
  if (task.secret || task.attempts >= kMostAttempts) {
    SetEnd(task, Lost(task), clock_.Now());
    store::SaveTask(session, task);
    return nullptr;
  }
  task.status = model::TaskStatus::kPending;
  task.progress = 0;
  store::SaveTask(session, task);
  auto live = std::make_shared<Live>();
  live->input = Secret(task.data);
  live->task = std::move(task);
  return live;
}

std::string Tasks::Submit(const Call& call, const std::string& parent, const json::Value& extra) {
  auto live = std::make_shared<Live>();
  model::Task& task = live->task;
  const json::Value data = call.input.empty() ? json::Value() : json::Parse(call.input, {1 << 20});
  const json::Value kept = WithoutSecrets(data);
  task.action = call.action;
  task.data = json::Write(kept);
  task.secret = kept != data;
  task.role = call.role;
  task.caller = call.caller;
  task.upload_verify = call.upload_verify;
  task.parent = parent;
  task.extra = json::Write(WithoutSecrets(extra));
  task.created_at = clock_.Now();
  live->input = Secret(json::Write(data));
  {
    const std::lock_guard guard(mutex_);
    const auto same = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& other) {
      return IsSame(other->task, task);
    });
    if (same != waiting_.end()) return (*same)->task.id;
    if (waiting_.size() >= limits_.waiting) {
      Failure failure;
      failure.code = FailureCode::kBusy;
      failure.detail = Cat(limits_.waiting, " tasks wait already");
      failure.advice = "ask again later";
      failure.transient = true;
      throw Error(std::move(failure));
    }
    task.id = NewId(random_);
  }
  database_.Write([&](store::Session& session) { store::InsertTask(session, task); });
  const std::string id = task.id;
  Enqueue(std::move(live));
  return id;
}

void Tasks::Enqueue(std::shared_ptr<Live> live) {
  const std::lock_guard guard(mutex_);
  live_.emplace(live->task.id, live);
  waiting_.push_back(std::move(live));
  changed_.notify_all();
  if (!started_ || stopping_ || idle_ >= waiting_.size() || workers_.size() >= limits_.running) {
    return;
  }
  try {
    workers_.emplace_back([this](std::stop_token stop) { Work(stop); });
  } catch (const std::system_error&) {
    // No thread can be had: one that is there takes it up later, or the next start.
    log::Warning("no thread can be had for a task");
  }
}

void Tasks::Work(std::stop_token stop) {
  std::unique_lock guard(mutex_);
  while (true) {
    ++idle_;
    const bool work = changed_.wait(guard, stop, [this] { return !waiting_.empty(); });
    --idle_;
    if (!work || stopping_) return;
    const std::shared_ptr<Live> live = waiting_.front();
    waiting_.pop_front();
    live->task.status = model::TaskStatus::kRunning;
    ++live->task.attempts;
    live->task.started_at = clock_.Now();
    guard.unlock();
    RunOne(*live);
    guard.lock();
  }
}

void Tasks::RunOne(Live& live) {
  try {
    // What it is about to do is what matters, and that waits for the disk by itself.
    database_.WriteSoon([&](store::Session& session) { store::SaveTask(session, live.task); });
  } catch (const Error& error) {
    log::Warning(Cat("the begin of task ", live.task.id, " cannot be stored: ", error.what()));
  }
  Call call;
  call.action = live.task.action;
  call.input = live.input.Reveal();
  call.role = live.task.role;
  call.caller = live.task.caller;
  call.upload_verify = live.task.upload_verify;
  Result result = run_(
      call, [&](const model::Progress& step) { Tell(live, step.percent); },
      live.stop.get_token());
  const bool interrupted = result.failure && result.failure->code == FailureCode::kCancelled;
  bool again = false;
  {
    const std::lock_guard guard(mutex_);
    again = interrupted && stopping_ && !live.cancelled;
  }
  if (again) {
    WaitAgain(live);
  } else {
    End(live, std::move(result));
  }
}

void Tasks::Tell(Live& live, int percent) {
  const std::lock_guard guard(mutex_);
  live.task.progress = std::clamp(percent, live.task.progress, 100);
}

// The daemon stops: the next one runs it.
void Tasks::WaitAgain(Live& live) {
  model::Task task;
  {
    const std::lock_guard guard(mutex_);
    live.task.status = model::TaskStatus::kPending;
    live.task.attempts = 0;
    live.task.progress = 0;
    live.task.started_at = 0;
    task = live.task;
  }
  try {
    database_.WriteSoon([&](store::Session& session) { store::SaveTask(session, task); });
  } catch (const Error&) {
    // Stored as running it is taken up all the same.
  }
}

void Tasks::End(Live& live, Result result) {
  model::Task ended;
  {
    const std::lock_guard guard(mutex_);
    ended = live.task;
  }
  const UnixSeconds now = clock_.Now();
  SetEnd(ended, result, now);
  bool stored = true;
  try {
    database_.Write([&](store::Session& session) {
      store::SaveTask(session, ended);
      store::PruneTasks(session, now);
    });
  } catch (const Error& error) {
    stored = false;
    log::Error(Cat("the end of task ", ended.id, " cannot be stored: ", error.what()));
  }
  const std::lock_guard guard(mutex_);
  const Steady steady = clock_.SteadyNow();
  std::erase_if(kept_outputs_, [&](const auto& kept) { return kept.second.until < steady; });
  if (ReleasesKey(ended.action, result.output)) {
    kept_outputs_[ended.id] = {std::move(*result.output), steady + kOutputKept};
  }
  live.task = ended;
  live.input = Secret();
  if (stored) live_.erase(ended.id);
  changed_.notify_all();
}

void Tasks::WaitEnded(const std::string& id, Millis timeout, std::stop_token stop) {
  std::unique_lock guard(mutex_);
  changed_.wait_for(guard, stop, timeout, [&] {
    const auto live = live_.find(id);
    return live == live_.end() || live->second->task.ended_at > 0;
  });
}

bool Tasks::Cancel(const std::string& id) {
  std::unique_lock guard(mutex_);
  const auto found = live_.find(id);
  if (found == live_.end() || found->second->task.ended_at > 0) return false;
  const std::shared_ptr<Live> live = found->second;
  live->cancelled = true;
  live->stop.request_stop();
  const auto place = std::find(waiting_.begin(), waiting_.end(), live);
  if (place == waiting_.end()) return true;
  waiting_.erase(place);
  guard.unlock();
  End(*live, Aborted(FailureCode::kCancelled, "the task was cancelled before it was begun"));
  return true;
}

std::optional<json::Value> Tasks::Amend(model::Task& task) {
  const std::lock_guard guard(mutex_);
  if (const auto live = live_.find(task.id); live != live_.end()) task = live->second->task;
  const auto kept = kept_outputs_.find(task.id);
  if (kept == kept_outputs_.end() || kept->second.until < clock_.SteadyNow()) return std::nullopt;
  return kept->second.output;
}

void SetEnd(model::Task& task, const Result& result, UnixSeconds now) {
  task.status = model::TaskStatusFromName(result.status);
  task.ended_at = now;
  if (task.status == model::TaskStatus::kCompleted) task.progress = 100;
  task.exit_code = result.exit_code;
  task.result = json::Write(KeptResult(task.action, task.secret, result).ToJson());
}

Result KeptResult(const std::string& action, bool secret_input, Result result) {
  const bool hidden_errors = secret_input && result.status == "validation-failed";
  if (ReleasesKey(action, result.output)) {
    result.output.reset();
  } else if (result.output) {
    json::Value kept = WithoutSecrets(*result.output);
    if (hidden_errors) {
      json::Value errors = json::Array{};
      for (json::Value error : kept.Items()) errors.Append(error.Set("value", "XXX"));
      kept = std::move(errors);
    }
    result.output = std::move(kept);
  }
  // Words may repeat what was given.
  if (hidden_errors || HoldsKey(result.error)) result.error = "the input was refused";
  if (result.failure && (hidden_errors || HoldsKey(result.failure->detail))) {
    result.failure->detail = result.error;
  }
  return result;
}

}  // namespace certwright::actions
