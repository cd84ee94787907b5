#include <signal.h>

#include <cstdio>
#include <filesystem>

#include "certwright/base/text.h"
#include "commands.h"
#include "engine.h"

namespace certwright::cli {

namespace {

constexpr int kExitUsage = 64;

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

}  // namespace

int Main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file over the limit is an error to tell, not a death
  GlobalOptions options;
  Chosen chosen;
  CLI::App app{
      "Certwright: an ACME client and certificate store for machines with Traefik at the door."};
  app.set_version_flag("--version", Cat("certwright ", app::kVersion));
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  AddGlobals(app, options);
  AddServe(app, chosen);
  AddIssue(app, chosen);
  AddInventory(app, chosen);
  AddExport(app, chosen);
  AddGetCertificate(app, chosen);
  AddActions(app, chosen);
  AddAdministration(app, chosen);

  // Also installed (or linked) under the name that programs on a node call.
  std::vector<std::string> words(argv + 1, argv + argc);
  if (argc > 0 && std::filesystem::path(argv[0]).filename() == "get-certificate") {
    words.insert(words.begin(), "get-certificate");
  }
  try {
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);  // prints help, version or what is wrong
    return code == 0 ? 0 : kExitUsage;
  }
  Session session(options);
  try {
    return chosen(session);
  } catch (...) {
    return session.Report(CurrentFailure());
  }
}

}  // namespace certwright::cli
