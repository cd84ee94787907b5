#include "certwright/base/text.h"
#include "commands.h"

namespace certwright::cli {

namespace {

int RunActivate(Session& session, const std::string& serial) {
  const json::Value output =
      session.RunCommand("activate", json::Value::Object({{"serial", serial}}));
  session.Print(output, [&] {
    const json::Value& certificate = output["certificate"];
    return Cat(output.Bool("activated") ? "activated: " : "current already: ",
               certificate.String("serial"), " (", Join(certificate.Strings("names"), ", "),
               ")\n  valid until  ", certificate.String("valid_to"), "\n");
  });
  if (output.Has("warning")) session.Say(Cat("warning: ", output.String("warning")));
  return 0;
}

}  // namespace

void AddActivate(CLI::App& app, Chosen& chosen) {
  auto serial = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("activate", "Make a version that is kept the current one again");
  command->footer(
      "\n'certwright show NAME' lists the versions. One that is revoked, out of its time, or\n"
      "whose key does not belong to it is refused. From then on the version is served, and\n"
      "renewed when its own time has come.\n\nExit codes: 0; 2 not found; 3 refused.");
  command->add_option("SERIAL", *serial, "Its serial, hex or decimal")->required();
  command->callback([&chosen, serial] {
    chosen = [serial](Session& session) { return RunActivate(session, *serial); };
  });
}

}  // namespace certwright::cli
