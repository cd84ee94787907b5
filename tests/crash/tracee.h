// A command under ptrace whose chosen system calls stop before they are executed.
#pragma once

#include <sys/types.h>

#include <functional>
#include <vector>

#include "calls.h"

namespace certwright::crash {

// What is to happen to a call that has stopped.
struct Verdict {
  enum class What { kGoOn, kFail, kKill } what = What::kGoOn;
  int error = 0;  // of kFail
};

// Runs `command` (null-terminated, as for execvp) to its end, with its threads and the processes that it
// starts; calls with these numbers are shown to `judge` first, with the process that makes them. kKill
// ends the command's own process as kill -9 does; the processes that it started go on, as they would.
// Returns the wait status of the command's process. SIGTERM, SIGINT and SIGHUP are passed on to it.
// Ends the program where that cannot be done at all.
int Trace(char* const* command, const std::vector<long>& numbers,
          const std::function<Verdict(pid_t process, bool own, const Call& call)>& judge);

}  // namespace certwright::crash
