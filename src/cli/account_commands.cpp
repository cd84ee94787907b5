// account show, register, update, rollover and deactivate.
#include "certwright/base/text.h"
#include "commands.h"

namespace certwright::cli {

namespace {

struct AccountOptions {
  std::string ca;
  std::optional<std::string> email;
  bool yes = false;
};

int RunAccount(Session& session, const std::string& action, const AccountOptions& options) {
  json::Value input = json::Value::Object();
  if (!options.ca.empty()) input.Set("ca", config::DirectoryOf(options.ca));
  if (options.email) input.Set("email", *options.email);
  const json::Value output = session.RunCommand(action, input);
  session.Print(output, [&] {
    return Cat("account  ", output.String("url", "-"), "\nCA       ", output.String("directory"),
               "\nstatus   ", output.String("status", "-"), "\ncontact  ",
               Join(output.Strings("contact"), ", "), "\nterms    ", output.String("terms", "-"),
               "\n");
  });
  return 0;
}

int Deactivate(Session& session, const AccountOptions& options) {
  if (!options.yes) {
    throw Error(FailureCode::kUsage,
                "a deactivated account can never be used again: --yes says that you mean it",
                "its certificates stay valid, and can be revoked with their own keys only");
  }
  return RunAccount(session, "account-deactivate", options);
}

CLI::App* Add(CLI::App& group, const char* name, const char* description,
              std::shared_ptr<AccountOptions> options, Chosen& chosen,
              std::function<int(Session&, const AccountOptions&)> run) {
  CLI::App* command = group.add_subcommand(name, description);
  command->add_option("--ca", options->ca,
                      "One of the CAs that are configured, by its directory URL or short name;\n"
                      "the first without it")
      ->type_name("URL");
  command->callback([&chosen, options, run = std::move(run)] {
    chosen = [options, run](Session& session) { return run(session, *options); };
  });
  return command;
}

auto Runs(const char* action) {
  return [action](Session& session, const AccountOptions& options) {
    return RunAccount(session, action, options);
  };
}

}  // namespace

void AddAccount(CLI::App& app, Chosen& chosen) {
  CLI::App* group = app.add_subcommand("account", "The account at the CA");
  group->require_subcommand(1);
  auto options = std::make_shared<AccountOptions>();
  Add(*group, "show", "What is stored of it", options, chosen, Runs("account-show"));
  Add(*group, "register", "Find it by its key, or make it (another one, once it is deactivated)",
      options, chosen, Runs("account-register"));

  Add(*group, "update", "Tell the CA the contact", options, chosen, Runs("account-update"))
      ->add_option("--email", options->email, "In place of acme.email; \"\" for none");

  Add(*group, "rollover", "Give it a new key", options, chosen, Runs("account-rollover"))
      ->footer(
          "\nThe new key is stored before the CA hears of it; a crash at any point is settled by\n"
          "the next use of the account. Orders under way are waited for, up to a minute.\n\n"
          "Exit codes: 0; 2 no account; 3 refused, or orders are under way: the former key stays.");
  Add(*group, "deactivate", "Give it up for ever", options, chosen, Deactivate)
      ->footer(
          "\nCertificates stay valid. Nothing more can be ordered or revoked with it: 'certwright\n"
          "account register' makes another one.\n\n"
          "Exit codes: 0; 2 no account; 3 refused; 64 without --yes.");
  group->get_subcommand("deactivate")->add_flag("--yes", options->yes, "It is meant");
}

}  // namespace certwright::cli
