// doctor.
#include "certwright/base/text.h"
#include "commands.h"

namespace certwright::cli {

namespace {

constexpr int kProblems = 1;

std::string DoctorText(const json::Value& output) {
  std::string text;
  int problems = 0;
  for (const json::Value& one : output["findings"].Items()) {
    const std::string state = one.String("state");
    const bool problem = state == "problem";
    problems += problem;
    text += Cat(problem ? "PROBLEM  " : state == "ok" ? "ok       " : "unknown  ",
                one.String("check"), "  ", one.String("subject"), ": ", one.String("saw"), "\n");
    const std::string advice = one.String("advice");
    if (!advice.empty()) text += Cat("         what to do: ", advice, "\n");
  }
  return text + (problems == 0   ? "no problem was found\n"
                 : problems == 1 ? "1 problem\n"
                                 : Cat(problems, " problems\n"));
}

int RunDoctor(Session& session, const std::vector<std::string>& names) {
  json::Value input = json::Value::Object();
  if (!names.empty()) input.Set("names", names);
  const json::Value output = session.RunCommand("doctor", input);
  session.Print(output, [&] { return DoctorText(output); });
  return output.Bool("ok") ? 0 : kProblems;
}

}  // namespace

void AddDoctor(CLI::App& app, Chosen& chosen) {
  auto names = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand(
      "doctor", "Look as the CA will look, and say what is wrong and what to do");
  command->footer(
      "\nIn this order: disk and permissions; each CA, the clock, the account; Traefik's entry points\n"
      "and its route of the challenges, with a token of ours through it; then of each name CAA\n"
      "(RFC 8659, RFC 8657), A and AAAA records, and a token of ours at every address, by the rules\n"
      "that CAs have for redirects; then whether the files of each export are what they should be.\n"
      "Orders nothing. Without names: those that a CA is asked for.\n"
      "'unknown' is what cannot be told from here: from behind a router that does not lead back the\n"
      "public address says nothing. The scheduler looks the same way at what keeps failing.\n\n"
      "Exit codes: 0 no problem; 1 problems.");
  command->add_option("NAME", *names, "Host names or IP addresses");
  command->callback([&chosen, names] {
    chosen = [names](Session& session) { return RunDoctor(session, *names); };
  });
}

}  // namespace certwright::cli
