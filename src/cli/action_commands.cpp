// action and run: the doors of the contract (contract.md, "How an action is called").
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "agent_channel.h"
#include "certwright/base/text.h"
#include "commands.h"

namespace certwright::cli {

namespace {

constexpr std::size_t kMaxInput = 1 << 20;

std::string ReadStdin() {
  std::string text;
  char buffer[65536];
  ssize_t count = 0;
  while ((count = read(STDIN_FILENO, buffer, sizeof(buffer))) != 0) {
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error(FailureCode::kInput, "standard input cannot be read");
    text.append(buffer, static_cast<std::size_t>(count));
    if (text.size() > kMaxInput) {
      throw Error(FailureCode::kInput, "the input is larger than 1 MiB");
    }
  }
  return text;
}

constexpr int kBadInput = 10;  // contract.md, "How an action is called"

int RunAction(Session& session, const std::string& name, std::string input, bool as_client,
              AgentChannel& agent) {
  const bool nothing_came = !as_client && Trim(input).empty();
  actions::Call call;
  call.action = name;
  call.input = std::move(input);
  if (const char* user = std::getenv("AGENT_TASK_USER")) call.caller = user;
  if (const char* verify = std::getenv("UPLOAD_CERTIFICATE_VERIFY_TYPE")) {
    call.upload_verify = verify;
  }
  model::ProgressSink progress;
  if (agent.open()) {
    progress = [&](const model::Progress& step) { agent.SetProgress(step.percent); };
  }
  actions::Result result;
  try {
    result = session.Run(std::move(call), progress);
  } catch (...) {
    return session.Report(actions::PlainFailure(CurrentFailure()));
  }
  if (result.status == "validation-failed") agent.SetStatus(result.status);
  if (result.output) {
    WriteOut(json::Write(*result.output) + "\n");
  } else if (as_client) {
    WriteOut("\"\"\n");
  }
  // What is on standard error becomes a task's `error`: plain like those in the output.
  if (result.failure && result.exit_code != 0) {
    session.Report(actions::PlainFailure(*result.failure));
  } else if (!result.error.empty()) {
    std::fprintf(stderr, "%s\n", actions::PlainText(result.error).c_str());
  }
  if (nothing_came && result.exit_code == kBadInput) {
    std::fprintf(
        stderr, "%s\n",
        actions::PlainText(Cat("standard input was empty: ", name, " expects its JSON input there"))
            .c_str());
  }
  return result.exit_code;
}

}  // namespace

void AddActions(CLI::App& app, Chosen& chosen) {
  auto action = std::make_shared<std::string>();
  CLI::App* by_stdin =
      app.add_subcommand("action", "Run an action: its JSON input on standard input");
  by_stdin->footer(
      "\nAs the step of a node's agent calls it: AGENT_TASK_USER names the caller, AGENT_COMFD "
      "the\n"
      "descriptor for status lines. Exit codes are the action's own: 0; 10 the input breaks its\n"
      "schema; 8 no such action; 7 denied; 3 not obtained.");
  by_stdin->add_option("ACTION", *action, "For instance set-certificate")->required();
  by_stdin->callback([&chosen, action] {
    chosen = [action](Session& session) {
      AgentChannel agent;
      return RunAction(session, *action, ReadStdin(), false, agent);
    };
  });

  auto run = std::make_shared<std::string>();
  auto data = std::make_shared<std::string>("null");
  CLI::App* by_argument = app.add_subcommand("run", "Run an action: its JSON input as --data");
  by_argument->footer("\nPrints the output as compact JSON, \"\" where there is none.");
  by_argument->add_option("ACTION", *run, "For instance get-certificate")->required();
  by_argument->add_option("--data", *data, "JSON")->capture_default_str();
  by_argument->callback([&chosen, run, data] {
    chosen = [run, data](Session& session) {
      AgentChannel agent;
      return RunAction(session, *run, *data, true, agent);
    };
  });
}

}  // namespace certwright::cli
