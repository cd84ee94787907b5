// The contract: one handler an action, the same whichever door a call comes through.
//
// Besides the actions of the contract (set-certificate, get-certificate) the commands of the
// command line are actions too (issue, list, show ...), so that a command does the same in process
// and through a daemon. Input and output of each are JSON, described by
// schema/json/NAME.{input,output}.json.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/error.h"
#include "certwright/events/feed.h"
#include "certwright/export/keeper.h"
#include "certwright/issue/authorities.h"
#include "certwright/issue/chores.h"
#include "certwright/issue/jobs.h"
#include "certwright/issue/obtain.h"
#include "certwright/issue/revoke.h"
#include "certwright/json/value.h"
#include "certwright/model/finding.h"
#include "certwright/model/progress.h"
#include "certwright/renewal/scheduler.h"
#include "certwright/served/watch.h"
#include "certwright/store/database.h"
#include "certwright/store/settings.h"
#include "certwright/traefik/publisher.h"

namespace certwright::actions {

class Tasks;

// How uploaded chains are checked.
struct UploadPolicy {
  std::string verify = "chain";  // chain | selfsign | none
  Path roots;                    // PEM file of roots besides the system's; "" : none
};

// What handlers work with; all of it outlives the runner.
struct Context {
  store::Database& database;
  issue::Obtainer& obtainer;
  issue::Jobs& jobs;
  const issue::Authorities& authorities;
  renewal::Scheduler& scheduler;
  issue::Revoker& revoker;
  issue::Chores& chores;
  events::Feed& feed;
  traefik::Publisher* traefik = nullptr;  // null: Traefik is not used
  Clock& clock;
  // Returns when every in-process subscriber has passed this event: the daemon waits for its feed,
  // a command without a daemon delivers itself. False: not within the time. With 0 it is about what
  // they do at the start: Traefik has the challenge route.
  std::function<bool(std::int64_t event_seq, Millis timeout, std::stop_token stop)> deliver;
  int node_id = 1;         // node.id of the configuration
  bool is_daemon = false;  // what is begun in the background goes on after the call
  // The first CA, and another one in its place: throws Error(kInput) where its URL is no good.
  std::function<store::AcmeServer()> acme_server;
  std::function<void(const store::AcmeServer&)> use_acme_server;
  UploadPolicy upload;
  Tasks* tasks = nullptr;  // null: no daemon; what is in the background is only what is stored
  std::string module_id = "traefik1";  // node.module_id of the configuration
  std::string version = {};            // of this program
  const std::vector<std::unique_ptr<exports::Keeper>>* exports = nullptr;  // null: none
  served::Watch* watch = nullptr;  // null: nothing is looked at
  // All that an issuance for these names stands on.
  std::function<std::vector<model::Finding>(const std::vector<model::Identifier>& names,
                                            std::stop_token stop)>
      examine = nullptr;
};

struct Call {
  std::string action;
  std::string input;  // JSON text; empty counts as null
  std::string role = "owner";
  std::string caller;  // AGENT_TASK_USER: "module/mail1"
  // UPLOAD_CERTIFICATE_VERIFY_TYPE of the caller's environment; heard of an owner only.
  std::string upload_verify = {};
};

// What every door gives back (contract.md, "How an action is called").
struct Result {
  int exit_code = 0;
  std::optional<json::Value> output;  // also the list of violations
  std::string error;                  // text for standard error
  std::string status = "completed";   // completed | aborted | validation-failed
  std::optional<Failure> failure;     // of what failed, for callers that speak JSON

  json::Value ToJson() const;
  static Result FromJson(const json::Value& value);  // throws Error(kProtocol)
};

// How a failed call ends.
Result FromFailure(const Failure& failure);

class Runner {
 public:
  explicit Runner(Context context);
  ~Runner();

  // How a call ends that is not even begun: there is no such action (exit 8), or the role may not run
  // it (exit 7, written to the audit log). nullopt: it may be run. Run asks this too.
  std::optional<Result> Refuse(const Call& call) const;

  // Never throws: what a handler throws becomes the result's exit code, error and failure. `begins` is
  // called once it is neither refused nor breaks its schema.
  Result Run(const Call& call, const model::ProgressSink& progress, std::stop_token stop,
             const std::function<void()>& begins = nullptr) const;

  std::vector<std::string> action_names() const;
  Tasks* tasks() const { return context_.tasks; }
  // Who events say we are.
  int node_id() const { return context_.node_id; }
  const std::string& module_id() const { return context_.module_id; }
  // Waits until an event with a number above `seq` is there; false when `timeout` is over first.
  bool AwaitEvent(std::int64_t seq, Millis timeout, std::stop_token stop) const;

 private:
  Context context_;
};

// The text of an input, parsed and held against the schema NAME.input: the value as the result's
// output, or how a call with this input ends (exit 10).
Result CheckInput(const std::string& name, const std::string& text,
                  std::size_t max_bytes = 1 << 20);
// The schema NAME.KIND (or NAME, where `kind` is empty) as it stands in schema/json.
std::optional<json::Value> SchemaDocument(const std::string& name, const std::string& kind);

// What the text of the action metrics is.
inline constexpr char kMetricsType[] = "text/plain; version=0.0.4; charset=utf-8";

// The exit code of a command or action that failed this way; see README.md, "Exit codes".
int ExitCodeOf(FailureCode code);

// Text for `details` and `error`: no control characters, quotes or backslashes (contract.md).
std::string PlainText(const std::string& text);
// The same Failure with only such texts in it.
Failure PlainFailure(Failure failure);

// Whether calls in this role may run this action (contract.md, "Roles").
bool IsAllowed(const std::string& role, const std::string& action);
// Whether a call may wait long, for the CA or for Traefik.
bool MayWait(const std::string& action);
// Whether this is a role at all.
bool IsRole(const std::string& role);

}  // namespace certwright::actions
