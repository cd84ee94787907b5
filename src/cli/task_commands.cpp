// tasks.
#include "certwright/base/text.h"
#include "commands.h"
#include "text_table.h"

namespace certwright::cli {

namespace {

std::string ListText(const json::Value& output) {
  std::vector<std::vector<std::string>> rows{
      {"ID", "ACTION", "STATUS", "PROGRESS", "EXIT", "CREATED", "CALLER"}};
  for (const json::Value& task : output["tasks"].Items()) {
    const auto code = task["exit_code"].AsInt();
    rows.push_back({task.String("id"), task.String("action"), task.String("status"),
                    Cat(task.Int("progress"), " %"), code ? Cat(*code) : "",
                    task.String("created_at"), task.String("user")});
  }
  return rows.size() == 1 ? "nothing is in the background\n" : TextTable(std::move(rows));
}

std::string TaskText(const json::Value& task) {
  std::vector<std::vector<std::string>> rows;
  for (const json::Member& member : task.Fields()) {
    const auto text = member.second.AsString();
    if (member.second.IsNull() || (text && text->empty())) continue;
    rows.push_back({member.first, text ? *text : json::Write(member.second)});
  }
  return TextTable(std::move(rows));
}

int ShowTask(Session& session, const std::string& id) {
  const json::Value task = session.RunCommand("show-task", json::Value::Object({{"task", id}}));
  session.Print(task, [&] { return TaskText(task); });
  return 0;
}

int CancelTask(Session& session, const std::string& id) {
  const json::Value task = session.RunCommand("cancel-task", json::Value::Object({{"task", id}}));
  session.Print(task, [&]() -> std::string {
    if (!task.Bool("cancelled")) return Cat("it had ended already: ", task.String("status"), "\n");
    return task["ended_at"].IsNull() ? "it was asked to stop\n" : "it will not be begun\n";
  });
  return 0;
}

int ListTasks(Session& session, const std::string& status, int limit) {
  json::Value input = json::Value::Object({{"limit", limit}});
  if (!status.empty()) input.Set("status", status);
  const json::Value output = session.RunCommand("tasks", input);
  session.Print(output, [&] { return ListText(output); });
  return 0;
}

}  // namespace

void AddTasks(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("tasks", "What runs, waits or ran in the background");
  command->footer(
      "\nCalls come into the background by POST /v1/tasks at the daemon's socket. They outlive the\n"
      "daemon; a task that it was at is done again by the next one. What became of a task is kept\n"
      "for 8 hours, without private keys. Without a daemon this shows what is stored.\n\n"
      "Exit codes: 0; 2 no such task.");
  auto status = std::make_shared<std::string>();
  auto limit = std::make_shared<int>(100);
  command->add_option("--status", *status, "Only those")
      ->check(CLI::IsMember({"pending", "running", "completed", "aborted", "validation-failed"}));
  command->add_option("--limit", *limit, "So many at most")->capture_default_str()->type_name("N");
  command->callback([&chosen, command, status, limit] {
    if (!command->get_subcommands().empty()) return;
    chosen = [status, limit](Session& session) { return ListTasks(session, *status, *limit); };
  });
  auto id = std::make_shared<std::string>();
  CLI::App* show = command->add_subcommand("show", "One task, with its input and its result");
  show->add_option("ID", *id, "As 'tasks' lists it")->required();
  show->callback([&chosen, id] {
    chosen = [id](Session& session) { return ShowTask(session, *id); };
  });
  CLI::App* cancel = command->add_subcommand("cancel", "Keep one that waits from being begun");
  cancel->footer(
      "\nOne that runs is asked to stop: it ends where it waits for the CA or for Traefik, and the\n"
      "order goes on. What has ended stays as it is.");
  cancel->add_option("ID", *id, "As 'tasks' lists it")->required();
  cancel->callback([&chosen, id] {
    chosen = [id](Session& session) { return CancelTask(session, *id); };
  });
}

}  // namespace certwright::cli
