// One child process, without a shell, held to a time limit.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/file.h"

namespace certwright {

struct ChildOptions {
  Path program;  // also its first argument; without a "/" it is looked for on PATH
  std::vector<std::string> arguments{};                       // that follow
  std::string input{};                                        // its standard input
  std::vector<std::pair<std::string, std::string>> environment{};  // added to ours
  Millis timeout{60'000};
};

struct ChildResult {
  enum class End { kExited, kSignalled, kTimedOut, kStopped };
  End end = End::kExited;
  int code = 0;              // exit code, or the signal's number
  std::string last_line;     // of its standard error: foreign text, not yet Printable
};

// Runs it in a process group of its own; its standard output is our standard error. After the
// time-out or a stop request the whole group gets SIGTERM, and SIGKILL two seconds later. What it
// left running in the background after a normal end is left alone. Throws Error where it cannot be
// started, transient where only descriptors, memory or the like are missing.
ChildResult RunChild(const ChildOptions& options, std::stop_token stop);

// How it ended, in words that are safe to print: "exit code 3: <its last line>".
std::string EndWords(const ChildResult& result, Millis timeout);

}  // namespace certwright
