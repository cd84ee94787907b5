#include "signal_stop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdint>

namespace certwright::cli {

namespace {

constexpr int kEndedBySignal = 128;  // and its number, as shells have it

}  // namespace

SignalStop::SignalStop() : over_(eventfd(0, EFD_CLOEXEC)) {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  signals_ = Fd(signalfd(-1, &ending, SFD_CLOEXEC));
  if (!signals_ || !over_) return;  // then a signal ends the process, as ever
  pthread_sigmask(SIG_BLOCK, &ending, &before_);
  watcher_ = std::jthread([this](std::stop_token over) { Watch(over); });
}

SignalStop::~SignalStop() {
  if (!watcher_.joinable()) return;
  watcher_.request_stop();
  const std::uint64_t one = 1;
  (void)!write(over_.get(), &one, sizeof(one));
  watcher_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void SignalStop::Watch(std::stop_token over) {
  while (!over.stop_requested()) {
    pollfd watched[] = {{signals_.get(), POLLIN, 0}, {over_.get(), POLLIN, 0}};
    poll(watched, 2, -1);
    signalfd_siginfo info{};
    if ((watched[0].revents & POLLIN) == 0) continue;
    if (read(signals_.get(), &info, sizeof(info)) != sizeof(info)) continue;
    if (received_ != 0) _exit(kEndedBySignal + received_);
    received_ = static_cast<int>(info.ssi_signo);
    stop_.request_stop();
  }
}

}  // namespace certwright::cli
