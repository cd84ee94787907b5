#include <algorithm>

#include "certwright/base/text.h"
#include "commands.h"

namespace certwright::cli {

namespace {

// Columns as wide as their widest cell; the last one is not padded.
std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      text += row[i];
      if (!last) text.append(widths[i] - row[i].size() + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

std::string Day(const json::Value& certificate, std::string_view key) {
  const std::string time = certificate.String(key);
  return time.empty() ? "-" : time.substr(0, 10);
}

std::string ListText(const json::Value& output) {
  std::vector<std::vector<std::string>> rows{
      {"NAMES", "STATE", "VALID UNTIL", "NEXT RENEWAL", "ISSUER", "LAST ERROR"}};
  for (const char* part : {"certificates", "missing"}) {
    for (const json::Value& certificate : output[part].Items()) {
      const std::string error = certificate["last_error"].String("detail");
      rows.push_back({Join(certificate.Strings("names"), ","), certificate.String("validity"),
                      Day(certificate, "valid_to"), Day(certificate, "next_renewal"),
                      certificate.String("issuer", "-"),
                      error.empty() ? "-" : Printable(error, 100)});
    }
  }
  if (rows.size() == 1) return "no certificates yet; 'certwright issue NAME' obtains one\n";
  return Table(rows);
}

std::string ShowText(const json::Value& output) {
  std::vector<std::vector<std::string>> rows;
  const auto row = [&](std::string label, std::string value) {
    if (!value.empty()) rows.push_back({std::move(label), std::move(value)});
  };
  row("names", Join(output.Strings("names"), ", "));
  row("state", output.String("validity"));
  for (const char* key : {"serial", "subject", "issuer", "valid_from", "valid_to", "fingerprint",
                          "ca", "key_type", "owner", "next_renewal", "ari_id"}) {
    row(key, output.String(key));
  }
  for (const json::Value& entry : output["chain"].Items()) {
    row("chain", Cat(entry.String("subject"), ", until ", entry.String("valid_to")));
  }
  for (const json::Value& version : output["versions"].Items()) {
    row("version", Cat(version.String("serial"), ", obtained ", version.String("obtained_at"),
                       ", until ", version.String("valid_to")));
  }
  for (const json::Value& order : output["orders"].Items()) {
    const std::string failure = order["failure"].String("detail");
    row("order", Cat(order.String("state"), ", ", order.String("created_at"),
                     order.String("url").empty() ? "" : ", ", order.String("url"),
                     failure.empty() ? "" : ": ", failure));
  }
  const json::Value& error = output["last_error"];
  if (error.IsObject()) {
    row("last error", Cat(output.String("last_error_at"), " (", output.Int("failures"),
                          " in a row): ", error.String("detail")));
    row("what to do", error.String("advice"));
  }
  return Table(rows);
}

CLI::App* AddByName(CLI::App& app, const char* name, const char* description,
                    std::shared_ptr<std::string> certificate) {
  CLI::App* command = app.add_subcommand(name, description);
  command->footer("\nExit codes: 0; 2 not found.");
  command
      ->add_option("NAME", *certificate,
                   "A name, the exact names joined by commas, or a serial (hex or decimal)")
      ->required();
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
            shown)
      ->callback([&chosen, shown] {
        chosen = [shown](Session& session) {
          const json::Value output =
              session.RunCommand("show", json::Value::Object({{"certificate", *shown}}));
          session.Print(output, [&] { return ShowText(output); });
          return 0;
        };
      });

  auto deleted = std::make_shared<std::string>();
  AddByName(app, "delete", "Remove a certificate with its key, and stop serving it", deleted)
      ->callback([&chosen, deleted] {
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
