// Everything that does the work, put together: the same for the daemon and for a command in
// process.
#pragma once

#include <memory>

#include "certwright/actions/runner.h"
#include "certwright/config/config.h"
#include "certwright/store/database.h"

namespace certwright::app {

inline constexpr char kVersion[] = "0.1.0";

enum class Mode {
  kDaemon,   // listens, has the feed's threads, carries open orders on
  kCommand,  // does one thing in this process
};

class Engine {
 public:
  // Throws Error as the listeners do. `database` is that of config.state_dir: it may outlive the
  // engine, so that nobody else gets hold of the store between one engine and the next.
  Engine(const config::Config& config, Mode mode, std::shared_ptr<store::Database> database);
  ~Engine();

  const actions::Runner& runner() const;

  // kCommand: tells the subscribers what happened, before the process ends; what fails is logged
  // and comes again at the next start.
  void DeliverPending();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace certwright::app
