#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "certwright/base/text.h"
#include "commands.h"
#include "engine.h"

namespace certwright::cli {

namespace {

constexpr char kFooter[] = R"(
Where a daemon ('certwright serve') runs, commands work through its socket; where none does, in
their own process on the same store.

Exit codes: 0 done; 2 not found; 3 not obtained, or not served; 64 wrong usage or a bad name;
70 a bug; 74 disk or store damaged; 75 another process holds the store; 77 not permitted;
78 configuration. Commands with codes of their own say so in their help.

Configuration: the file of --config, else of CERTWRIGHT_CONFIG, else
/etc/certwright/certwright.toml where it is there, else the defaults.)";

void AddGlobals(CLI::App& app, GlobalOptions& options) {
  app.add_option("--config", options.config_file, "Configuration file")->type_name("FILE");
  app.add_flag("--json", options.json, "One JSON document on standard output; errors as JSON too");
  auto* verbose =
      app.add_flag("-v,--verbose", options.verbose, "Tell more (the log's debug level)");
  app.add_flag("-q,--quiet", options.quiet, "Tell errors only")->excludes(verbose);
}

// A word in place of a command is named, with what may have been meant; "" where there is none.
std::string WrongCommand(const CLI::App& app, const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--config") {
      ++i;  // its file
      continue;
    }
    if (words[i].starts_with('-')) continue;
    if (std::find(names.begin(), names.end(), words[i]) != names.end()) return "";
    const std::string nearest = Nearest(words[i], names);
    return Cat("no command is called '", Printable(words[i], 60), "'",
               nearest.empty() ? "" : Cat("; did you mean '", nearest, "'?"));
  }
  return "";
}

int WrongUsage(const CLI::App& app, const CLI::ParseError& error,
               const std::vector<std::string>& words) {
  Failure failure;
  failure.code = FailureCode::kUsage;
  const std::string wrong = WrongCommand(app, words);
  failure.detail = wrong.empty() ? error.what() : wrong;
  failure.advice = "certwright --help, or certwright COMMAND --help, shows what is possible";
  GlobalOptions options;  // nothing was parsed to its end
  options.json = std::find(words.begin(), words.end(), "--json") != words.end();
  return Session(options).Report(failure);
}

}  // namespace

int Main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file over the limit is an error to tell, not a death
  GlobalOptions options;
  Chosen chosen;
  CLI::App app{
      "Certwright: an ACME client and certificate store for machines with Traefik at the door.",
      "certwright"};
  app.set_version_flag("--version", Cat("certwright ", app::kVersion));
  app.require_subcommand(1);
  app.fallthrough();
  AddGlobals(app, options);
  AddServe(app, chosen);
  AddIssue(app, chosen);
  AddRenew(app, chosen);
  AddInventory(app, chosen);
  AddUpload(app, chosen);
  AddRevoke(app, chosen);
  AddActivate(app, chosen);
  AddStore(app, chosen);
  AddImport(app, chosen);
  AddLedger(app, chosen);
  AddTasks(app, chosen);
  AddAudit(app, chosen);
  AddEvents(app, chosen);
  AddDoctor(app, chosen);
  AddStatus(app, chosen);
  AddMetrics(app, chosen);
  AddExport(app, chosen);
  AddExports(app, chosen);
  AddAck(app, chosen);
  AddServed(app, chosen);
  AddGetCertificate(app, chosen);
  AddActions(app, chosen);
  AddAccount(app, chosen);
  AddAdministration(app, chosen);
  app.footer(kFooter);  // last: commands made after it would say it all again

  // Also installed (or linked) under the name that programs on a node call.
  std::vector<std::string> words(argv + 1, argv + argc);
  if (argc > 0 && std::filesystem::path(argv[0]).filename() == "get-certificate") {
    words.insert(words.begin(), "get-certificate");
  }
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // as CLI11 wants them
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // prints help or version
    return WrongUsage(app, error, words);
  }
  Session session(options);
  int code = 0;
  try {
    code = chosen(session);
  } catch (...) {
    code = session.Report(CurrentFailure());
  }
  return session.signalled() != 0 ? 128 + session.signalled() : code;  // as shells have it
}

}  // namespace certwright::cli
