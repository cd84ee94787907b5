// Executables of other programs: `events.dir`/<event name>/* in name order, or one executable of that name.
#pragma once

#include <memory>
#include <string>

#include "certwright/base/clock.h"
#include "certwright/base/file.h"
#include "certwright/events/feed.h"

namespace certwright::events {

struct HandlerOptions {
  Path dir;  // events.dir
  int node_id = 1;
  std::string module_id;
  Millis timeout{60'000};  // of one run; then the process group is ended
};

// Runs each executable with the payload on stdin and AGENT_EVENT_NAME, AGENT_EVENT_SOURCE
// ("module/<module_id>") and NODE_ID set; no shell (posix_spawn), stdin closed after the payload, own process group. Hidden files, backups ("x~") and files without an x bit are skipped
// with a debug line. An exit code other than 0 or a time-out is logged with the handler's name and
// its last stderr line and does not stop the handlers after it, nor is the event repeated for it: it
// was told. One executable that cannot be started at all is the same.
std::unique_ptr<Subscriber> MakeHandlers(HandlerOptions options);

}  // namespace certwright::events
