#include "daemon.h"

#include <signal.h>

#include <memory>

#include "certwright/api/server.h"
#include "certwright/base/file.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "engine.h"
#include "notify.h"

namespace certwright::app {

namespace {

// Engine and sockets of one configuration.
class Service {
 public:
  explicit Service(const config::Config& config) : engine_(Prepared(config), Mode::kDaemon) {
    std::vector<api::Socket> sockets;
    for (const config::ApiSocket& socket : config.api_sockets) {
      sockets.push_back({socket.path, socket.role, socket.mode, socket.group, socket.caller});
    }
    server_ = std::make_unique<api::Server>(engine_.runner(), sockets, kVersion);
  }

 private:
  static const config::Config& Prepared(const config::Config& config) {
    log::SetLevel(log::LevelFromName(config.log_level));
    EnsurePrivateDir(config.runtime_dir, 0755);
    return config;
  }

  Engine engine_;
  std::unique_ptr<api::Server> server_;  // gone before the engine
};

// Commands hold the store for a moment too: what they leave is waited for. Null where `signals`
// ended the wait.
std::unique_ptr<Service> Start(const config::Config& config, const sigset_t& signals) {
  constexpr int kTries = 50;
  constexpr timespec kLookAgain{0, 100'000'000};
  for (int tries = 1;; ++tries) {
    try {
      return std::make_unique<Service>(config);
    } catch (const Error& error) {
      if (error.failure().code != FailureCode::kBusy || tries == kTries) throw;
      if (tries == 1) log::Info(Cat(error.failure().detail, ": waiting for it"));
    }
    const int received = sigtimedwait(&signals, nullptr, &kLookAgain);
    if (received == SIGTERM || received == SIGINT) return nullptr;
  }
}

}  // namespace

void Serve(config::Config config, const std::function<config::Config()>& reload) {
  // Blocked before the first thread is made: every thread inherits it, and only this one is told.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  auto service = Start(config, signals);
  while (service) {
    NotifySystemd("READY=1");
    int received = 0;
    sigwait(&signals, &received);
    if (received != SIGHUP) break;
    NotifySystemd("RELOADING=1");
    try {
      config::Config next = reload();
      service.reset();
      service = Start(next, signals);
      config = std::move(next);
      log::Info("the configuration was read again");
    } catch (const Error& error) {
      log::Error(Cat("the configuration was not taken over: ", error.what()));
      if (!service) service = Start(config, signals);
    }
  }
  NotifySystemd("STOPPING=1");
  log::Info("stopping");
  service.reset();
}

}  // namespace certwright::app
