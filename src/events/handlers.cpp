#include "certwright/events/handlers.h"

#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <vector>

#include "certwright/base/child.h"
#include "certwright/base/error.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"

namespace certwright::events {
namespace {

namespace fs = std::filesystem;

// "certificate-changed": what an event's kind may look like.
bool IsKind(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
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

class Handler : public Subscriber {
 public:
  Handler(Path program, std::string kind, std::string name, HandlerOptions options)
      : program_(std::move(program)), kind_(std::move(kind)), name_(std::move(name)),
        options_(std::move(options)) {}

  std::string name() const override { return name_; }
  store::Kinds kinds() const override { return {kind_}; }
  bool in_name_order() const override { return true; }
  bool replays() const override { return true; }
  Millis longest_pause() const override { return std::chrono::minutes(10); }
  // Once all of them had one position together.
  std::string heir_of() const override { return "handlers"; }

  void Deliver(std::span<const model::Event> events, std::stop_token stop) override {
    for (const model::Event& event : events) Run(event, stop);
  }

 private:
  void Run(const model::Event& event, std::stop_token stop) {
    ChildOptions child;
    child.program = program_;
    child.input = json::Write(Payload(event, options_.node));
    child.environment = {{"AGENT_EVENT_NAME", event.name},
                         {"AGENT_EVENT_SOURCE", "module/" + options_.node.module_id},
                         {"NODE_ID", std::to_string(options_.node.id)}};
    child.timeout = options_.timeout;
    const ChildResult result = RunChild(child, stop);
    if (result.end == ChildResult::End::kStopped) {
      throw Error(FailureCode::kCancelled, "stopped while it was told");
    }
    if (result.end == ChildResult::End::kExited && result.code == 0) {
      log::Debug(Cat("events: ", Printable(name_), ", event ", event.seq, ": done"));
      return;
    }
    throw Error(FailureCode::kRefused,
                Cat("event ", event.seq, ": ", EndWords(result, options_.timeout)));
  }

  const Path program_;
  const std::string kind_;
  const std::string name_;
  const HandlerOptions options_;
};

// In the order of their names' bytes, whatever the locale says.
std::vector<Path> ListFolder(const Path& folder) {
  std::error_code error;
  std::vector<Path> found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    found.push_back(entry->path());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    throw Error(FailureCode::kPermission, Cat("the handlers in ", Printable(folder.string()),
                                              " cannot be listed: ", error.message()),
                "check the mode and the owner of events.dir");
  }
  std::sort(found.begin(), found.end(),
            [](const Path& a, const Path& b) { return a.native() < b.native(); });
  return found;
}

}  // namespace

std::vector<std::unique_ptr<Subscriber>> FindHandlers(const HandlerOptions& options) {
  std::vector<std::unique_ptr<Subscriber>> handlers;
  const auto add = [&](const Path& program, const std::string& kind, const std::string& name) {
    if (!IsWanted(program)) return;
    handlers.push_back(
        std::make_unique<Handler>(program, kind, Cat(kHandlerPrefix, name), options));
  };
  for (const Path& place : ListFolder(options.dir)) {
    const std::string kind = place.filename().string();
    if (!IsKind(kind)) continue;
    std::error_code error;
    if (!fs::is_directory(place, error)) {
      add(place, kind, kind);
      continue;
    }
    for (const Path& program : ListFolder(place)) {
      add(program, kind, Cat(kind, "/", program.filename().string()));
    }
  }
  return handlers;
}

}  // namespace certwright::events
