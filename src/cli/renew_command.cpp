// renew and plan.
#include "certwright/base/text.h"
#include "commands.h"
#include "inventory_text.h"
#include "ledger_text.h"

namespace certwright::cli {

namespace {

struct RenewOptions {
  std::vector<std::string> certificates;
  bool force = false;
  bool dry_run = false;
};

// Why, as a person would say it.
std::string ReasonText(const json::Value& one) {
  const std::string reason = one.String("reason");
  return reason == "revoked" ? "to be revoked" : reason;
}

std::string RenewedText(const json::Value& output) {
  std::string text;
  for (const json::Value& one : output["certificates"].Items()) {
    const std::string result = one.String("result");
    const std::string at = one.String("renew_at", "never");
    text += Cat(Join(one.Strings("names"), ","), ": ", result);
    if (result == "not-due" && !one.String("renew_at").empty()) text += Cat(" before ", at);
    if (result == "not-due" || result == "would-renew") text += Cat(" (", ReasonText(one), ")");
    if (result == "renewed") text += Cat("; the next time at ", at);
    if (result == "failed") {
      text += Cat(": ", one["failure"].String("detail"), "; next try ", at);
    }
    text += "\n";
  }
  return text.empty() ? "nothing is due\n" : text;
}

int RunRenew(Session& session, const RenewOptions& options) {
  json::Value input = json::Value::Object();
  if (!options.certificates.empty()) input.Set("certificates", options.certificates);
  if (options.force) input.Set("force", true);
  if (options.dry_run) input.Set("dry_run", true);
  const json::Value output = session.RunCommand("renew", input);
  session.Print(output, [&] { return RenewedText(output); });
  return output.Bool("ok") ? 0 : 3;
}

std::string PlanText(const json::Value& output) {
  std::string text;
  for (const json::Value& one : output["certificates"].Items()) {
    const json::Value& window = one["window"];
    text += Cat(one.String("renew_at", "never               "), "  ", ReasonText(one), "  ",
                Join(one.Strings("names"), ","), "\n  valid until ", one.String("valid_to", "-"),
                ", from ", one.String("ca"), "\n");
    if (!window.IsNull()) {
      text += Cat("  the CA's window: ", WindowText(window), "\n");
    }
    if (!window.String("explanation_url").empty()) {
      text += Cat("  and explains it at ", window.String("explanation_url"), "\n");
    }
    text += BudgetsText(one);
    if (one.Int("failures") > 0) {
      const std::int64_t failures = one.Int("failures");
      text += Cat("  failed ", failures == 1 ? "once" : Cat(failures, " times in a row"), " (",
                  one.String("failure_class"), one.Bool("parked") ? ", parked" : "",
                  "): ", one["last_error"].String("detail"), "\n");
    }
    if (const std::string seen = PreflightText(one["preflight"]); !seen.empty()) {
      text += Cat("  from outside: ", seen, "\n");
    }
  }
  return text.empty() ? "no certificates\n" : text;
}

}  // namespace

void AddRenew(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<RenewOptions>();
  CLI::App* command = app.add_subcommand("renew", "Renew what is due, and end (for a timer)");
  command->footer(
      "\nDue is what the CA's window says (RFC 9773), two thirds of the lifetime otherwise (half,\n"
      "under ten days), the next try of what failed, and what a route asks for that no certificate\n"
      "covers yet. One line for each certificate that was looked at. Safe beside the daemon, which does the same by itself.\n\n"
      "Exit codes: 0, also where nothing is due; 2 no such certificate; 3 something failed.");
  command->add_option("CERTIFICATE", options->certificates,
                      "These, by name or serial, instead of all that are due");
  command->add_flag("--force", options->force,
                    "Order the named ones though they are not due, and past the fuse");
  command->add_flag("--dry-run", options->dry_run, "Only say what would be renewed");
  command->callback([&chosen, options] {
    chosen = [options](Session& session) { return RunRenew(session, *options); };
  });

  app.add_subcommand("plan", "What will be ordered when, from which CA, and why")
      ->callback([&chosen] {
        chosen = [](Session& session) {
          const json::Value output = session.RunCommand("plan", json::Value::Object());
          session.Print(output, [&] { return PlanText(output); });
          return 0;
        };
      });
}

}  // namespace certwright::cli
