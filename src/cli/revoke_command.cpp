#include "certwright/base/text.h"
#include "commands.h"

namespace certwright::cli {

namespace {

struct RevokeOptions {
  std::string certificate;
  std::string reason = "unspecified";
  int timeout = 90;
  bool with_key = false;
  bool replace = false;
};

std::string RevokedText(const json::Value& output) {
  const std::string names = Join(output.Strings("names"), ", ");
  std::string text = Cat("revoked: ", output.String("serial"), " (", names, ")\n");
  if (const std::string serial = output.String("replaced_by"); !serial.empty()) {
    text += Cat("  replaced by  ", serial, "\n");
  }
  if (output.Bool("removed")) text += "  it is not served any more\n";
  return text;
}

int RunRevoke(Session& session, const RevokeOptions& options) {
  json::Value input = json::Value::Object(
      {{"certificate", options.certificate}, {"reason", options.reason}});
  if (options.with_key) input.Set("with_key", true);
  if (options.replace) input.Set("replace", true).Set("timeout", options.timeout);
  const json::Value output = session.RunCommand("revoke", input);
  session.Print(output, [&] { return RevokedText(output); });
  return 0;
}

}  // namespace

void AddRevoke(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<RevokeOptions>();
  CLI::App* command = app.add_subcommand("revoke", "Have the CA revoke a certificate");
  command->footer(
      "\nOf a name the current version, of a serial (hex or decimal) any version that is kept.\n"
      "Without --replace a current version is removed with its certificate and no longer served,\n"
      "and nobody asks for it any more: routes of these names lose lets_encrypt, modules their\n"
      "request, and where it was the default the self-signed pair takes its place.\n"
      "With it a replacement with a new key is ordered first, served, and then the former version\n"
      "revoked. What is begun is carried on after a crash; a revoked version never comes back.\n\n"
      "Exit codes: 0 revoked, also where it was already; 2 not found; 3 not revoked.");
  command->add_option("CERTIFICATE", options->certificate,
                      "The exact names joined by commas, or a serial")
      ->required();
  command->add_option("--reason", options->reason, "Why (RFC 5280 section 5.3.1)")
      ->check(CLI::IsMember({"unspecified", "keyCompromise", "affiliationChanged", "superseded",
                             "cessationOfOperation"}))
      ->capture_default_str();
  command->add_flag("--with-key", options->with_key,
                    "Ask with the certificate's own key in place of the account");
  command->add_flag("--replace", options->replace, "Order a replacement with a new key first");
  command->add_option("--timeout", options->timeout, "Seconds to wait for the replacement")
      ->check(CLI::Range(0, 86400))
      ->capture_default_str();
  command->callback([&chosen, options] {
    chosen = [options](Session& session) { return RunRevoke(session, *options); };
  });
}

}  // namespace certwright::cli
