#include "certwright/store/tasks.h"

#include "session.h"

namespace certwright::store {
namespace {

// `result`: the column, or what stands for it.
std::string SelectWith(const std::string& result) {
  return "SELECT id, action, data, secret, role, caller, upload_verify, parent, extra, status, "
         "progress, attempts, exit_code, " +
         result + ", created_at, started_at, ended_at FROM task ";
}
const std::string kSelect = SelectWith("result");

model::Task ReadTask(Query& row) {
  model::Task task;
  task.id = row.Text();
  task.action = row.Text();
  task.data = row.Text();
  task.secret = row.Int() != 0;
  task.role = row.Text();
  task.caller = row.Text();
  task.upload_verify = row.Text();
  task.parent = row.Text();
  task.extra = row.Text();
  task.status = model::TaskStatusFromName(row.Text());
  task.progress = static_cast<int>(row.Int());
  task.attempts = static_cast<int>(row.Int());
  task.exit_code = static_cast<int>(row.Int());
  task.result = row.Text();
  task.created_at = row.Int();
  task.started_at = row.Int();
  task.ended_at = row.Int();
  return task;
}

std::vector<model::Task> ReadAll(Query& rows) {
  std::vector<model::Task> tasks;
  while (rows.Step()) tasks.push_back(ReadTask(rows));
  return tasks;
}

}  // namespace

void InsertTask(Session& session, const model::Task& task) {
  Query(Of(session),
        "INSERT INTO task (id, action, data, secret, role, caller, upload_verify, parent, extra, "
        "status, progress, attempts, exit_code, result, created_at, started_at, ended_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        task.id, task.action, task.data, task.secret, task.role, task.caller, task.upload_verify,
        task.parent, task.extra, model::TaskStatusName(task.status), task.progress, task.attempts,
        task.exit_code, task.result, task.created_at, task.started_at, task.ended_at)
      .Run();
}

void SaveTask(Session& session, const model::Task& task) {
  Query(Of(session),
        "UPDATE task SET status = ?, progress = ?, attempts = ?, exit_code = ?, result = ?, "
        "started_at = ?, ended_at = ? WHERE id = ?",
        model::TaskStatusName(task.status), task.progress, task.attempts,
        task.exit_code, task.result, task.started_at, task.ended_at, task.id)
      .Run();
}

std::optional<model::Task> FindTask(Session& session, const std::string& id) {
  Query rows(Of(session), kSelect + "WHERE id = ?", id);
  if (!rows.Step()) return std::nullopt;
  return ReadTask(rows);
}

std::vector<model::Task> ListTasks(Session& session, const TaskFilter& filter, int limit) {
  Query rows(Of(session),
             SelectWith("''") +
                 "WHERE (? = '' OR status = ?) AND (? = '' OR action = ?) "
                 "AND role = coalesce(?, role) AND caller = coalesce(?, caller) "
                 "ORDER BY seq DESC LIMIT ?",
             filter.status, filter.status, filter.action, filter.action, filter.role,
             filter.caller, limit);
  return ReadAll(rows);
}

std::vector<model::Task> ListOpenTasks(Session& session) {
  Query rows(Of(session), kSelect + "WHERE ended_at = 0 ORDER BY seq");
  return ReadAll(rows);
}

void PruneTasks(Session& session, UnixSeconds now) {
  Query(Of(session), "DELETE FROM task WHERE ended_at > 0 AND ended_at <= ?", now - kTaskKept)
      .Run();
}

}  // namespace certwright::store
