#include "certwright/store/tasks.h"

#include "store_fixture.h"

namespace certwright::store {
namespace {

constexpr UnixSeconds kNow = 1'800'000'000;

class Tasks : public StoreTest {
 protected:
  model::Task Insert(const std::string& id, const std::string& action = "list",
                     const std::string& role = "owner", const std::string& caller = "") {
    model::Task task;
    task.id = id;
    task.action = action;
    task.data = R"({"a":1})";
    task.role = role;
    task.caller = caller;
    task.created_at = kNow;
    database().Write([&](Session& session) { InsertTask(session, task); });
    return task;
  }
  void End(model::Task task, UnixSeconds at,
           model::TaskStatus status = model::TaskStatus::kCompleted) {
    task.status = status;
    task.ended_at = at;
    task.progress = 100;
    task.result = R"({"exit_code":0})";
    database().Write([&](Session& session) { SaveTask(session, task); });
  }
  std::vector<std::string> Ids(const std::vector<model::Task>& tasks) {
    std::vector<std::string> ids;
    for (const model::Task& task : tasks) ids.push_back(task.id);
    return ids;
  }
  std::vector<std::string> Listed(const TaskFilter& filter, int limit = 100) {
    return Ids(database().Read([&](Session& s) { return ListTasks(s, filter, limit); }));
  }
};

using Texts = std::vector<std::string>;

TEST_F(Tasks, AreKeptWhole) {
  model::Task task;
  task.id = "0b1c";
  task.action = "upload-certificate";
  task.data = R"({"keyFile":"XXX"})";
  task.secret = true;
  task.role = "owner";
  task.caller = "module/mail1";
  task.upload_verify = "none";
  task.parent = "p";
  task.extra = R"({"title":"x"})";
  task.created_at = kNow;
  database().Write([&](Session& session) { InsertTask(session, task); });
  task.status = model::TaskStatus::kValidationFailed;
  task.progress = 50;
  task.attempts = 2;
  task.exit_code = 10;
  task.result = "{}";
  task.started_at = kNow + 1;
  task.ended_at = kNow + 2;
  database().Write([&](Session& session) { SaveTask(session, task); });
  Close();
  const auto found = database().Read([](Session& session) { return FindTask(session, "0b1c"); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->action, task.action);
  EXPECT_EQ(found->data, task.data);
  EXPECT_TRUE(found->secret);
  EXPECT_EQ(found->role, task.role);
  EXPECT_EQ(found->caller, task.caller);
  EXPECT_EQ(found->upload_verify, task.upload_verify);
  EXPECT_EQ(found->parent, task.parent);
  EXPECT_EQ(found->extra, task.extra);
  EXPECT_EQ(found->status, task.status);
  EXPECT_EQ(found->progress, 50);
  EXPECT_EQ(found->attempts, 2);
  EXPECT_EQ(found->exit_code, 10);
  EXPECT_EQ(found->result, "{}");
  EXPECT_EQ(found->created_at, kNow);
  EXPECT_EQ(found->started_at, kNow + 1);
  EXPECT_EQ(found->ended_at, kNow + 2);
  EXPECT_FALSE(database().Read([](Session& session) { return FindTask(session, "0b1d"); }));
}

TEST_F(Tasks, AreFilteredNewestFirst) {
  End(Insert("1"), kNow);
  Insert("2", "set-certificate", "fulladm", "module/mail1");
  Insert("3", "set-certificate", "fulladm", "module/mail2");
  Insert("4", "set-certificate", "owner", "module/mail1");
  EXPECT_EQ(Listed({}), (Texts{"4", "3", "2", "1"}));
  EXPECT_EQ(Listed({}, 2), (Texts{"4", "3"}));
  EXPECT_EQ(Listed({"completed", "", {}, {}}), Texts{"1"});
  EXPECT_EQ(Listed({"pending", "list", {}, {}}), Texts{});
  EXPECT_EQ(Listed({"", "list", {}, {}}), Texts{"1"});
  EXPECT_EQ(Listed({"", "", "fulladm", {}}), (Texts{"3", "2"}));
  EXPECT_EQ(Listed({"", "", {}, "module/mail1"}), (Texts{"4", "2"}));
  EXPECT_EQ(Listed({"", "", "owner", ""}), Texts{"1"});
  EXPECT_EQ(Ids(database().Read([](Session& session) { return ListOpenTasks(session); })),
            (Texts{"2", "3", "4"}));
}

TEST_F(Tasks, GoEightHoursAfterTheirEnd) {
  End(Insert("1"), kNow);
  End(Insert("2"), kNow + 1, model::TaskStatus::kAborted);
  Insert("3");
  database().TakeEffort();
  database().Write([](Session& session) { PruneTasks(session, kNow + kTaskKept); });
  EXPECT_EQ(database().TakeEffort().full_scan_steps, 0);
  EXPECT_EQ(Listed({}), (Texts{"3", "2"}));
}

}  // namespace
}  // namespace certwright::store
