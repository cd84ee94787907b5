#include <unistd.h>

#include <cstdlib>
#include <set>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/config/config.h"
#include "certwright/model/identifier.h"
#include "reader.h"

namespace certwright::config {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr char kSocketName[] = "certwright.sock";

Path IfAbsolute(const std::string& text) { return Path(text).is_absolute() ? Path(text) : Path(); }

// Everything that does not depend on another key.
Config Defaults(const Environment& environment) {
  Config config;
  config.acme.directory = ResolveDirectory("letsencrypt");
  config.events_dir = "/etc/certwright/events";
  if (environment.root) {
    config.state_dir = "/var/lib/certwright";
    config.runtime_dir = "/run/certwright";
    return config;
  }
  Path state = IfAbsolute(environment.xdg_state_home);
  if (state.empty()) {
    const Path home = IfAbsolute(environment.home);
    if (home.empty()) {
      throw Error(FailureCode::kConfig,
                  "neither XDG_STATE_HOME nor HOME is set: there is no place for the state",
                  "set HOME, or state_dir in a configuration file");
    }
    state = home / ".local" / "state";
  }
  config.state_dir = state / "certwright";
  const Path runtime = IfAbsolute(environment.xdg_runtime_dir);
  if (!runtime.empty()) config.runtime_dir = runtime / "certwright";
  return config;
}

// The host as the name of a certificate; "" where it is an address or none.
std::string HostName(const std::string& host) {
  try {
    const model::Identifier name = model::ParseIdentifier(host);
    return name.type == model::IdentifierType::kDns ? name.value : "";
  } catch (const Error&) {
    return "";
  }
}

// What follows from other keys where the file does not say it.
void Derive(Config& config) {
  if (config.runtime_dir.empty()) config.runtime_dir = config.state_dir / "run";
  if (config.traefik.certificate_dir.empty()) {
    config.traefik.certificate_dir = config.state_dir / "traefik";
  }
  if (config.api_sockets.empty()) {
    ApiSocket socket;
    socket.path = config.runtime_dir / kSocketName;
    config.api_sockets.push_back(socket);
  }
  for (Export& each : config.exports) {
    if (!each.dir.has_filename()) each.dir = each.dir.parent_path();  // "tls/"
    if (each.name.empty()) each.name = each.target().string();
  }
  for (Served& each : config.served) {
    if (each.name.empty()) each.name = HostName(each.host);
  }
}

// The rules between the keys of one CA. `prefix`: "acme", or that of the fall-backs.
void CheckAuthority(const CertificateAuthority& ca, bool allow_http, const std::string& prefix,
                    Reader& reader) {
  const auto complain = [&](const std::string& key, const std::string& text) {
    if (prefix == kFallbackTable) {
      reader.Complain({prefix}, Cat(Printable(ca.directory), ": ", key, " ", text));
    } else {
      reader.Complain({Cat(prefix, ".", key)}, text);
    }
  };
  if (IsHttp(ca.directory)) {
    if (!IsLoopbackUrl(ca.directory)) {
      complain("directory", "must be https: what the CA says decides what is stored");
    } else if (!allow_http) {
      complain("directory",
               "is plain http; that needs acme.allow_http_loopback = true (tests only)");
    }
  }
  if (ca.eab_kid.empty() != ca.eab_hmac_key_file.empty()) {
    const bool no_kid = ca.eab_kid.empty();
    complain(no_kid ? "eab_hmac_key_file" : "eab_kid",
             Cat("is set and ", no_kid ? "eab_kid" : "eab_hmac_key_file",
                 " is not; the CA gave both"));
  }
}

void CheckWebhook(const Webhook& hook, Reader& reader) {
  const auto complain = [&](const std::string& text) {
    reader.Complain({kWebhookTable}, Cat(Printable(hook.url), ": ", text));
  };
  if (IsHttp(hook.url) && !(hook.allow_private && IsLoopbackUrl(hook.url))) {
    complain("url must be https; plain http is for this machine only, with allow_private = true");
  }
  if (hook.secret_file.empty()) complain("has no secret_file; the receiver checks the signature");
}

// What is wrong between the keys of one export, "" where all is well.
std::string ProblemOf(const Export& each) {
  if (each.dir.empty() == each.path.empty()) return "needs a dir or a path, and not both";
  if (!each.path.empty() && each.names.size() > 1) {
    return "has several names for one path; give it a dir, or each name an export of its own";
  }
  if (!each.password_file.empty() && each.format != "pkcs12") {
    return Cat("has a password_file, which format ", each.format, " has no use for");
  }
  const bool has_key =
      each.format != "fullchain" && each.format != "cert" && each.format != "chain" &&
      each.format != "der";
  if (has_key && each.mode && (*each.mode & 0007) != 0) {
    return "has a mode that lets everybody read a private key; name a group, and mode \"0640\"";
  }
  return "";
}

void CheckExports(const std::vector<Export>& exports, Reader& reader) {
  std::set<std::string> targets;
  std::set<std::string> names;
  for (const Export& each : exports) {
    std::string problem = ProblemOf(each);
    if (problem.empty() && !targets.insert(each.target().string()).second) {
      problem = "has the target of another export; each needs its own";
    } else if (problem.empty() && !names.insert(each.name).second) {
      problem = "has the name of another export; each needs its own";
    }
    if (!problem.empty()) {
      reader.Complain({kExportTable}, Cat("the export ",
                                          each.name.empty() ? Join(each.names, ", ")
                                                            : Printable(each.name),
                                          " ", problem));
    }
  }
}

void CheckServed(const std::vector<Served>& served, Reader& reader) {
  for (const Served& each : served) {
    if (!each.name.empty()) continue;
    reader.Complain({kServedTable}, Cat("the host ", Printable(each.host),
                                        " is no name that a certificate can have; add name"));
  }
}

// The rules between keys.
void CheckTogether(const Config& config, Reader& reader) {
  CheckAuthority(config.acme, config.acme.allow_http_loopback, "acme", reader);
  for (const auto& fallback : config.acme.fallback) {
    CheckAuthority(fallback, config.acme.allow_http_loopback, kFallbackTable, reader);
    if (fallback.directory == config.acme.directory) {
      reader.Complain({kFallbackTable},
                      "names acme.directory once more; a fall-back is another CA");
    }
  }
  for (const auto& hook : config.events_webhooks) CheckWebhook(hook, reader);
  const auto& traefik = config.traefik;
  if (!traefik.dynamic_dir.empty() && traefik.dynamic_dir == traefik.certificate_dir) {
    reader.Complain({"traefik.certificate_dir", "traefik.dynamic_dir"},
                    "traefik.certificate_dir is traefik.dynamic_dir; each file there makes Traefik "
                    "read everything again: name another directory");
  }
  CheckExports(config.exports, reader);
  CheckServed(config.served, reader);
}

void FillOrigins(Config& config) {
  const auto fill = [&](const std::string& name, std::string value) {
    auto& origin = config.origins[name];
    origin.value = std::move(value);
    if (origin.source.empty()) origin.source = "default";
  };
  for (const auto& key : ConfigKeys()) fill(key.name, key.show(config));
  fill(kSocketTable, SocketsText(config));
  fill(kFallbackTable, FallbacksText(config));
  fill(kWebhookTable, WebhooksText(config));
  fill(kExportTable, ExportsText(config));
  fill(kServedTable, ServedText(config));
}

toml::table ParseFile(const Path& file, std::string_view named_by) {
  std::string text;
  try {
    text = ReadFile(file, kMaxBytes);
  } catch (const Error& error) {
    const bool missing = error.failure().code == FailureCode::kNotFound;
    throw Error(
        FailureCode::kConfig,
        Cat("the configuration file ", Printable(file.string()), " (named by ", named_by, ") ",
            missing ? "is not there" : Cat("cannot be read: ", error.failure().detail)),
        missing ? "correct the path; without any file the defaults hold" : "let this user read it");
  }
  try {
    return toml::parse(text, file.string());
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    throw Error(FailureCode::kConfig,
                Cat(Printable(file.string()), ":", at.line, ":", at.column,
                    ": is not TOML: ", Printable(error.description())),
                "correct this line; texts stand in quotes: key = \"value\"");
  }
}

}  // namespace

Environment ProcessEnvironment() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  Environment environment;
  environment.root = geteuid() == 0;
  environment.config_file = variable("CERTWRIGHT_CONFIG");
  environment.xdg_state_home = variable("XDG_STATE_HOME");
  environment.xdg_runtime_dir = variable("XDG_RUNTIME_DIR");
  environment.home = variable("HOME");
  return environment;
}

Config Load(const std::optional<Path>& file) { return Load(file, ProcessEnvironment()); }

Config Load(const std::optional<Path>& file, const Environment& environment) {
  Path chosen;
  std::string_view named_by;
  std::error_code ignored;
  if (file) {
    chosen = *file;
    named_by = "--config";
  } else if (!environment.config_file.empty()) {
    chosen = environment.config_file;
    named_by = "CERTWRIGHT_CONFIG";
  } else if (std::filesystem::exists(environment.standard_file, ignored) || ignored) {
    chosen = environment.standard_file;
    named_by = "default";
  }

  Config config = Defaults(environment);
  if (named_by.empty()) {
    Derive(config);
    FillOrigins(config);
    return config;
  }
  const toml::table root = ParseFile(chosen, named_by);
  Reader reader(Printable(chosen.string()), std::filesystem::absolute(chosen).parent_path(),
                config);
  reader.Read(root);
  Derive(config);
  CheckTogether(config, reader);
  reader.ThrowProblems();
  FillOrigins(config);
  config.file = chosen;
  return config;
}

std::vector<KeyInfo> KnownKeys() {
  Config config = Defaults(Environment{});
  Derive(config);
  std::vector<KeyInfo> keys;
  for (const auto& key : ConfigKeys())
    keys.push_back({key.name, key.show(config), key.description});
  for (const auto& key : SocketKeys()) {
    keys.push_back(
        {Cat(kSocketTable, ".", key.name), key.show(config.api_sockets.front()), key.description});
  }
  for (const auto& key : CaKeys()) {
    keys.push_back({Cat(kFallbackTable, ".", key.name), key.show(CertificateAuthority{}),
                    key.description});
  }
  for (const auto& key : WebhookKeys()) {
    keys.push_back({Cat(kWebhookTable, ".", key.name), key.show(Webhook{}), key.description});
  }
  for (const auto& key : ExportKeys()) {
    keys.push_back({Cat(kExportTable, ".", key.name), key.show(Export{}), key.description});
  }
  for (const auto& key : ServedKeys()) {
    keys.push_back({Cat(kServedTable, ".", key.name), key.show(Served{}), key.description});
  }
  return keys;
}

}  // namespace certwright::config
