#include "certwright/base/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright {
namespace {

// A real process lives in real time.
Steady Now() { return SystemClock().SteadyNow(); }

constexpr Millis kGrace{2'000};
// Without pidfd (old kernels, some sandboxes) the end of the child is looked for this often.
constexpr Millis kTick{50};
constexpr std::size_t kErrorBytesKept = 4096;

// Transient where this machine lacks something just now, or its disk does: the program itself may be as
// good as ever, and the event must not be lost for it (I3).
[[noreturn]] void ThrowNoStart(int error, std::string_view what, const Path& program) {
  constexpr std::array kLack{EMFILE, ENFILE, ENOMEM, EAGAIN, ENOSPC, EIO, ETXTBSY};
  try {
    ThrowErrno(error, what, program);
  } catch (const Error& thrown) {
    Failure failure = thrown.failure();
    failure.transient = std::find(kLack.begin(), kLack.end(), error) != kLack.end();
    throw Error(std::move(failure));
  }
}

// The input as an anonymous file: any size, no writer that blocks, no SIGPIPE where nobody reads it.
Fd InputFile(const ChildOptions& options) {
  Fd file(::memfd_create("certwright-input", MFD_CLOEXEC));
  if (!file) ThrowNoStart(errno, "prepare the input of", options.program);
  std::string_view rest = options.input;
  while (!rest.empty()) {
    const ssize_t written = ::write(file.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) ThrowNoStart(errno, "prepare the input of", options.program);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::vector<std::string> Environment(const ChildOptions& options) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const bool replaced =
        std::any_of(options.environment.begin(), options.environment.end(), [&](const auto& own) {
          return text.starts_with(own.first + "=");
        });
    if (!replaced) all.emplace_back(text);
  }
  for (const auto& [name, value] : options.environment) all.push_back(name + "=" + value);
  return all;
}

// posix_spawn's two objects, which must be destroyed.
struct SpawnSetup {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  SpawnSetup(int input, int error) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO);
    // Not every library marks its descriptors as close-on-exec.
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    // What we block or ignore is not for the child to inherit.
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigdefault(&attributes, &all);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

pid_t Spawn(const ChildOptions& options, int input, int error) {
  SpawnSetup setup(input, error);
  std::vector<std::string> environment = Environment(options);
  std::vector<char*> pointers;
  for (std::string& entry : environment) pointers.push_back(entry.data());
  pointers.push_back(nullptr);
  std::string program = options.program.string();
  std::vector<std::string> words = options.arguments;
  std::vector<char*> arguments{program.data()};
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int result = ::posix_spawnp(&pid, program.c_str(), &setup.actions, &setup.attributes,
                                    arguments.data(), pointers.data());
  if (result != 0) ThrowNoStart(result, "start", options.program);
  return pid;
}

class Child {
 public:
  Child(pid_t pid, Fd error)
      : pid_(pid), error_(std::move(error)),
        // SYS_ and not the wrapper: glibc has it only since 2.36.
        pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

  // Waits for the end, the deadline, or `wake` to become readable. True: it has ended (and is not
  // yet reaped, so that its group's number still is its own).
  bool WaitUntil(Steady deadline, int wake) {
    while (!Ended()) {
      const auto left = std::chrono::ceil<Millis>(deadline - Now());
      if (left <= Millis(0)) return false;
      const Millis wait = pidfd_ ? left : std::min(left, kTick);
      std::array<pollfd, 3> watched{{{error_.get(), POLLIN, 0},
                                     {pidfd_.get(), POLLIN, 0},
                                     {wake, POLLIN, 0}}};
      ::poll(watched.data(), watched.size(), static_cast<int>(wait.count()));
      ReadError();
      if (watched[2].revents != 0) return Ended();
    }
    return true;
  }

  void SignalGroup(int signal) { ::kill(-pid_, signal); }

  int Reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    ReadError();  // not until its end: a process in the background may hold the pipe open
    return status;
  }

  std::string LastLine() const {
    const std::string_view text = Trim(tail_);
    const std::size_t line = text.rfind('\n');
    return std::string(line == std::string_view::npos ? text : text.substr(line + 1));
  }

 private:
  bool Ended() const {
    siginfo_t info{};
    const int result = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    return result == 0 && info.si_pid == pid_;
  }

  void ReadError() {
    if (!error_) return;
    std::array<char, 4096> buffer;
    // Bounded: a child that writes without an end must not keep us here.
    for (int round = 0; round < 16; ++round) {
      const ssize_t got = ::read(error_.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return error_.Reset();  // poll ignores a descriptor of -1
      tail_.append(buffer.data(), static_cast<std::size_t>(got));
      if (tail_.size() > kErrorBytesKept) tail_.erase(0, tail_.size() - kErrorBytesKept);
    }
  }

  pid_t pid_;
  Fd error_;
  Fd pidfd_;
  std::string tail_;
};

ChildResult Describe(int status) {
  ChildResult result;
  if (WIFSIGNALED(status)) {
    result.end = ChildResult::End::kSignalled;
    result.code = WTERMSIG(status);
  } else {
    result.code = WEXITSTATUS(status);
  }
  return result;
}

}  // namespace

ChildResult RunChild(const ChildOptions& options, std::stop_token stop) {
  Fd input = InputFile(options);
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) ThrowNoStart(errno, "start", options.program);
  Fd error_read(ends[0]);
  Fd error_write(ends[1]);
  ::fcntl(error_read.get(), F_SETFL, O_NONBLOCK);
  Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) ThrowNoStart(errno, "start", options.program);
  const std::stop_callback on_stop(stop, [&] { ::eventfd_write(wake.get(), 1); });

  Child child(Spawn(options, input.get(), error_write.get()), std::move(error_read));
  error_write.Reset();
  bool ended = child.WaitUntil(Now() + options.timeout, wake.get());
  const bool stopped = !ended && stop.stop_requested();
  if (!ended) {
    child.SignalGroup(SIGTERM);
    child.WaitUntil(Now() + kGrace, -1);
    child.SignalGroup(SIGKILL);
  }
  ChildResult result = Describe(child.Reap());
  if (!ended) result.end = stopped ? ChildResult::End::kStopped : ChildResult::End::kTimedOut;
  result.last_line = child.LastLine();
  return result;
}

std::string EndWords(const ChildResult& result, Millis timeout) {
  const auto words = [&]() -> std::string {
    switch (result.end) {
      case ChildResult::End::kExited: return Cat("exit code ", result.code);
      case ChildResult::End::kSignalled: return Cat("ended by signal ", result.code);
      case ChildResult::End::kTimedOut: return Cat("ended after ", timeout.count() / 1000.0, " s");
      case ChildResult::End::kStopped: return "stopped";
    }
    return "";
  };
  return Cat(words(), result.last_line.empty() ? "" : ": ", Printable(result.last_line));
}

}  // namespace certwright
