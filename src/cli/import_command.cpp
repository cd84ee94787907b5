// import: reads what another client left, and hands it to the action of that name.
#include "certwright/base/file.h"
#include "certwright/base/text.h"
#include "certwright/config/config.h"
#include "certwright/migrate/document.h"
#include "certwright/migrate/readers.h"
#include "commands.h"

namespace certwright::cli {

namespace {

constexpr std::size_t kMaxAcmeJson = 64 << 20;
constexpr int kNotAll = 3;

struct Source {
  std::string path;
  std::string directory;
  bool dry_run = false;
};

using Reader = migrate::Found (*)(const Path& path, const migrate::Directories& directories);

migrate::Found FromTraefik(const Path& path, const migrate::Directories& directories) {
  return migrate::ReadTraefikAcme(Secret(ReadFile(path, kMaxAcmeJson)), directories);
}

migrate::Found FromCertbot(const Path& path, const migrate::Directories&) {
  return migrate::ReadCertbot(
      migrate::ReadTree(path, {"accounts", "live", "renewal"}, {".json", ".pem", ".conf"}));
}

migrate::Found FromLego(const Path& path, const migrate::Directories& directories) {
  return migrate::ReadLego(
      migrate::ReadTree(path, {"accounts", "certificates"}, {".json", ".crt", ".key"}),
      directories);
}

migrate::Found FromNs8(const Path& path, const migrate::Directories& directories) {
  migrate::Tree tree =
      migrate::ReadTree(path, {"", "acme", "configs", "custom_certificates"},
                        {".json", ".yml", ".yaml", ".crt", ".key", "environment"});
  tree.merge(migrate::ReadTree(path, {"manual_flags"}, {""}));  // named as routes are
  return migrate::ReadNs8Traefik(tree, directories);
}

migrate::Directories DirectoriesOf(const config::Config& config, const Source& source) {
  migrate::Directories directories;
  directories.otherwise = config::DirectoryOf(source.directory);
  directories.known.push_back(config.acme.directory);
  for (const config::CertificateAuthority& ca : config.acme.fallback) {
    directories.known.push_back(ca.directory);
  }
  for (std::string& known : config::KnownDirectories()) {
    directories.known.push_back(std::move(known));
  }
  return directories;
}

std::string Line(const json::Value& entry, const std::string& what) {
  const std::string why = entry.String("why");
  return Cat("  ", entry.String("fate"), "  ", what, why.empty() ? "" : "  (" + why + ")", "\n");
}

std::string ReportText(const json::Value& report) {
  std::string text = report.Bool("dry_run") ? "nothing was stored; this would be done:\n" : "";
  for (const json::Value& account : report["accounts"].Items()) {
    text += Line(account, Cat("account at ", account.String("directory")));
  }
  for (const char* kind : {"certificates", "uploads"}) {
    for (const json::Value& certificate : report[kind].Items()) {
      const std::vector<std::string> names = certificate.Strings("names");
      if (names.empty()) continue;  // told below
      text += Line(certificate,
                   Cat(Join(names, ","), "  valid until ", certificate.String("valid_to")));
    }
  }
  for (const json::Value& route : report["routes"].Items()) {
    text += Line(route, Cat("route ", route.String("instance")));
  }
  for (const json::Value& setting : report["settings"].Items()) {
    text += Line(setting, setting.String("name"));
  }
  for (const json::Value& entry : report["left_out"].Items()) {
    text += Cat("  not taken  ", entry.String("from"), "  (", entry.String("why"), ")\n");
  }
  return text.empty() ? "there was nothing to import\n" : text;
}

int RunImport(Session& session, const Source& source, Reader read) {
  const migrate::Found found = read(source.path, DirectoriesOf(session.config(), source));
  json::Value input = migrate::ToDocument(found);
  if (source.dry_run) input.Set("dry_run", true);
  const json::Value report = session.RunCommand("import", input);
  session.Print(report, [&] { return ReportText(report); });
  if (const std::string warning = report.String("warning"); !warning.empty()) {
    session.Say("warning: " + warning);
  }
  return report["left_out"].Items().empty() ? 0 : kNotAll;
}

void AddSource(CLI::App& import, Chosen& chosen, const std::string& name, const std::string& what,
               const std::string& argument, const std::string& about, Reader read) {
  auto source = std::make_shared<Source>();
  CLI::App* command = import.add_subcommand(name, what);
  command->add_option(argument, source->path, about)->required();
  command->add_flag("--dry-run", source->dry_run, "Only say what would be imported");
  command
      ->add_option("--directory", source->directory,
                   "The CA of what does not say which it is from: a URL, or a short name")
      ->type_name("URL");
  command->callback([&chosen, source, read] {
    chosen = [source, read](Session& session) { return RunImport(session, *source, read); };
  });
}

}  // namespace

void AddImport(CLI::App& app, Chosen& chosen) {
  CLI::App* import =
      app.add_subcommand("import", "Take over accounts and certificates from another client");
  import->require_subcommand(1);
  import->footer(
      "\nNothing is ordered, and nothing of the other client is changed. Each certificate that is\n"
      "valid, and valid for longer than what is here for its names, is served from now on and\n"
      "renewed when it is due, with the account that obtained it: that is taken over where this\n"
      "CA has no account here yet. Expired ones are named and not imported. What is damaged is\n"
      "named, and the rest is imported. Stop the other client's renewals afterwards.\n\n"
      "Exit codes: 0; 3 something could not be taken; 2 there is no such file; 64 it is not what\n"
      "it should be; 77 it may not be read.");
  AddSource(*import, chosen, "traefik-acme", "From the acme.json of Traefik 2 or 3", "FILE",
            "The file that its certificate resolvers store in", FromTraefik);
  AddSource(*import, chosen, "certbot", "From certbot", "DIR",
            "Its configuration directory, /etc/letsencrypt", FromCertbot);
  AddSource(*import, chosen, "lego", "From lego", "DIR", "Its directory, .lego", FromLego);
  AddSource(*import, chosen, "ns8-traefik",
            "Routes, certificates and settings of NethServer 8's traefik module", "DIR",
            "The module's state directory", FromNs8);
}

}  // namespace certwright::cli
