// Executables of other programs: `events.dir`/KIND/* for events of that kind, or one executable KIND.
#pragma once

#include <memory>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/file.h"
#include "certwright/events/feed.h"

namespace certwright::events {

struct HandlerOptions {
  Path dir;  // events.dir
  Node node;
  Millis timeout{60'000};  // of one run; then the process group is ended
};

// What the names of their positions begin with: never change.
inline constexpr char kHandlerPrefix[] = "handler:";

// Each executable that is there now, as a subscriber of its own, "handler:KIND/FILE" (or
// "handler:KIND"), in the order of these names' bytes. Hidden files, backups ("x~") and files without
// an x bit are none, with a debug line. Throws Error(kPermission) where a folder cannot be listed.
//
// One is run for each event of its kind with the payload on stdin and AGENT_EVENT_NAME,
// AGENT_EVENT_SOURCE ("module/<module_id>") and NODE_ID set; no shell (posix_spawn), stdin closed
// after the payload, own process group. It was told when it exits with 0. Another exit code, a
// time-out, or that it cannot be started at all: it is told again, after 1 s, 2 s ... 10 min; the
// others go on. In name order where each exits with 0 within five seconds: see
// Subscriber::in_name_order.
std::vector<std::unique_ptr<Subscriber>> FindHandlers(const HandlerOptions& options);

}  // namespace certwright::events
