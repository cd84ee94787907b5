#include "daemon.h"

#include <signal.h>

#include <initializer_list>
#include <memory>

#include "ca_settings.h"
#include "certwright/api/server.h"
#include "certwright/base/file.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "engine.h"
#include "metrics_port.h"
#include "notify.h"

namespace certwright::app {

namespace {

// The daemon's store, kept while engines come and go: a command that slipped in between two of them
// could hold it for as long as its CA takes.
class HeldStore {
 public:
  std::shared_ptr<store::Database> Open(const Path& dir) {
    if (database_ && dir_ == dir) return database_;
    database_.reset();
    database_ = store::Database::Open(dir);
    dir_ = dir;
    return database_;
  }

 private:
  std::shared_ptr<store::Database> database_;
  Path dir_;
};

// Engine and sockets of one configuration.
class Service {
 public:
  Service(const config::Config& config, HeldStore& store)
      : engine_(Prepared(config), Mode::kDaemon, store.Open(config.state_dir)) {
    std::vector<api::Socket> sockets;
    for (const config::ApiSocket& socket : config.api_sockets) {
      sockets.push_back({socket.path, socket.role, socket.mode, socket.group, socket.caller});
    }
    if (!config.metrics_listen.empty()) {
      metrics_ = ServeMetrics(config.metrics_listen, engine_.runner());
    }
    // Last: who finds a socket of ours finds all of it.
    server_ = std::make_unique<api::Server>(engine_.runner(), sockets, kVersion);
  }

 private:
  static const config::Config& Prepared(const config::Config& config) {
    log::SetLevel(log::LevelFromName(config.log_level));
    EnsurePrivateDir(config.runtime_dir, 0755);
    return config;
  }

  Engine engine_;
  std::unique_ptr<api::Server> server_;  // gone before the engine, as these are
  std::unique_ptr<http::Responder> metrics_;
};

// Commands hold the store for a moment too: what they leave is waited for. Null where `ending`, a
// set of signals, ended the wait.
std::unique_ptr<Service> Start(const config::Config& config, HeldStore& store,
                               const sigset_t& ending) {
  constexpr int kTries = 50;
  constexpr timespec kLookAgain{0, 100'000'000};
  for (int tries = 1;; ++tries) {
    try {
      return std::make_unique<Service>(config, store);
    } catch (const Error& error) {
      if (error.failure().code != FailureCode::kBusy || tries == kTries) throw;
      if (tries == 1) log::Info(Cat(error.failure().detail, ": waiting for it"));
    }
    if (sigtimedwait(&ending, nullptr, &kLookAgain) > 0) return nullptr;
  }
}

sigset_t SetOf(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

}  // namespace

void Serve(config::Config config, const std::function<config::Config()>& reload) {
  // Blocked before the first thread is made: every thread inherits it, and only this one is told.
  const sigset_t ending = SetOf({SIGTERM, SIGINT});
  const sigset_t signals = SetOf({SIGTERM, SIGINT, SIGHUP});
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  HeldStore store;
  auto service = Start(config, store, ending);
  while (service) {
    NotifySystemd("READY=1");
    int received = 0;
    sigwait(&signals, &received);
    if (received != SIGHUP) break;
    NotifySystemd("RELOADING=1");
    try {
      config::Config next = reload();
      CheckFiles(next);  // what is wrong there is told while the old one still works
      service.reset();
      service = Start(next, store, ending);
      config = std::move(next);
      log::Info("the configuration was read again");
    } catch (const Error& error) {
      log::Error(Cat("the configuration was not taken over: ", error.what()));
      if (!service) service = Start(config, store, ending);
    }
  }
  NotifySystemd("STOPPING=1");
  log::Info("stopping");
  service.reset();
}

}  // namespace certwright::app
