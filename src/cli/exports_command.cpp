// exports.
#include <algorithm>

#include "certwright/base/text.h"
#include "commands.h"
#include "text_table.h"

namespace certwright::cli {

namespace {

constexpr int kProblems = 1;

std::string TimeOr(const json::Value& entry, std::string_view key, const char* otherwise) {
  const std::string time = entry.String(key);
  return time.empty() ? otherwise : time;
}

std::string ExportsText(const json::Value& output) {
  std::vector<std::vector<std::string>> rows{
      {"NAME", "STATE", "CERTIFICATES FOR", "FORMAT", "WHERE", "WRITTEN", "RELOADED", "PROBLEM"}};
  for (const json::Value& entry : output["exports"].Items()) {
    const bool reloads = !entry["reload"].Items().empty();
    rows.push_back({entry.String("name"), entry.String("state"), Join(entry.Strings("names"), ","),
                    entry.String("format"), entry.String("target"),
                    TimeOr(entry, "written_at", "never"),
                    reloads ? TimeOr(entry, "reloaded_at", "never") : "-",
                    Printable(entry.String("detail"), 200)});
  }
  return rows.size() == 1 ? "nothing is exported: there is no [[export]] in the configuration\n"
                          : TextTable(std::move(rows));
}

bool AllInStep(const json::Value& output) {
  const auto& entries = output["exports"].Items();
  return std::all_of(entries.begin(), entries.end(), [](const json::Value& entry) {
    return entry.String("state") == "in-step";
  });
}

int ListExports(Session& session, bool judge) {
  const json::Value output = session.RunCommand("list-exports", json::Value::Object());
  session.Print(output, [&] { return ExportsText(output); });
  return judge && !AllInStep(output) ? kProblems : 0;
}

int RunExports(Session& session, const std::string& name) {
  json::Value input = json::Value::Object();
  if (!name.empty()) input.Set("name", name);
  const json::Value output = session.RunCommand("run-export", input);
  session.Print(output, [&] { return ExportsText(output); });
  return 0;
}

}  // namespace

void AddExports(CLI::App& app, Chosen& chosen) {
  CLI::App* command =
      app.add_subcommand("exports", "What is kept in step on disk for other programs");
  command->footer(
      "\nEach [[export]] of the configuration, held against what is on the disk now:\n"
      "  in-step      the files are those of the certificate that get-certificate gives\n"
      "  waiting      no certificate is held for one of the names: nothing was written for it\n"
      "  reload-due   the files are there, and the reload is still to run\n"
      "  out-of-step  files are missing or are others; the daemon puts that right at its start, at\n"
      "               the next change and once an hour\n"
      "  failed       it is tried again by itself\n"
      "\nExit codes: 0; check: 1 where one is not in step.");
  command->callback([&chosen, command] {
    if (!command->get_subcommands().empty()) return;
    chosen = [](Session& session) { return ListExports(session, false); };
  });
  command->add_subcommand("check", "The same, with exit code 1 where one is not in step")
      ->callback([&chosen] {
        chosen = [](Session& session) { return ListExports(session, true); };
      });
  auto name = std::make_shared<std::string>();
  CLI::App* run = command->add_subcommand("run", "Put right what is not in step, now");
  run->footer(
      "\nWrites what differs, and runs the reload where something was written or where it did not\n"
      "end with 0 since.\n\nExit codes: 0; 2 no such export; others by what failed.");
  run->add_option("NAME", *name, "Only this one");
  run->callback([&chosen, name] {
    chosen = [name](Session& session) { return RunExports(session, *name); };
  });
}

}  // namespace certwright::cli
