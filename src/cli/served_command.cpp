// served.
#include <algorithm>

#include "certwright/base/text.h"
#include "commands.h"
#include "text_table.h"

namespace certwright::cli {

namespace {

constexpr int kNotServed = 1;

std::string ServedText(const json::Value& output) {
  std::vector<std::vector<std::string>> rows{
      {"ENDPOINT", "NAME", "STATE", "SINCE", "LOOKED AT", "PROBLEM"}};
  for (const json::Value& entry : output["served"].Items()) {
    rows.push_back({entry.String("endpoint"), entry.String("name"), entry.String("state"),
                    entry.String("since", "-"), entry.String("looked_at", "-"),
                    Printable(entry.String("problem"), 200)});
  }
  return rows.size() == 1 ? "nothing was looked at yet: there is no Traefik whose address is known, "
                            "and no [[served]], or no daemon ran\n"
                          : TextTable(std::move(rows));
}

int RunServed(Session& session, bool now) {
  const json::Value output =
      session.RunCommand(now ? "check-served" : "list-served", json::Value::Object());
  session.Print(output, [&] { return ServedText(output); });
  const auto& entries = output["served"].Items();
  const bool well = std::all_of(entries.begin(), entries.end(), [](const json::Value& entry) {
    return entry.String("problem").empty();
  });
  return well ? 0 : kNotServed;
}

}  // namespace

void AddServed(CLI::App& app, Chosen& chosen) {
  CLI::App* command =
      app.add_subcommand("served", "Whether Traefik and other servers show what is held");
  command->footer(
      "\nThe daemon looks, by a TLS handshake for each host name, soon after each change and once a\n"
      "day: at Traefik, and at each [[served]] of the configuration. Where something else is shown\n"
      "for longer than probe.served_grace, certificate-not-served is told to event handlers.\n"
      "\nExit codes: 0; 1 where the last look at one of them showed something else, or nothing.");
  auto now = std::make_shared<bool>(false);
  command->add_flag("--now", *now, "Look now, and then tell");
  command->callback([&chosen, now] {
    chosen = [now](Session& session) { return RunServed(session, *now); };
  });
}

}  // namespace certwright::cli
