#include "certwright/model/task.h"

#include <array>

namespace certwright::model {
namespace {

struct Entry {
  TaskStatus status;
  std::string_view name;
};

constexpr std::array kStatuses = {
    Entry{TaskStatus::kPending, "pending"},
    Entry{TaskStatus::kRunning, "running"},
    Entry{TaskStatus::kCompleted, "completed"},
    Entry{TaskStatus::kAborted, "aborted"},
    Entry{TaskStatus::kValidationFailed, "validation-failed"},
};

}  // namespace

std::string_view TaskStatusName(TaskStatus status) {
  for (const Entry& entry : kStatuses) {
    if (entry.status == status) return entry.name;
  }
  return "aborted";
}

TaskStatus TaskStatusFromName(std::string_view name) {
  for (const Entry& entry : kStatuses) {
    if (entry.name == name) return entry.status;
  }
  return TaskStatus::kAborted;
}

}  // namespace certwright::model
