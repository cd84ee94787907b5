// An orderly end for a command that does the work in its own process.
#pragma once

#include <signal.h>

#include <atomic>
#include <stop_token>
#include <thread>

#include "certwright/base/file.h"

namespace certwright::cli {

// While it lives, SIGINT and SIGTERM stop what runs with its token; a second one ends the process.
// Made before any thread: they inherit that nobody else is told.
class SignalStop {
 public:
  SignalStop();
  ~SignalStop();

  std::stop_token token() const { return stop_.get_token(); }
  int received() const { return received_; }  // the signal; 0: none

 private:
  void Watch(std::stop_token over);

  sigset_t before_{};
  Fd signals_;  // a signalfd
  Fd over_;     // an eventfd: nobody needs it any more
  std::atomic<int> received_{0};
  std::stop_source stop_;
  std::jthread watcher_;  // last: joined first
};

}  // namespace certwright::cli
