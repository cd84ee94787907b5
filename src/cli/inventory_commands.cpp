#include "certwright/base/text.h"
#include "commands.h"
#include "inventory_text.h"

namespace certwright::cli {

namespace {

CLI::App* AddByName(CLI::App& app, const char* name, const char* description, const char* meaning,
                    std::shared_ptr<std::string> certificate) {
  CLI::App* command = app.add_subcommand(name, description);
  command->footer("\nExit codes: 0; 2 not found.");
  command->add_option("NAME", *certificate, meaning)->required();
  return command;
}

}  // namespace

void AddInventory(CLI::App& app, Chosen& chosen) {
  CLI::App* list = app.add_subcommand("list", "What is held, and until when");
  list->callback([&chosen] {
    chosen = [](Session& session) {
      const json::Value output = session.RunCommand("list", json::Value::Object());
      session.Print(output, [&] { return ListText(output); });
      return 0;
    };
  });

  auto shown = std::make_shared<std::string>();
  AddByName(app, "show", "Everything about one certificate: chain, history, orders, last error",
            "A name, the exact names joined by commas, or a serial (hex or decimal)", shown)
      ->callback([&chosen, shown] {
        chosen = [shown](Session& session) {
          const json::Value output =
              session.RunCommand("show", json::Value::Object({{"certificate", *shown}}));
          session.Print(output, [&] { return ShowText(output); });
          return 0;
        };
      });

  auto deleted = std::make_shared<std::string>();
  CLI::App* command =
      AddByName(app, "delete", "Remove a certificate with its key, and stop serving it",
                "The exact names joined by commas, a serial (hex or decimal), or\n"
                "custom_certificates/NAME.crt for one that was uploaded",
                deleted);
  command->footer(
      "\nNobody asks for it any more: routes of these names lose lets_encrypt, modules their request,\n"
      "and where it was the default the self-signed pair takes its place. (Not with an upload: below\n"
      "it there may be one of a CA.)");
  command->callback([&chosen, deleted] {
    chosen = [deleted](Session& session) {
      const json::Value output =
          session.RunCommand("delete", json::Value::Object({{"certificate", *deleted}}));
      session.Print(output, [&] {
        return Cat("deleted: ", Join(output.Strings("deleted"), ", "), "\n");
      });
      return 0;
    };
  });
}

}  // namespace certwright::cli
