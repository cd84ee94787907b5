// Issuances in the background, one for each name set: ten callers asking for one name get one
// order.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/error.h"
#include "certwright/issue/obtain.h"

namespace certwright::issue {

// One issuance under way, shared by all who wait for it.
class Job {
 public:
  Job(ObtainRequest request, Clock& clock) : request_(std::move(request)), clock_(clock) {}

  const ObtainRequest& request() const { return request_; }

  // Tells `progress` everything from the beginning, until the job ends: then gives its result or
  // throws its Error. Throws Error(kTimeout) when `timeout` is over first and Error(kCancelled) on
  // `stop`: the job goes on.
  ObtainResult Wait(Millis timeout, const model::ProgressSink& progress, std::stop_token stop);

 private:
  friend class Jobs;
  void Tell(const model::Progress& step);
  void End(std::optional<ObtainResult> result, std::optional<Failure> failure);

  const ObtainRequest request_;
  Clock& clock_;
  std::vector<Asker> askers_;  // guarded by that of Jobs
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<model::Progress> steps_;
  std::optional<ObtainResult> result_;
  std::optional<Failure> failure_;
};

class Jobs {
 public:
  Jobs(Obtainer& obtainer, Clock& clock, std::size_t max_workers);
  // Stops what is under way (its orders stay in the store) and waits. Every job ends: who waits is
  // told kCancelled.
  ~Jobs();

  // The job of that name set that is under way, else a new one. Whoever asks in the name of a module
  // is remembered once the certificate is there, also where he waits no more. Worker threads are made when
  // needed. Throws Error(kBusy) where the one under way would not give what is asked for: it has
  // another policy, or is not forced.
  std::shared_ptr<Job> Submit(ObtainRequest request);
  // This owner waits no more for what is under way, and is not remembered. Gives one of the others who
  // asked for it too; nullopt: nobody did.
  std::optional<std::string> Leave(const std::string& name_set, const std::string& owner);
  // Whether an issuance of this name set is under way.
  bool IsUnderWay(const std::string& name_set);

 private:
  void Work(std::stop_token stop);
  void Remember(const std::vector<Asker>& askers, const ObtainRequest& request);

  Obtainer& obtainer_;
  Clock& clock_;
  const std::size_t max_workers_;
  std::mutex mutex_;
  std::condition_variable_any wanted_;
  std::map<std::string, std::shared_ptr<Job>> under_way_;  // by name set
  std::vector<std::shared_ptr<Job>> queue_;
  std::size_t idle_ = 0;
  std::vector<std::jthread> workers_;  // last: joined first
};

}  // namespace certwright::issue
