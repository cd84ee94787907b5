#include <unistd.h>

#include <optional>

#include "certwright/base/encoding.h"
#include "certwright/base/file.h"
#include "certwright/base/text.h"
#include "certwright/export/bundle.h"
#include "certwright/export/self_signed.h"
#include "commands.h"

namespace certwright::cli {

namespace {

constexpr mode_t kKeyMode = 0600;
constexpr mode_t kPublicMode = 0644;

struct ExportOptions {
  std::string certificate;
  std::string format = "pem";
  std::string file;
  std::string dir;
  std::string password_file;
};

// certbot's names, which other programs' documentation speaks of. The key first, and what is read
// with it next: see WritePair.
struct DirFile {
  const char* member;
  const char* name;
  mode_t mode;
};
constexpr DirFile kDirFiles[] = {
    {"key", "privkey.pem", kKeyMode},
    {"fullchain", "fullchain.pem", kPublicMode},
    {"cert", "cert.pem", kPublicMode},
    {"chain", "chain.pem", kPublicMode},
};

json::Value Ask(Session& session, const ExportOptions& options, const std::string& format) {
  json::Value input =
      json::Value::Object({{"certificate", options.certificate}, {"format", format}});
  if (!options.password_file.empty()) {
    input.Set("password", Trim(ReadFile(options.password_file, 1024)));
  }
  return session.RunCommand("export", input);
}

std::string Content(const json::Value& output) {
  const std::optional<std::string> content = FromBase64(output.String("content"));
  if (content) return *content;
  throw Error(FailureCode::kInternal, "the export came back damaged");
}

int ExportToDir(Session& session, const ExportOptions& options) {
  const json::Value bundle = json::Parse(Content(Ask(session, options, "json")), {1 << 22, 32});
  const Path dir = options.dir;
  std::vector<exports::OutputFile> files;
  for (const DirFile& file : kDirFiles) {
    files.push_back({dir / file.name, Secret(bundle.String(file.member)), file.mode});
  }
  exports::WriteTogether(files);
  for (const exports::OutputFile& file : files) session.Say(file.path.string());
  return 0;
}

int RunExport(Session& session, const ExportOptions& options) {
  if (!options.dir.empty()) return ExportToDir(session, options);
  const json::Value output = Ask(session, options, options.format);
  const std::string content = Content(output);
  if (!options.file.empty()) {
    exports::WriteTogether(
        {{options.file, Secret(content), output.Bool("has_key") ? kKeyMode : kPublicMode}});
    session.Say(options.file);
    return 0;
  }
  const bool binary = options.format == "der" || options.format == "pkcs12";
  if (binary && isatty(STDOUT_FILENO) == 1) {
    throw Error(FailureCode::kUsage, Cat(options.format, " is binary: not written to a terminal"),
                "use -o FILE");
  }
  session.Print(output, [&] { return content; });
  return 0;
}

struct PairOptions {
  std::string fqdn;
  std::string cert_file;
  std::string key_file;
};

Failure FailureOf(const actions::Result& result) {
  if (result.failure) return *result.failure;
  Failure failure;  // the schema of the input was broken: there is a text only
  failure.code = FailureCode::kInput;
  failure.detail = result.error;
  return failure;
}

// A link that leads nowhere is there too: it would be replaced like a file.
bool IsThere(const Path& path) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::symlink_status(path, error));
}

// The pair that was obtained, or nullopt. Throws where that cannot be known.
std::optional<model::CertificateVersion> AskForPair(Session& session, const std::string& fqdn) {
  actions::Call call;
  call.action = "get-certificate";
  call.input = json::Write(json::Value::Object({{"fqdn", fqdn}}));
  const actions::Result result = session.Run(std::move(call));
  if (result.exit_code != 0) throw Error(FailureOf(result));
  if (!result.output || !result.output->Bool("obtained")) return std::nullopt;
  const json::Value& first = (*result.output)["certificates"].Items().at(0);
  model::CertificateVersion pair;
  pair.chain_pem = FromBase64(first.String("cert")).value_or("");
  pair.key_pem = Secret(FromBase64(first.String("key")).value_or(""));
  return pair;
}

// A certificate for the key that is there alone.
void WriteCertificateFor(const PairOptions& options) {
  constexpr std::size_t kMaxKeyBytes = 64 * 1024;
  const Secret key(ReadFile(options.key_file, kMaxKeyBytes));
  const model::CertificateVersion made = exports::SelfSignedFor(options.fqdn, key);
  exports::WriteTogether({{options.cert_file, Secret(made.chain_pem), kPublicMode}});
}

// A file that is there alone stays as it is: to a key a certificate can be made, to a certificate no
// key. `why` nothing was obtained is told with what hinders.
void WriteSelfSigned(const PairOptions& options, Failure why) {
  const bool cert_there = IsThere(options.cert_file);
  if (!cert_there && !IsThere(options.key_file)) {
    exports::WritePair(options.cert_file, options.key_file, exports::SelfSignedFor(options.fqdn));
    return;
  }
  const std::string there = Printable(cert_there ? options.cert_file : options.key_file);
  try {
    if (!cert_there) return WriteCertificateFor(options);
    throw Error(FailureCode::kInput,
                Cat(there, " is there and its key ", Printable(options.key_file), " is not"));
  } catch (const Error& error) {
    why.detail = Cat(why.detail, "; ", there, " stays, and no certificate was made: ", error.what());
    why.advice = Cat(why.advice, why.advice.empty() ? "" : "; or ", "move ", there,
                     " away where a self-signed pair will do");
    throw Error(std::move(why));
  }
}

// By whatever way they are named.
bool IsOneFile(const Path& a, const Path& b) {
  std::error_code error;
  if (std::filesystem::equivalent(a, b, error)) return true;
  return std::filesystem::weakly_canonical(a, error) == std::filesystem::weakly_canonical(b, error);
}

// contract.md, "Command get-certificate": 0 saved, 3 unchanged, 1 error; what is self-signed never
// takes the place of a file that is there.
int GetCertificateFiles(Session& session, const PairOptions& options) {
  try {
    if (IsOneFile(options.cert_file, options.key_file)) {
      throw Error(FailureCode::kUsage, "certificate and key would be one file",
                  "name two files; 'certwright export --format combined' makes one of both");
    }
    const bool both_there = IsThere(options.cert_file) && IsThere(options.key_file);
    Failure nothing;
    nothing.code = FailureCode::kNotFound;
    nothing.detail = Cat("nothing was obtained for ", Printable(options.fqdn));
    try {
      if (const auto pair = AskForPair(session, options.fqdn)) {
        return exports::WritePair(options.cert_file, options.key_file, *pair) ? 0 : 3;
      }
    } catch (const Error& error) {
      if (both_there) throw;
      nothing = error.failure();
    }
    if (both_there) {
      session.Say(Cat(nothing.detail, "; the files stay"));
      return 3;
    }
    WriteSelfSigned(options, nothing);
    session.Say(Cat("certwright: ", nothing.detail, "; a self-signed certificate was written"));
    return 0;
  } catch (...) {
    session.Report(CurrentFailure());
    return 1;
  }
}

}  // namespace

void AddExport(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand("export", "Write a certificate for other programs");
  command->footer(
      "\nFormats: pem (certificate, chain and key), fullchain, cert, chain, key, combined (key\n"
      "first), haproxy, pkcs12, der (the certificate alone), json. Files are replaced atomically;\n"
      "those with a key are 0600. --dir writes cert.pem, chain.pem, fullchain.pem and privkey.pem.\n"
      "What is to stay up to date belongs into the configuration as [[export]].\n"
      "\nExit codes: 0; 2 not found.");
  command
      ->add_option("NAME", options->certificate,
                   "A name, the exact names joined by commas, or a serial")
      ->required();
  command->add_option("--format", options->format, "Form of the output")
      ->check(CLI::IsMember(exports::FormatNames()))
      ->capture_default_str();
  auto* file = command->add_option("-o,--output", options->file, "Into this file");
  command->add_option("--dir", options->dir, "Into this directory, as four files")
      ->check(CLI::ExistingDirectory)
      ->excludes(file);
  command->add_option("--password-file", options->password_file, "Holds the password of pkcs12")
      ->check(CLI::ExistingFile);
  command->callback([&chosen, options] {
    chosen = [options](Session& session) { return RunExport(session, *options); };
  });
}

void AddGetCertificate(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<PairOptions>();
  CLI::App* command =
      app.add_subcommand("get-certificate", "Keep a certificate and key file up to date");
  command->footer(
      "\nWhere nothing was obtained and neither file is there, a self-signed pair is written. A file\n"
      "that is there is never replaced by one: a key that is there alone gets a self-signed\n"
      "certificate of its own, a certificate alone is an error.\n\n"
      "Exit codes: 0 saved or updated; 3 unchanged; 1 error.");
  command->add_option("--cert-file", options->cert_file, "Chain in PEM, leaf first")->required();
  command->add_option("--key-file", options->key_file, "Key in PEM, 0600")->required();
  command->add_option("FQDN", options->fqdn, "Host name")->required();
  command->callback([&chosen, options] {
    chosen = [options](Session& session) { return GetCertificateFiles(session, *options); };
  });
}

}  // namespace certwright::cli
