// audit.
#include "certwright/base/text.h"
#include "commands.h"
#include "text_table.h"

namespace certwright::cli {

namespace {

std::string AuditText(const json::Value& output) {
  std::vector<std::vector<std::string>> rows{
      {"NO", "TIME", "OUTCOME", "ACTION", "SUBJECT", "ROLE", "CALLER"}};
  for (const json::Value& entry : output["entries"].Items()) {
    rows.push_back({Cat(entry.Int("seq")), entry.String("time"), entry.String("outcome"),
                    entry.String("action"), entry.String("subject"), entry.String("role"),
                    entry.String("caller")});
  }
  return rows.size() == 1 ? "nothing was denied, and no key was given away\n"
                          : TextTable(std::move(rows));
}

}  // namespace

void AddAudit(CLI::App& app, Chosen& chosen) {
  CLI::App* command =
      app.add_subcommand("audit", "Who was denied something, and who was given a private key");
  command->footer(
      "\nEach call that its role does not allow is 'denied'; each that gives away a private key\n"
      "(get-certificate, export, backup) is 'released', written down before the key is given, and\n"
      "where that cannot be done the key is not given. Nothing changes an entry. Entries are kept\n"
      "for 400 days, and the newest 100,000 longer.\n\n"
      "Exit codes: 0.");
  auto after = std::make_shared<std::int64_t>(0);
  auto limit = std::make_shared<int>(1000);
  command->add_option("--after", *after, "Only entries with a number above N")->type_name("N");
  command->add_option("--limit", *limit, "So many at most")->capture_default_str()->type_name("N");
  command->callback([&chosen, after, limit] {
    chosen = [after, limit](Session& session) {
      const json::Value output = session.RunCommand(
          "audit", json::Value::Object({{"after", *after}, {"limit", *limit}}));
      session.Print(output, [&] { return AuditText(output); });
      return 0;
    };
  });
}

}  // namespace certwright::cli
