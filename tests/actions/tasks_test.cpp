// Calls in the background: done whatever happens, kept without secrets, seen by their caller.
#include "certwright/actions/tasks.h"

#include <condition_variable>
#include <fstream>
#include <sstream>

#include "certwright/store/tasks.h"
#include "fixture.h"

namespace certwright::actions {
namespace {

using model::TaskStatus;
using testing::HasSubstr;
using testing::Not;

const json::Value kNothing = json::Value::Object();

// Runs calls as told: each "wait" stays until it is let go or stopped.
class TasksTest : public ActionsTest {
 protected:
  TasksTest() { MakeTasks(); }
  ~TasksTest() override {
    LetGo();
    tasks_.reset();
  }

  void MakeTasks(TaskLimits limits = {}) {
    tasks_.reset();
    tasks_.emplace(*database_, clock_, SystemRandom(),
                   [this](const Call& call, const model::ProgressSink& progress,
                          std::stop_token stop) { return RunCall(call, progress, stop); },
                   limits);
    Context context = MakeContext();
    context.tasks = &*tasks_;
    runner_.emplace(context);
  }

  Result RunCall(const Call& call, const model::ProgressSink& progress, std::stop_token stop) {
    if (call.action != "wait") return runner_->Run(call, progress, stop);
    std::unique_lock guard(mutex_);
    began_.push_back(call.input);
    changed_.notify_all();
    progress({"halfway", "", 50});
    if (changed_.wait(guard, stop, [&] { return let_go_; })) return {};
    return FromFailure(Error(FailureCode::kCancelled, "stopped").failure());
  }
  void LetGo() {
    const std::lock_guard guard(mutex_);
    let_go_ = true;
    changed_.notify_all();
  }
  // Waits until so many calls of "wait" were begun.
  std::vector<std::string> Began(std::size_t count) {
    std::unique_lock guard(mutex_);
    changed_.wait_for(guard, std::chrono::seconds(20), [&] { return began_.size() >= count; });
    return began_;
  }

  std::string Submit(const std::string& action, const std::string& input = "",
                     const std::string& role = "owner", const std::string& caller = "") {
    return tasks_->Submit({action, input, role, caller}, "", kNothing);
  }
  json::Value Ended(const std::string& id) {
    tasks_->WaitEnded(id, std::chrono::seconds(20), {});
    const json::Value task = Show(id);
    EXPECT_FALSE(task["ended_at"].IsNull()) << json::Write(task);
    return task;
  }
  json::Value Show(const std::string& id) {
    return Output("show-task", json::Write(json::Value::Object({{"task", id}})));
  }
  model::Task Stored(const std::string& id) {
    return database_->Read([&](store::Session& s) { return *store::FindTask(s, id); });
  }
  // Everything that the store's files hold.
  std::string Bytes() {
    std::ostringstream all;
    for (const auto& file : std::filesystem::directory_iterator(temp_.path() / "state")) {
      all << std::ifstream(file.path(), std::ios::binary).rdbuf();
    }
    return all.str();
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool let_go_ = false;
  std::vector<std::string> began_;
  std::optional<Tasks> tasks_;
};

TEST_F(TasksTest, AResultIsThatOfTheCallAsCallersKnowIt) {
  tasks_->Start();
  Hold({{"mail.example.org"}});
  const struct {
    const char* name;
    const char* action;
    const char* input;
    const char* status;
    int exit_code;
  } kTable[] = {
      {"done", "list", "", "completed", 0},
      {"breaks the schema", "show", "{}", "validation-failed", 10},
      {"not there", "show", R"({"certificate":"x.example.org"})", "aborted", 2},
  };
  for (const auto& row : kTable) {
    const json::Value task = Ended(Submit(row.action, row.input));
    const Result direct = Run(row.action, row.input);
    EXPECT_EQ(task.String("status"), row.status) << row.name;
    EXPECT_EQ(task.Int("exit_code", -1), row.exit_code) << row.name;
    EXPECT_EQ(task["output"], direct.output.value_or(json::Value(""))) << row.name;
    EXPECT_EQ(task.String("error"), direct.error) << row.name;
    EXPECT_EQ(task.String("created_at"), FormatUtc(kNow)) << row.name;
    EXPECT_EQ(task.Int("progress"), row.exit_code == 0 ? 100 : 0) << row.name;
  }
}

TEST_F(TasksTest, WhatTheCallerGaveIsKept) {
  tasks_->Start();
  const json::Value extra = json::Value::Object({{"title", "set"}, {"isNotificationHidden", false}});
  const std::string id = tasks_->Submit({"list", "{}", "fulladm", "module/mail1"}, "p-1", extra);
  EXPECT_EQ(id.size(), 36u);
  const json::Value task = Ended(id);
  EXPECT_EQ(task.String("id"), id);
  EXPECT_EQ(task.String("action"), "list");
  EXPECT_EQ(task.String("parent"), "p-1");
  EXPECT_EQ(task["extra"], extra);
  EXPECT_EQ(task.String("user"), "module/mail1");
  EXPECT_EQ(task.String("role"), "fulladm");
}

TEST_F(TasksTest, TenCallersAskingForOneNameGetOneOrderAndTenAnswers) {
  tasks_->Start();
  std::vector<std::string> ids;
  for (int i = 0; i < 10; ++i) {
    ids.push_back(Submit("set-certificate", R"({"fqdn":"mail.example.org"})", "fulladm",
                         Cat("module/mail", i)));
  }
  for (const std::string& id : ids) {
    EXPECT_EQ(json::Write(Ended(id)["output"]), R"({"obtained":true})");
  }
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 10u);
  EXPECT_EQ(ca_.orders, 1);
}

TEST_F(TasksTest, TheSameThatWaitsIsShared) {
  const std::string id = Submit("list", R"({"a":1})", "owner", "module/a");
  EXPECT_EQ(Submit("list", R"({ "a" : 1 })", "owner", "module/a"), id);
  EXPECT_NE(Submit("list", R"({"a":2})", "owner", "module/a"), id);
  EXPECT_NE(Submit("list", R"({"a":1})", "owner", "module/b"), id);
  EXPECT_NE(Submit("list", R"({"a":1})", "reader", "module/a"), id);
  EXPECT_NE(Submit("plan", R"({"a":1})", "owner", "module/a"), id);
  EXPECT_NE(Submit("list", R"({"a":1,"key":"1"})", "owner", "module/a"),
            Submit("list", R"({"a":1,"key":"2"})", "owner", "module/a"))
      << "what is hidden may differ";
}

TEST_F(TasksTest, BothThoseThatRunAndThoseThatWaitAreBounded) {
  MakeTasks({3, 2});
  tasks_->Start();
  std::vector<std::string> ids;
  for (int i = 0; i < 2; ++i) ids.push_back(Submit("wait", Cat(i)));
  EXPECT_EQ(Began(2).size(), 2u);
  for (int i = 2; i < 5; ++i) ids.push_back(Submit("wait", Cat(i)));
  try {
    Submit("wait", "6");
    FAIL() << "more wait than may";
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().code, FailureCode::kBusy);
    EXPECT_TRUE(error.failure().transient);
  }
  EXPECT_EQ(Began(2).size(), 2u) << "no third one runs";
  LetGo();
  for (const std::string& id : ids) EXPECT_EQ(Ended(id).String("status"), "completed");
}

TEST_F(TasksTest, ProgressIsSeenWhileItRuns) {
  tasks_->Start();
  const std::string id = Submit("wait");
  Began(1);
  json::Value task;
  for (int i = 0; i < 5000 && task.Int("progress") == 0; ++i) {
    task = Show(id);
    usleep(1000);
  }
  EXPECT_EQ(task.Int("progress"), 50);
  EXPECT_EQ(task.String("status"), "running");
  EXPECT_TRUE(task["exit_code"].IsNull());
  EXPECT_TRUE(task["output"].IsNull());
  tasks_->WaitEnded(id, Millis(1), {});  // the time is over, the task is not
  EXPECT_EQ(Show(id).String("status"), "running");
  LetGo();
  EXPECT_EQ(Ended(id).String("status"), "completed");
}

TEST_F(TasksTest, WhatWaitsIsCancelledWhatRunsIsAskedToStop) {
  MakeTasks({10, 1});
  tasks_->Start();
  const std::string running = Submit("wait", "1");
  Began(1);
  const std::string waiting = Submit("wait", "2");
  const auto cancel = [&](const std::string& id) {
    return Output("cancel-task", json::Write(json::Value::Object({{"task", id}})));
  };
  EXPECT_TRUE(cancel(waiting).Bool("cancelled"));
  const json::Value never = Show(waiting);
  EXPECT_EQ(never.String("status"), "aborted");
  EXPECT_EQ(never.Int("exit_code"), 3);
  EXPECT_TRUE(never["started_at"].IsNull());
  EXPECT_THAT(never.String("error"), HasSubstr("cancelled"));
  EXPECT_TRUE(cancel(running).Bool("cancelled"));
  EXPECT_EQ(Ended(running).String("status"), "aborted");
  EXPECT_FALSE(cancel(running).Bool("cancelled")) << "it has ended";
  EXPECT_EQ(began_.size(), 1u);
  EXPECT_EQ(Run("cancel-task", R"({"task":"x"})").exit_code, 2);
  EXPECT_EQ(Run("cancel-task", "{}").exit_code, 10);
}

TEST_F(TasksTest, WhatRanOrWaitedWhenTheDaemonStoppedIsRunByTheNext) {
  MakeTasks({10, 1});
  tasks_->Start();
  const std::string running = Submit("wait", "1");
  const std::string waiting = Submit("wait", "2");
  Began(1);
  tasks_.reset();  // stops
  EXPECT_EQ(Stored(running).status, TaskStatus::kPending);
  EXPECT_EQ(Stored(running).attempts, 0);
  MakeTasks();
  LetGo();
  tasks_->Start();
  EXPECT_EQ(Ended(running).String("status"), "completed");
  EXPECT_EQ(Ended(waiting).String("status"), "completed");
  EXPECT_EQ(Began(3), (std::vector<std::string>{"1", "1", "2"}));
}

TEST_F(TasksTest, WhatAKilledDaemonLeftIsRunButNotForEver) {
  const auto leave = [&](const std::string& id, int attempts, bool secret) {
    model::Task task;
    task.id = id;
    task.action = "list";
    task.data = "null";
    task.role = "owner";
    task.secret = secret;
    task.status = TaskStatus::kRunning;
    task.attempts = attempts;
    task.started_at = kNow;
    database_->Write([&](store::Session& session) { store::InsertTask(session, task); });
  };
  leave("once", 1, false);
  leave("often", 5, false);
  leave("secret", 1, true);
  tasks_->Start();
  EXPECT_EQ(Ended("once").String("status"), "completed");
  EXPECT_EQ(Ended("often").String("status"), "aborted");
  EXPECT_THAT(Show("often").String("error"), HasSubstr("5 times"));
  EXPECT_EQ(Ended("secret").String("status"), "aborted");
  EXPECT_THAT(json::Write(Show("secret")), HasSubstr("ask again"));
}

TEST_F(TasksTest, NoSecretIsStoredAndTheActionGetsItAllTheSame) {
  tasks_->Start();
  const std::string pem = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n";
  const json::Value input = json::Value::Object(
      {{"keyFile", "c2VjcmV0LXRoYXQtbm9ib2R5LWtlZXBz"}, {"fqdn", pem}, {"plain", "stays"}});
  LetGo();
  const std::string id = Submit("wait", json::Write(input));
  EXPECT_EQ(Ended(id)["data"],
            json::Value::Object({{"keyFile", "XXX"}, {"fqdn", "XXX"}, {"plain", "stays"}}));
  EXPECT_EQ(Began(1).front(), json::Write(input));
  // The list of violations repeats what was given.
  const std::string refused = Submit("show", json::Write(input));
  EXPECT_EQ(Ended(refused).Int("exit_code"), 10);
  const std::string bytes = Bytes();
  EXPECT_THAT(bytes, HasSubstr("stays"));
  EXPECT_EQ(bytes.find("c2VjcmV0LXRoYXQtbm9ib2R5LWtlZXBz"), bytes.npos);
  EXPECT_EQ(bytes.find("MIGHAgEAMBMGByqGSM49"), bytes.npos);
}

TEST_F(TasksTest, AnOutputWithAKeyIsInMemoryForAMinute) {
  tasks_->Start();
  Hold({{"mail.example.org"}});
  const struct {
    const char* action;
    const char* input;
  } kTable[] = {{"get-certificate", R"({"fqdn":"mail.example.org"})"},
                {"export", R"({"certificate":"mail.example.org","format":"pkcs12"})"}};
  for (const auto& row : kTable) {
    const std::string id = Submit(row.action, row.input);
    const json::Value task = Ended(id);
    EXPECT_EQ(task.Int("exit_code", -1), 0) << json::Write(task);
    EXPECT_TRUE(task["output"].IsObject()) << row.action;
    const json::Value audited = Output("audit", "")["entries"];
    EXPECT_EQ(audited.Items().back().String("action"), "show-task") << "each time it is read";
    EXPECT_EQ(audited.Items().back().String("subject"), id);
    EXPECT_THAT(Stored(id).result, Not(HasSubstr("output"))) << row.action;
    clock_.Sleep(std::chrono::minutes(2), {});
    EXPECT_EQ(Show(id)["output"], json::Value("")) << row.action;
  }
}

TEST_F(TasksTest, EachCallerSeesItsOwnAndAnOwnerAll) {
  tasks_->Start();
  const std::string id = Submit("list", "{}", "fulladm", "module/mail1");
  Ended(id);
  const std::string input = json::Write(json::Value::Object({{"task", id}}));
  const struct {
    const char* role;
    const char* caller;
    bool sees;
  } kTable[] = {{"owner", "", true},
                {"owner", "module/x", true},
                {"fulladm", "module/mail1", true},
                {"fulladm", "module/mail2", false},
                {"fulladm", "", false},
                {"certadm", "module/mail1", false},
                {"reader", "", false}};
  for (const auto& row : kTable) {
    const std::string name = Cat(row.role, " ", row.caller);
    EXPECT_EQ(Run("show-task", input, row.caller, row.role).exit_code, row.sees ? 0 : 2) << name;
    EXPECT_EQ(Run("cancel-task", input, row.caller, row.role).exit_code, row.sees ? 0 : 2) << name;
    const Result list = Run("tasks", "", row.caller, row.role);
    ASSERT_TRUE(list.output) << name;
    EXPECT_EQ((*list.output)["tasks"].Items().size(), row.sees ? 1u : 0u) << name;
  }
}

TEST_F(TasksTest, ResultsAreKeptForEightHours) {
  tasks_->Start();
  const std::string id = Submit("list");
  Ended(id);
  const std::string input = json::Write(json::Value::Object({{"task", id}}));
  clock_.now += store::kTaskKept - 1;
  EXPECT_EQ(Run("show-task", input).exit_code, 0);
  clock_.now += 1;
  EXPECT_EQ(Run("show-task", input).exit_code, 2);
  EXPECT_TRUE(Output("tasks", "")["tasks"].Items().empty());
  Ended(Submit("list"));
  EXPECT_FALSE(database_->Read([&](store::Session& s) { return store::FindTask(s, id); }));
}

TEST_F(TasksTest, WithoutADaemonWhatIsStoredIsShownAndCancelled) {
  const std::string id = Submit("list");
  runner_.emplace(MakeContext());
  EXPECT_EQ(Show(id).String("status"), "pending");
  const std::string input = json::Write(json::Value::Object({{"task", id}}));
  EXPECT_TRUE(Output("cancel-task", input).Bool("cancelled"));
  EXPECT_EQ(Stored(id).status, TaskStatus::kAborted);
  EXPECT_FALSE(Output("cancel-task", input).Bool("cancelled"));
}

}  // namespace
}  // namespace certwright::actions
