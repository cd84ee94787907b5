// What every subcommand has: global options, the configuration, a way to the actions, a way to
// speak.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "certwright/actions/runner.h"
#include "certwright/config/config.h"
#include "certwright/json/value.h"
#include "progress_line.h"

namespace certwright::cli {

struct GlobalOptions {
  std::string config_file;  // "" : see config::Load
  bool json = false;
  int verbose = 0;
  bool quiet = false;
};

class Session {
 public:
  explicit Session(GlobalOptions options) : options_(std::move(options)) {}
  ~Session();

  const GlobalOptions& options() const { return options_; }
  const config::Config& config();  // read when first asked for
  config::Config ReadConfig() const;

  // Runs an action through the daemon where one answers, else in this process. A daemon that is on
  // its way out or in (it reads its configuration again) is waited for, and so is a store that
  // another command holds. Progress goes to `progress`, without one to standard error. Throws Error
  // where neither can be had.
  actions::Result Run(actions::Call call, model::ProgressSink progress = nullptr);
  // The same for a command: throws the result's Failure, gives its output.
  json::Value RunCommand(const std::string& action, const json::Value& input);

  // The socket of a daemon that answers.
  std::optional<Path> FindDaemon();

  // The signal that stopped what Run did in this process; 0: none.
  int signalled() const { return signalled_; }

  // One JSON document, or `human`, on standard output.
  void Print(const json::Value& document, const std::function<std::string()>& human) const;
  // Words for people on standard error; nothing with -q.
  void Say(const std::string& text) const;
  // The error, as people or programs want it. Gives the exit code.
  int Report(const Failure& failure) const;

 private:
  actions::Result RunOnce(const actions::Call& call, const model::ProgressSink& progress);
  actions::Result RunHere(const actions::Call& call, const model::ProgressSink& progress);

  GlobalOptions options_;
  std::optional<config::Config> config_;
  int signalled_ = 0;
};

// To standard output, whole; throws Error(kDisk) where it cannot be written (a closed pipe is
// fine).
void WriteOut(std::string_view text);

}  // namespace certwright::cli
