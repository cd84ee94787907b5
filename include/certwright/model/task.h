// A call in the background.
#pragma once

#include <string>
#include <string_view>

#include "certwright/base/clock.h"

namespace certwright::model {

// The words of a node's agent; the last three are for good.
enum class TaskStatus { kPending, kRunning, kCompleted, kAborted, kValidationFailed };

std::string_view TaskStatusName(TaskStatus status);
// kAborted where it is none.
TaskStatus TaskStatusFromName(std::string_view name);

struct Task {
  std::string id;      // a UUID
  std::string action;
  std::string data;    // JSON, secrets replaced
  bool secret = false;  // something was replaced: the whole is in memory only, until it ends
  std::string role;
  std::string caller;  // "module/mail1", or ""
  std::string upload_verify;
  std::string parent;        // another task's id, or ""
  std::string extra = "{}";  // JSON, the caller's own
  TaskStatus status = TaskStatus::kPending;
  int progress = 0;     // 0..100
  int attempts = 0;     // so often it was begun
  int exit_code = 0;    // once it has ended
  std::string result;   // JSON, secrets replaced; "" until it has ended
  UnixSeconds created_at = 0;
  UnixSeconds started_at = 0;  // 0: not yet
  UnixSeconds ended_at = 0;    // 0: not yet
};

}  // namespace certwright::model
