#include "certwright/base/encoding.h"
#include "certwright/base/text.h"
#include "commands.h"

namespace certwright::cli {

namespace {

constexpr std::size_t kMaxFile = 512 << 10;

struct UploadOptions {
  std::string cert;
  std::string chain;
  std::string key;
  std::string verify;
};

int RunUpload(Session& session, const UploadOptions& options) {
  std::string chain = ReadFile(options.cert, kMaxFile);
  if (!options.chain.empty()) chain += "\n" + ReadFile(options.chain, kMaxFile);
  actions::Call call;
  call.action = "upload-certificate";
  call.input = json::Write(json::Value::Object(
      {{"certFile", Base64(chain)}, {"keyFile", Base64(ReadFile(options.key, kMaxFile))}}));
  call.upload_verify = options.verify;
  const actions::Result result = session.Run(std::move(call));
  if (result.exit_code != 0) {
    Failure failure;
    failure.code = FailureCode::kInput;
    failure.detail = result.error;
    session.Report(result.failure.value_or(failure));
    return result.exit_code;
  }
  if (!result.error.empty()) session.Say(result.error);
  session.Print(json::Value::Object({{"uploaded", true}}), [] { return "uploaded\n"; });
  return 0;
}

}  // namespace

void AddUpload(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<UploadOptions>();
  CLI::App* command =
      app.add_subcommand("upload", "Serve a certificate that came from elsewhere");
  command->footer(
      "\nIt is known by its common name (without one by its first name): a second one with the same\n"
      "takes its place, and 'certwright delete custom_certificates/NAME.crt' removes it. Nothing\n"
      "renews it. For exactly the same names it goes before a certificate of a CA, which is served\n"
      "again once the upload is deleted.\n\n"
      "Exit codes: 0; 2 the key is no good; 3 the key is another certificate's; 4 the certificate is\n"
      "no good; 5 it has no name; 33 no trusted root leads to it; 34 it leads to no self-signed one.");
  command->add_option("--cert", options->cert, "PEM file: the certificate, then its intermediates")
      ->required();
  command->add_option("--chain", options->chain, "PEM file of the intermediates, where it is another");
  command->add_option("--key", options->key, "PEM file of the key, without a passphrase")
      ->required();
  command
      ->add_option("--verify", options->verify,
                   "What it must lead to, in place of upload.verify: a root that is trusted, a "
                   "self-signed certificate beside it, or nothing")
      ->check(CLI::IsMember({"chain", "selfsign", "none"}));
  command->callback([&chosen, options] {
    chosen = [options](Session& session) { return RunUpload(session, *options); };
  });
}

}  // namespace certwright::cli
