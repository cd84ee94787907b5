#include "certwright/base/text.h"
#include "commands.h"

namespace certwright::cli {

namespace {

struct IssueOptions {
  std::vector<std::string> names;
  std::string key_type;
  std::string profile;
  int timeout = 90;
  bool force = false;
  bool dry_run = false;
};

std::string Summary(const json::Value& output) {
  if (output.Bool("dry_run")) return Cat(Join(output.Strings("report"), "\n"), "\n");
  const json::Value& certificate = output["certificate"];
  std::string text =
      Cat(output.Bool("issued") ? "issued: " : "already held and valid, nothing ordered: ",
          Join(certificate.Strings("names"), ", "), "\n  serial       ",
          certificate.String("serial"), "\n  issuer       ", certificate.String("issuer"),
          "\n  valid until  ", certificate.String("valid_to"), "\n  next renewal ",
          certificate.String("next_renewal", "-"), "\n");
  if (output.Bool("served")) text += "  served by    Traefik\n";
  return text;
}

int RunIssue(Session& session, const IssueOptions& options) {
  json::Value input = json::Value::Object({{"names", options.names}, {"timeout", options.timeout}});
  if (!options.key_type.empty()) input.Set("key_type", options.key_type);
  if (!options.profile.empty()) input.Set("profile", options.profile);
  if (options.force) input.Set("force", true);
  if (options.dry_run) input.Set("dry_run", true);
  const json::Value output = session.RunCommand("issue", input);
  session.Print(output, [&] { return Summary(output); });
  if (output.Has("warning")) session.Say(Cat("warning: ", output.String("warning")));
  return 0;
}

}  // namespace

void AddIssue(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<IssueOptions>();
  CLI::App* command = app.add_subcommand("issue", "Obtain one certificate for these names, now");
  command->footer(
      "\nNames are host names (IDN are converted) or IP addresses, in any order; all must lead to\n"
      "this machine's port 80, where the CA looks for the proof (HTTP-01).\n"
      "Already held and valid: says so and orders nothing. After a time-out the order is kept and\n"
      "carried on by the next call, or by the daemon.\n\nExit codes: 0 held; 3 not obtained.");
  command->add_option("NAME", options->names, "Host names or IP addresses")->required();
  command->add_option("--key-type", options->key_type, "Kind of key; default: certificate.key_type")
      ->check(CLI::IsMember({"ec256", "ec384", "rsa2048", "rsa3072", "rsa4096"}));
  command->add_option("--profile", options->profile, "A profile that the CA offers");
  command->add_option("--timeout", options->timeout, "Seconds to wait")
      ->check(CLI::Range(0, 86400))
      ->capture_default_str();
  command->add_flag("--force", options->force, "Past the fuse and a valid certificate");
  command->add_flag("--dry-run", options->dry_run, "Everything but the order");
  command->callback([&chosen, options] {
    chosen = [options](Session& session) { return RunIssue(session, *options); };
  });
}

}  // namespace certwright::cli
