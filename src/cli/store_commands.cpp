// backup and restore.
#include "certwright/base/text.h"
#include "certwright/store/backup.h"
#include "commands.h"

namespace certwright::cli {

namespace {

int RunBackup(Session& session, const std::string& file, bool force) {
  json::Value input =
      json::Value::Object({{"file", std::filesystem::absolute(file).lexically_normal().string()}});
  if (force) input.Set("force", true);
  const json::Value output = session.RunCommand("backup", input);
  session.Print(output, [&] {
    return Cat("backed up: ", output.String("file"), ", ", output.Int("bytes"), " bytes, schema ",
               output.Int("schema"), "\n");
  });
  session.Say("it holds every private key: keep it as safe as the store itself");
  return 0;
}

std::string RestoredText(const store::RestoreReport& report, const std::string& file) {
  std::string text = Cat("restored: ", Printable(file), "\n");
  if (!report.former.empty()) {
    text += Cat("  the former store is  ", Printable(report.former.string()), "\n");
  }
  for (const std::string& name_set : report.differing) text += Cat("  differs  ", name_set, "\n");
  return text;
}

int RunRestore(Session& session, const std::string& file) {
  store::RestoreReport report;
  try {
    report = store::Restore(session.config().state_dir, file, SystemClock().Now());
  } catch (const Error& error) {
    Failure failure = error.failure();
    if (failure.code != FailureCode::kBusy) throw;
    failure.advice = "stop the daemon (systemctl stop certwright), restore, then start it again";
    throw Error(std::move(failure));
  }
  session.Print(json::Value::Object({{"file", file},
                                     {"schema", report.schema},
                                     {"former", report.former.string()},
                                     {"differing", report.differing},
                                     {"unreadable", report.unreadable}}),
                [&] { return RestoredText(report, file); });
  if (!report.unreadable.empty()) {
    session.Say(Cat("warning: the former store could not be read (", report.unreadable,
                    "): what it knew of orders and of events is not carried over"));
  }
  session.Say("the next start tells every subscriber what differs");
  return 0;
}

}  // namespace

void AddStore(CLI::App& app, Chosen& chosen) {
  auto backup = std::make_shared<std::string>();
  auto force = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("backup", "Write a copy of the whole store, also while it is in use");
  command->footer(
      "\nThe copy is consistent as of one instant, whole or not there, and 0600: it holds every\n"
      "private key. Where a daemon runs, the daemon writes it: under systemd that is allowed in\n"
      "/var/lib/certwright only, unless its unit says more.\n\nExit codes: 0; 64 the file is there already; 74, 77 it cannot be written.");
  command->add_option("FILE", *backup, "The file to make")->required();
  command->add_flag("--force", *force, "Overwrite a file that is there");
  command->callback([&chosen, backup, force] {
    chosen = [backup, force](Session& session) { return RunBackup(session, *backup, *force); };
  });

  auto restored = std::make_shared<std::string>();
  command = app.add_subcommand("restore", "Put a backup into the place of the store");
  command->footer(
      "\nNot while the daemon runs. The former store stays beside it, as\n"
      "certwright.db.before-restore-TIME. What happened at the CA and what was told to others is\n"
      "not undone: the orders that the fuse counts, what is used of the CA's limits, what was\n"
      "revoked, the account's latest key and the numbers of events are carried over. Every\n"
      "certificate that differs is told as an event (reason restored).\n\n"
      "Exit codes: 0; 2 no such file; 74 it is damaged; 75 a process holds the store; 78 it is of\n"
      "a newer Certwright, or of another program.");
  command->add_option("FILE", *restored, "What 'certwright backup' wrote")->required();
  command->callback([&chosen, restored] {
    chosen = [restored](Session& session) { return RunRestore(session, *restored); };
  });
}

}  // namespace certwright::cli
