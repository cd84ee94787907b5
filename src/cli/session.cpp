#include "session.h"

#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "certwright/api/server.h"
#include "certwright/base/clock.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/http/local_socket.h"
#include "certwright/json/failure.h"
#include "engine.h"
#include "signal_stop.h"

namespace certwright::cli {

namespace {

// A command that found the store held by another command, or a daemon that stops or starts, waits
// this long for either.
constexpr Millis kPatience{5'000};
constexpr Millis kLookAgain{100};
constexpr int kMostInterruptions = 10;  // of one call, by daemons that stop while they work on it

// Their subscribers must hear of it before the process ends.
bool ChangesSomething(const std::string& action) {
  return action == "issue" || action == "renew" || action == "set-certificate" ||
         action == "delete" || action == "activate" || action == "revoke" ||
         action == "delete-certificate" || action == "upload-certificate" ||
         action == "set-default-certificate" || action == "set-trusted-proxies" || action == "import" ||
         action == "replay-events";
}

// Whether nothing was begun, and it may go better in a moment.
bool IsPassing(const Failure& failure) {
  return failure.transient &&
         (failure.code == FailureCode::kBusy || failure.code == FailureCode::kNetwork);
}

// Whether the daemon was told to stop (or to read its configuration again) in the middle of it. What
// was begun is kept, and the same call takes it up again.
bool IsInterrupted(const actions::Result& result) {
  return result.failure && result.failure->code == FailureCode::kCancelled;
}

}  // namespace

Session::~Session() = default;

config::Config Session::ReadConfig() const {
  if (options_.config_file.empty()) return config::Load(std::nullopt);
  return config::Load(Path(options_.config_file));
}

const config::Config& Session::config() {
  if (!config_) {
    config_ = ReadConfig();
    // A command speaks through its own words; the log is for what goes wrong on the way.
    const bool verbose = options_.verbose > 0;
    log::SetLevel(options_.quiet || (options_.json && !verbose) ? log::Level::kError
                  : verbose      ? log::Level::kDebug
                                 : log::Level::kWarning);
  }
  return *config_;
}

// Of several sockets the one that allows most, of those that this user may speak to.
std::optional<Path> Session::FindDaemon() {
  std::optional<Path> closed;
  for (const char* role : {"owner", "fulladm", "certadm", "routeadm", "reader"}) {
    for (const config::ApiSocket& socket : config().api_sockets) {
      if (socket.role != role || !http::SocketAnswers(socket.path)) continue;
      if (access(socket.path.c_str(), W_OK) == 0) return socket.path;
      if (!closed) closed = socket.path;  // speaking to it tells what is missing
    }
  }
  return closed;
}

actions::Result Session::RunHere(const actions::Call& call, const model::ProgressSink& progress) {
  // A command is over before its memory is worth returning, and a heap for each of its short-lived
  // threads costs more than they ever contend for one.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TOP_PAD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  std::optional<SignalStop> signals;  // what ends at once needs none
  if (actions::MayWait(call.action)) signals.emplace();
  const std::stop_token stop = signals ? signals->token() : std::stop_token();
  app::Engine engine(config(), app::Mode::kCommand,
                     store::Database::Open(config().state_dir));
  actions::Result result = engine.runner().Run(call, progress, stop);
  if (ChangesSomething(call.action) && !stop.stop_requested()) engine.DeliverPending();
  if (signals && result.exit_code != 0) signalled_ = signals->received();
  return result;
}

actions::Result Session::Run(actions::Call call, model::ProgressSink progress) {
  using Style = ProgressLine::Style;
  const bool terminal = isatty(STDERR_FILENO) == 1;
  ProgressLine line(options_.quiet || options_.json ? Style::kSilent
                    : terminal                      ? Style::kLive
                                                    : Style::kPlain);
  if (!progress) progress = [&](const model::Progress& step) { line.Show(step); };
  Clock& clock = SystemClock();
  Steady until = clock.SteadyNow() + kPatience;
  int interruptions = 0;
  while (true) {
    try {
      actions::Result result = RunOnce(call, progress);
      if (signalled_ != 0 || !IsInterrupted(result) || ++interruptions > kMostInterruptions) return result;
      progress({"again", "the daemon stopped in the middle of it: asking again", 0});
      until = clock.SteadyNow() + kPatience;
    } catch (const Error& error) {
      if (!IsPassing(error.failure()) || clock.SteadyNow() >= until) throw;
    }
    clock.Sleep(kLookAgain, {});
  }
}

actions::Result Session::RunOnce(const actions::Call& call, const model::ProgressSink& progress) {
  const auto socket = FindDaemon();
  if (!socket) return RunHere(call, progress);
  api::CheckDaemon(*socket);
  return api::CallDaemon(*socket, call, progress);
}

json::Value Session::RunCommand(const std::string& action, const json::Value& input) {
  actions::Call call;
  call.action = action;
  call.input = json::Write(input);
  actions::Result result = Run(std::move(call));
  if (result.exit_code == 0) return result.output.value_or(json::Value());
  if (result.failure) throw Error(*result.failure);
  // The command line built an input that the action refuses: say which part.
  Failure failure;
  failure.code = FailureCode::kInput;
  failure.detail = result.error;
  throw Error(std::move(failure));
}

void WriteOut(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return;
  }
  if (errno == EPIPE) return;
  throw Error(FailureCode::kDisk, "standard output cannot be written", "is the disk full?");
}

void Session::Print(const json::Value& document, const std::function<std::string()>& human) const {
  WriteOut(options_.json ? Cat(json::Write(document), "\n") : human());
}

void Session::Say(const std::string& text) const {
  if (!options_.quiet && !options_.json) std::fprintf(stderr, "%s\n", text.c_str());
}

int Session::Report(const Failure& failure) const {
  if (options_.json) {
    const json::Value document = json::Value::Object({{"error", json::ToJson(failure)}});
    std::fprintf(stderr, "%s\n", json::Write(document).c_str());
    return actions::ExitCodeOf(failure.code);
  }
  std::fprintf(stderr, "certwright: %s\n", Printable(failure.detail, 4000).c_str());
  const std::vector<std::string>& names = failure.identifiers;
  if (!names.empty() && failure.detail.find(names.front()) == std::string::npos) {
    std::fprintf(stderr, "  for: %s\n", Printable(Join(names, ", "), 1000).c_str());
  }
  for (const Subproblem& sub : failure.subproblems) {
    std::fprintf(stderr, "  %s: %s: %s\n", Printable(sub.identifier).c_str(),
                 Printable(sub.type).c_str(), Printable(sub.detail).c_str());
  }
  if (failure.retry_at > 0) {
    std::fprintf(stderr, "  not before: %s\n", FormatUtc(failure.retry_at).c_str());
  }
  if (!failure.advice.empty()) {
    std::fprintf(stderr, "  what to do: %s\n", Printable(failure.advice, 1000).c_str());
  }
  return actions::ExitCodeOf(failure.code);
}

}  // namespace certwright::cli
