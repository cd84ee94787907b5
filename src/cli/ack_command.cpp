// ack.
#include "certwright/base/text.h"
#include "commands.h"

namespace certwright::cli {

namespace {

struct AckOptions {
  std::string name;
  std::string serial;
  std::string consumer;
  bool forget = false;
};

int RunAck(Session& session, const AckOptions& options) {
  json::Value input = json::Value::Object({{"name", options.name}});
  if (!options.consumer.empty()) input.Set("consumer", options.consumer);
  if (options.forget) {
    input.Set("forget", true);
  } else {
    input.Set("serial", options.serial);
  }
  const json::Value output = session.RunCommand("ack", input);
  session.Print(output, [&] {
    const std::string who = Cat(output.String("consumer"), ", ", output.String("name"), ": ");
    if (options.forget) return Cat(who, "forgotten\n");
    return Cat(who, "has loaded ", output.String("serial"),
               output.Bool("behind") ? Cat(", and ", output.String("wanted_serial"), " is held")
                                     : std::string(),
               "\n");
  });
  return 0;
}

}  // namespace

void AddAck(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<AckOptions>();
  CLI::App* command =
      app.add_subcommand("ack", "Say which certificate a consumer has loaded");
  command->footer(
      "\nFor programs that load a certificate by themselves: after it, they say which one.\n"
      "'certwright show NAME' and 'certwright status' tell who is behind what is held. An\n"
      "[[export]] with a reload acknowledges by itself, as export:NAME. For instance:\n"
      "  certwright ack mail.example.org --consumer mail1 \\\n"
      "    $(openssl x509 -in cert.pem -noout -serial | cut -d= -f2)\n"
      "\nExit codes: 0; 2 no such certificate.");
  command->add_option("NAME", options->name, "Host name")->required();
  auto* serial = command->add_option("SERIAL", options->serial, "Of the certificate, hex or decimal");
  command->add_option("--consumer", options->consumer, "Who has loaded it")
      ->type_name("CONSUMER");
  auto* forget = command->add_flag("--forget", options->forget,
                                   "The consumer is no more: forget what it said of NAME");
  forget->excludes(serial);
  command->callback([&chosen, options] {
    if (!options->forget && options->serial.empty()) throw CLI::RequiredError("SERIAL");
    chosen = [options](Session& session) { return RunAck(session, *options); };
  });
}

}  // namespace certwright::cli
