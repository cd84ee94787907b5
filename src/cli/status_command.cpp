// status, metrics.
#include "commands.h"
#include "text_table.h"

namespace certwright::cli {

namespace {

constexpr int kWarning = 1;
constexpr int kCritical = 2;

std::string StatusText(const json::Value& status) {
  std::vector<std::vector<std::string>> rows{{"STATE", "COMPONENT", "DETAIL"}};
  for (const json::Value& one : status["components"].Items()) {
    rows.push_back({one.String("state"), one.String("component"), one.String("detail")});
  }
  return TextTable(std::move(rows));
}

int ShowStatus(Session& session) {
  json::Value status;
  try {
    status = session.RunCommand("status", json::Value::Object());
  } catch (const Error& error) {
    session.Report(error.failure());
    return kCritical;  // whatever keeps it from being told
  }
  session.Print(status, [&] { return StatusText(status); });
  const std::string state = status.String("state");
  return state == "ok" ? 0 : state == "warning" ? kWarning : kCritical;
}

// As it stands: for a textfile collector.
int ShowMetrics(Session& session) {
  const json::Value output = session.RunCommand("metrics", json::Value::Object());
  session.Print(output, [&] { return output.String("text"); });
  return 0;
}

}  // namespace

void AddMetrics(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("metrics", "What /v1/metrics gives to Prometheus");
  command->footer(
      "\nPrometheus' text format. Alert rules and a dashboard are in packaging/prometheus.\n\n"
      "Exit codes: 0.");
  command->callback([&chosen] { chosen = ShowMetrics; });
}

void AddStatus(CLI::App& app, Chosen& chosen) {
  CLI::App* command =
      app.add_subcommand("status", "Health: what somebody may have to look after");
  command->footer(
      "\ndaemon: whether one runs. due: what waits to be renewed; late after an hour (a day without\n"
      "a daemon). failing: whose last try failed. expiring: less than a quarter of the lifetime is\n"
      "left, which no renewal in time lets happen; critical: less than a tenth. Then each handler\n"
      "or web hook that fails: since when, on which event, with its last words; each export that is\n"
      "not in step, consumer that has not loaded what is held, and endpoint that shows something else.\n\n"
      "Exit codes: 0 fine; 1 a warning; 2 critical, also where the daemon or the store does not\n"
      "answer.");
  command->callback([&chosen] { chosen = ShowStatus; });
}

}  // namespace certwright::cli
