#include "certwright/events/handlers.h"

#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <vector>

#include "certwright/base/error.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "child.h"

namespace certwright::events {
namespace {

namespace fs = std::filesystem;

// Event names become a part of a path.
bool IsPlainName(std::string_view name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string_view::npos;
}

bool IsExecutable(const Path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

bool IsWanted(const Path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with('.') && !name.ends_with('~') && IsExecutable(path)) return true;
  log::Debug(Cat("events: ", Printable(path.string()), " is no handler: hidden, a backup, or not "
                                                       "executable"));
  return false;
}

// In the order of their names' bytes, whatever the locale says.
std::vector<Path> ListHandlers(const Path& place) {
  std::error_code error;
  std::vector<Path> found;
  if (!fs::is_directory(place, error)) {
    if (fs::exists(place, error) && IsWanted(place)) found.push_back(place);
    return found;
  }
  for (fs::directory_iterator entry(place, error), end; !error && entry != end;
       entry.increment(error)) {
    if (IsWanted(entry->path())) found.push_back(entry->path());
  }
  if (error) {
    throw Error(FailureCode::kPermission, Cat("the handlers in ", Printable(place.string()),
                                              " cannot be listed: ", error.message()),
                "check the mode and the owner of events.dir");
  }
  std::sort(found.begin(), found.end(),
            [](const Path& a, const Path& b) { return a.native() < b.native(); });
  return found;
}

std::string Describe(const ChildResult& result, Millis timeout) {
  switch (result.end) {
    case ChildResult::End::kExited:
      return Cat("exit code ", result.code);
    case ChildResult::End::kSignalled:
      return Cat("ended by signal ", result.code);
    case ChildResult::End::kTimedOut:
      return Cat("ended after ", timeout.count() / 1000.0, " s");
    case ChildResult::End::kStopped:
      return "stopped";
  }
  return "";
}

class Handlers : public Subscriber {
 public:
  explicit Handlers(HandlerOptions options) : options_(std::move(options)) {}

  std::string name() const override { return "handlers"; }

  void Deliver(std::span<const model::Event> events, std::stop_token stop) override {
    for (const model::Event& event : events) Tell(event, stop);
  }

 private:
  void Tell(const model::Event& event, std::stop_token stop) {
    if (!IsPlainName(event.name)) {
      log::Error(Cat("events: event ", event.seq, " has no name that a handler can have"));
      return;
    }
    for (const Path& program : ListHandlers(options_.dir / event.name)) {
      if (stop.stop_requested()) ThrowStopped();
      Run(program, event, stop);
    }
  }

  void Run(const Path& program, const model::Event& event, std::stop_token stop) {
    ChildOptions child;
    child.program = program;
    child.input = PayloadJson(event, options_.node_id, options_.module_id);
    child.environment = {{"AGENT_EVENT_NAME", event.name},
                         {"AGENT_EVENT_SOURCE", "module/" + options_.module_id},
                         {"NODE_ID", std::to_string(options_.node_id)}};
    child.timeout = options_.timeout;
    const std::string who =
        Cat("events: handler ", Printable(program.filename().string()), ", event ", event.seq);
    ChildResult result;
    try {
      result = RunChild(child, stop);
    } catch (const Error& error) {
      // Not told for want of a descriptor or of memory: it comes again (invariant I3). A file that
      // is no program would come again for ever.
      if (error.failure().transient) throw;
      log::Warning(Cat(who, ": ", Printable(error.what())));
      return;
    }
    if (result.end == ChildResult::End::kStopped) ThrowStopped();
    const bool good = result.end == ChildResult::End::kExited && result.code == 0;
    if (good) {
      log::Debug(Cat(who, ": done"));
    } else {
      log::Warning(Cat(who, ": ", Describe(result, options_.timeout),
                       result.last_line.empty() ? "" : ": ", Printable(result.last_line)));
    }
  }

  // The event was not told to all: it comes again after the next start.
  [[noreturn]] static void ThrowStopped() {
    throw Error(FailureCode::kCancelled, "stopped while handlers were told");
  }

  HandlerOptions options_;
};

}  // namespace

std::unique_ptr<Subscriber> MakeHandlers(HandlerOptions options) {
  return std::make_unique<Handlers>(std::move(options));
}

}  // namespace certwright::events
