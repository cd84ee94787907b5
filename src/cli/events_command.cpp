// events list, follow, replay, match.
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "certwright/api/server.h"
#include "certwright/base/clock.h"
#include "certwright/base/text.h"
#include "certwright/events/payload.h"
#include "commands.h"
#include "text_table.h"

namespace certwright::cli {

namespace {

constexpr Millis kLookAgain{1'000};  // where no daemon tells

struct Wanted {
  std::int64_t after = -1;  // -1: not given
  std::int64_t from = 0;
  int limit = 1000;
  std::string kind;
  std::string handler;
  std::string name;
};

json::Value InputOf(const Wanted& wanted) {
  json::Value input = json::Value::Object();
  if (wanted.after >= 0) input.Set("after", wanted.after);
  if (!wanted.kind.empty()) input.Set("kind", wanted.kind);
  return input;
}

std::vector<std::string> RowOf(const json::Value& event) {
  const json::Value& data = event["data"];
  return {Cat(event.Int("id")), event.String("timestamp"), event.String("type"),
          data.String("reason"), Join(data.Strings("names"), " ")};
}

int List(Session& session, const Wanted& wanted) {
  const json::Value output =
      session.RunCommand("events", InputOf(wanted).Set("limit", wanted.limit));
  session.Print(output, [&] {
    std::vector<std::vector<std::string>> rows{{"NO", "TIME", "KIND", "REASON", "NAMES"}};
    for (const json::Value& event : output["events"].Items()) rows.push_back(RowOf(event));
    return rows.size() == 1 ? "no events\n" : TextTable(std::move(rows));
  });
  return 0;
}

// One line an event, at once. False: nobody reads it any more.
bool PrintEvent(const Session& session, const json::Value& event) {
  session.Print(event, [&] { return Cat(Printable(Join(RowOf(event), "  "), 4000), "\n"); });
  return std::ferror(stdout) == 0;
}

struct NobodyReads {};

// Through the daemon where one runs. Where none does, the store is opened for a moment each second.
int Follow(Session& session, Wanted wanted) {
  if (wanted.after < 0) {
    wanted.after =
        session.RunCommand("events", json::Value::Object({{"limit", 1}})).Int("last");
  }
  const auto print = [&](const json::Value& event) {
    if (!PrintEvent(session, event)) throw NobodyReads{};
    wanted.after = event.Int("id");
  };
  try {
    while (true) {
      try {
        if (const auto socket = session.FindDaemon()) {
          api::FollowEvents(*socket, wanted.after, wanted.kind, print);
        } else {
          const json::Value output = session.RunCommand("events", InputOf(wanted));
          for (const json::Value& event : output["events"].Items()) print(event);
          wanted.after = output.Int("next");
        }
      } catch (const Error& error) {
        // The daemon went, or comes; the store is another's for a moment.
        const FailureCode code = error.failure().code;
        if (code != FailureCode::kNetwork && code != FailureCode::kBusy) throw;
      }
      SystemClock().Sleep(kLookAgain, {});
    }
  } catch (const NobodyReads&) {
    return 0;
  }
}

int Replay(Session& session, const Wanted& wanted) {
  json::Value input = json::Value::Object({{"from", wanted.from}});
  if (!wanted.handler.empty()) input.Set("handler", wanted.handler);
  const json::Value output = session.RunCommand("replay-events", input);
  session.Print(output, [&] {
    const std::vector<std::string> handlers = output.Strings("handlers");
    if (handlers.empty()) return std::string("there is nobody to tell\n");
    return Cat("told from event ", wanted.from, " on: ", Printable(Join(handlers, ", "), 4000), "\n");
  });
  return 0;
}

std::string ReadInput() {
  std::string text;
  char buffer[4096];
  while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, stdin)) {
    text.append(buffer, got);
    if (text.size() > (1 << 20)) break;  // the parser says so
  }
  return text;
}

// NODE_ID is what handlers are run with: no configuration is needed there.
int Match(Session& session, const Wanted& wanted) {
  const json::Value event = json::Parse(ReadInput(), {1 << 20, 32});
  const char* node = std::getenv("NODE_ID");
  const std::string node_id =
      node != nullptr && *node != '\0' ? node : Cat(session.config().node_id);
  const bool concerns = events::Concerns(event, node_id, wanted.name);
  if (session.options().json) {
    session.Print(json::Value::Object({{"match", concerns}}), [] { return std::string(); });
  }
  return concerns ? 0 : 1;
}

void AddKind(CLI::App* command, Wanted& wanted) {
  command->add_option("--kind", wanted.kind, "Only this kind, for instance certificate-changed")
      ->type_name("KIND");
}

CLI::App* AddOne(CLI::App* events, const char* name, const char* description, Chosen& chosen,
                 const std::shared_ptr<Wanted>& wanted, int (*run)(Session&, Wanted)) {
  CLI::App* command = events->add_subcommand(name, description);
  command->callback([&chosen, wanted, run] {
    chosen = [wanted, run](Session& session) { return run(session, *wanted); };
  });
  return command;
}

}  // namespace

void AddEvents(CLI::App& app, Chosen& chosen) {
  CLI::App* events = app.add_subcommand("events", "The numbered feed of what changed");
  events->require_subcommand(1);
  events->footer(
      "\nEvery change has a number that grows and is never used twice. Handlers in events.dir and web\n"
      "hooks are told by themselves; programs that read the feed remember the last number that they\n"
      "dealt with. How long events are kept: events.keep_count, events.keep_for.");
  const auto wanted = std::make_shared<Wanted>();

  CLI::App* list = AddOne(events, "list", "Events, oldest first", chosen, wanted,
                          [](Session& s, Wanted w) { return List(s, w); });
  list->add_option("--after", wanted->after, "Only those with a greater number")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  list->add_option("--limit", wanted->limit, "So many at most")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str()
      ->type_name("N");
  AddKind(list, *wanted);
  list->footer(
      "\nWith --json: {events: [{id, type, timestamp, data}], first, last, next}; give next as --after\n"
      "to go on.\n\n"
      "Exit codes: 0; 2 some events after N are not kept any more (the message names the first).");

  CLI::App* follow = AddOne(events, "follow", "Events as they come, one line each", chosen, wanted,
                            Follow);
  follow->add_option("--after", wanted->after, "First those with a greater number; default: new ones")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  AddKind(follow, *wanted);
  follow->footer(
      "\nWith --json one document a line. Goes on when the daemon is started again.\n\n"
      "Exit codes: 0 nobody reads the output any more; 2 as list.");

  CLI::App* replay = AddOne(events, "replay", "Tell handlers and web hooks again from event N on",
                            chosen, wanted, [](Session& s, Wanted w) { return Replay(s, w); });
  replay->add_option("N", wanted->from, "The first event")->required()->check(CLI::PositiveNumber);
  replay->add_option("--handler", wanted->handler, "Only this one, as 'certwright status' names it")
      ->type_name("NAME");
  replay->footer(
      "\nA handler that waits for an event before N is told from N on without it: so a handler is led\n"
      "past an event that it cannot deal with.\n\n"
      "Exit codes: 0; 2 there is no such handler, or event N is not kept any more.");

  CLI::App* match = AddOne(events, "match", "Whether an event on standard input concerns a name",
                           chosen, wanted, [](Session& s, Wanted w) { return Match(s, w); });
  match->add_option("--name", wanted->name, "A host name")->required()->type_name("FQDN");
  match->footer(
      "\nReads what a handler is given, or an event of the feed. It concerns the name where it is of\n"
      "this node (NODE_ID, else node.id) and the name, or its one-label wildcard, is among its names.\n\n"
      "Exit codes: 0 it does; 1 it does not.");
}

}  // namespace certwright::cli
