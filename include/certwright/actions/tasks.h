// Calls in the background: stored before their id is given, and done also where the process ends in
// between (but for a moment after a loss of power, at least once: actions carry on what they find).
//
// No secret is stored. A call whose input holds one has it in memory only, and ends as failed where
// the process does not live to run it; an output that holds a key is in memory for a minute.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "certwright/actions/runner.h"
#include "certwright/base/random.h"
#include "certwright/base/secret.h"
#include "certwright/model/task.h"

namespace certwright::actions {

struct TaskLimits {
  std::size_t waiting = 1000;
  std::size_t running = 32;
};

class Tasks {
 public:
  using Run = std::function<Result(const Call&, const model::ProgressSink&, std::stop_token)>;

  // All references must outlive it. `run` is called from threads of its own.
  Tasks(store::Database& database, Clock& clock, Random& random, Run run, TaskLimits limits = {});
  // Stops what runs, which waits again then, and waits for it.
  ~Tasks();

  // Takes up what an earlier process left, and begins.
  void Start();

  // Gives the id of a task for this call, which must be one that Runner::Refuse lets pass. `extra`
  // is the caller's own. One that waits and asks for the very same is shared. Throws Error(kBusy)
  // where too many wait, or as the store does.
  std::string Submit(const Call& call, const std::string& parent, const json::Value& extra);

  // Returns when the task has ended, is unknown, or `timeout` is over.
  void WaitEnded(const std::string& id, Millis timeout, std::stop_token stop);

  // One that waits ends as aborted, one that runs is asked to stop (it ends when its action heeds
  // that: waits for a CA or for Traefik do, and an order goes on in the background). False: it has
  // ended, or is unknown.
  bool Cancel(const std::string& id);

  // Puts into a task from the store what only memory knows: its progress, and its end where that
  // could not be stored. Gives the output, where it holds a key and is still there.
  std::optional<json::Value> Amend(model::Task& task);

 private:
  struct Live {
    model::Task task;
    Secret input;  // the whole
    std::stop_source stop;
    bool cancelled = false;
  };
  struct KeptOutput {
    json::Value output;
    Steady until;
  };

  // Null where it can not be run again, and was ended.
  std::shared_ptr<Live> TakeUp(store::Session& session, model::Task task);
  void Enqueue(std::shared_ptr<Live> live);
  void Work(std::stop_token stop);
  void RunOne(Live& live);
  void Tell(Live& live, int percent);
  void WaitAgain(Live& live);
  void End(Live& live, Result result);

  store::Database& database_;
  Clock& clock_;
  Random& random_;
  const Run run_;
  const TaskLimits limits_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::shared_ptr<Live>> waiting_;
  std::map<std::string, std::shared_ptr<Live>> live_;  // waiting, running, or ended and not stored
  std::map<std::string, KeptOutput> kept_outputs_;
  std::size_t idle_ = 0;
  bool started_ = false;
  bool stopping_ = false;
  std::vector<std::jthread> workers_;
};

// Writes into a task how it ended: what is kept of the result, and when.
void SetEnd(model::Task& task, const Result& result, UnixSeconds now);

// What is kept of a result: nothing that is secret. `secret_input`: its words may repeat the input.
Result KeptResult(const std::string& action, bool secret_input, Result result);

}  // namespace certwright::actions
