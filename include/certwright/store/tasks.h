// The calls in the background: those that are to be done, and for a while what became of the others.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "certwright/model/task.h"
#include "certwright/store/database.h"

namespace certwright::store {

// How long a task is kept after its end.
inline constexpr UnixSeconds kTaskKept = 8 * 3600;

void InsertTask(Session& session, const model::Task& task);
// By id: status, progress, attempts, exit code, result and times.
void SaveTask(Session& session, const model::Task& task);
std::optional<model::Task> FindTask(Session& session, const std::string& id);

// Which tasks are meant; an empty text means any.
struct TaskFilter {
  std::string status;
  std::string action;
  std::optional<std::string> role;    // one role's
  std::optional<std::string> caller;  // one caller's
};
// Newest first, at most `limit`; results left out.
std::vector<model::Task> ListTasks(Session& session, const TaskFilter& filter, int limit);
// Those that have not ended, oldest first. One look at an index.
std::vector<model::Task> ListOpenTasks(Session& session);
// Removes those that ended longer ago than kTaskKept. As well.
void PruneTasks(Session& session, UnixSeconds now);

}  // namespace certwright::store
