// serve, traefik and config.
#include <filesystem>

#include "ca_settings.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/traefik/static.h"
#include "commands.h"
#include "daemon.h"

namespace certwright::cli {

namespace {

int TraefikRender(Session& session) {
  const json::Value output = session.RunCommand("traefik-render", json::Value::Object());
  WriteOut(output.String("configuration") + "\n");  // it is JSON already
  return 0;
}

int TraefikStatic(Session& session) {
  const config::Config config = session.ReadConfig();
  if (config.traefik.dynamic_dir.empty()) {
    throw Error(FailureCode::kConfig, "Traefik is not configured",
                "set traefik.dynamic_dir in the configuration");
  }
  traefik::StaticConfiguration configuration;
  configuration.http_entrypoint = config.traefik.http_entrypoint;
  configuration.https_entrypoint = config.traefik.https_entrypoint;
  configuration.api = config.traefik.api;
  configuration.dynamic_dir = config.traefik.dynamic_dir;
  configuration.trusted_proxies =
      session.RunCommand("get-trusted-proxies", json::Value::Object()).Strings("proxies");
  WriteOut(traefik::RenderStatic(configuration));
  return 0;
}

int TraefikCheck(Session& session) {
  const json::Value output = session.RunCommand("traefik-check", json::Value::Object());
  session.Print(output, [&] {
    std::string text = Cat("written  ", output.Bool("written") ? "yes" : "no", "\nlive     ",
                           output.Bool("live") ? "yes" : "no", "\n");
    if (!output.String("problem").empty()) text += Cat("problem  ", output.String("problem"), "\n");
    for (const json::Value& entry : output["certificates"].Items()) {
      const std::string problem = entry.String("problem");
      const char* state = !problem.empty()       ? "WRONG    "
                          : entry.Bool("served") ? "ok       "
                          : entry.Bool("loaded") ? "loaded   "
                                                 : "unseen   ";
      text += Cat(state, entry.String("name"), "  serial ", entry.String("wanted_serial"),
                  problem.empty() ? "" : ": ", problem, "\n");
    }
    for (const json::Value& entry : output["routes"].Items()) {
      const std::string problem = entry.String("problem");
      text += Cat(problem.empty() ? "ok       " : "WRONG    ", "route ", entry.String("instance"),
                  "  ", entry.String("rule"), problem.empty() ? "" : ": ", problem, "\n");
    }
    for (const std::string& note : output.Strings("notes")) text += Cat("note     ", note, "\n");
    return text;
  });
  return output.Bool("ok") ? 0 : 1;
}

// A wrong file is 1; a good one that names what is not there is 78, as it is for what needs that.
int ConfigCheck(Session& session) {
  config::Config config;
  try {
    config = session.ReadConfig();
  } catch (...) {
    session.Report(CurrentFailure());
    return 1;
  }
  app::CheckFiles(config);
  const std::string file =
      config.file.empty() ? "no file: the defaults hold" : config.file.string();
  const std::vector<std::string> notes = app::NotesOn(config);
  session.Print(
      json::Value::Object({{"ok", true}, {"file", config.file.string()}, {"notes", notes}}), [&] {
        std::string text = Cat("ok: ", file, "\n");
        for (const std::string& note : notes) text += Cat("note: ", note, "\n");
        return text;
      });
  return 0;
}

// What an action set in place of the file. Asked only where somebody may have: a look at the
// configuration makes no store.
void OverlayActions(Session& session, config::Config& config) {
  std::error_code error;
  if (!std::filesystem::exists(config.state_dir / "certwright.db", error)) return;
  try {
    const json::Value server = session.RunCommand("get-acme-server", json::Value::Object());
    const auto overlay = [&](const char* key, const std::string& configured, const char* member) {
      const std::string value = server.String(member);
      if (value != configured) {
        config.origins[key] = {json::Write(value), "set-acme-server"};
      }
    };
    overlay("acme.directory", config.acme.directory, "url");
    overlay("acme.email", config.acme.email, "email");
  } catch (const Error& error) {
    session.Say(Cat("what set-acme-server set is not known: ", error.what()));
  }
}

int ConfigShow(Session& session) {
  config::Config config;
  try {
    config = session.ReadConfig();
  } catch (...) {
    session.Report(CurrentFailure());
    return 1;
  }
  OverlayActions(session, config);
  json::Value document = json::Value::Object();
  std::string text;
  for (const auto& [key, origin] : config.origins) {
    document.Set(key, json::Value::Object({{"value", origin.value}, {"source", origin.source}}));
    text += Cat(key, " = ", origin.value, "  # ", origin.source, "\n");
  }
  session.Print(document, [&] { return text; });
  return 0;
}

void AddSimple(CLI::App& parent, const char* name, const char* description, Chosen& chosen,
               Chosen action) {
  parent.add_subcommand(name, description)->callback([&chosen, action] { chosen = action; });
}

CLI::App* AddGroup(CLI::App& app, const char* name, const char* description) {
  CLI::App* group = app.add_subcommand(name, description);
  group->require_subcommand(1);
  return group;
}

}  // namespace

void AddServe(CLI::App& app, Chosen& chosen) {
  CLI::App* command =
      app.add_subcommand("serve", "Be the daemon: API, challenges, Traefik, events");
  command->footer(
      "\nTells systemd when it is ready. SIGTERM ends it in order (orders under way are kept and\n"
      "carried on by the next start); SIGHUP reads the configuration again.");
  command->callback([&chosen] {
    chosen = [](Session& session) {
      app::Serve(session.ReadConfig(), [&session] { return session.ReadConfig(); });
      return 0;
    };
  });
}

void AddAdministration(CLI::App& app, Chosen& chosen) {
  CLI::App* traefik = AddGroup(app, "traefik", "What Traefik is given, and whether it serves it");
  AddSimple(*traefik, "render", "Print the dynamic configuration", chosen, TraefikRender);
  AddSimple(*traefik, "check",
            "Ask Traefik for each route and look by TLS at each certificate (exit 1: not served)",
            chosen, TraefikCheck);
  AddSimple(*traefik, "static", "Print a static configuration for Traefik that fits this one",
            chosen, TraefikStatic);
  traefik->get_subcommand("static")->footer(
      "\nPorts 80 and 443, the API, the watched directory, and the proxies of set-trusted-proxies.\n"
      "It is JSON, which Traefik reads as YAML:\n"
      "  certwright traefik static > /etc/traefik/traefik.yml\n"
      "Traefik reads it only when it starts: start it again after set-trusted-proxies.");

  CLI::App* config = AddGroup(app, "config", "The configuration");
  AddSimple(*config, "check",
            "Whether the file is good (exit 1: it is not; 78: what it names is not there)", chosen,
            ConfigCheck);
  AddSimple(*config, "show", "Every value in force and where it came from", chosen, ConfigShow);
}

}  // namespace certwright::cli
