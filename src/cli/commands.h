// The subcommands: each registers itself with its options and gives the exit code when it is run.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "session.h"

namespace certwright::cli {

// What was chosen on the command line; run once parsing is over.
using Chosen = std::function<int(Session&)>;

void AddServe(CLI::App& app, Chosen& chosen);
void AddIssue(CLI::App& app, Chosen& chosen);
void AddRenew(CLI::App& app, Chosen& chosen);
void AddInventory(CLI::App& app, Chosen& chosen);  // list, show, delete
void AddUpload(CLI::App& app, Chosen& chosen);
void AddAccount(CLI::App& app, Chosen& chosen);
void AddRevoke(CLI::App& app, Chosen& chosen);
void AddActivate(CLI::App& app, Chosen& chosen);
void AddStore(CLI::App& app, Chosen& chosen);  // backup, restore
void AddImport(CLI::App& app, Chosen& chosen);
void AddLedger(CLI::App& app, Chosen& chosen);
void AddTasks(CLI::App& app, Chosen& chosen);  // tasks, tasks show, tasks cancel
void AddAudit(CLI::App& app, Chosen& chosen);
void AddEvents(CLI::App& app, Chosen& chosen);  // events list, follow, replay, match
void AddDoctor(CLI::App& app, Chosen& chosen);
void AddStatus(CLI::App& app, Chosen& chosen);
void AddMetrics(CLI::App& app, Chosen& chosen);
void AddExports(CLI::App& app, Chosen& chosen);
void AddAck(CLI::App& app, Chosen& chosen);
void AddServed(CLI::App& app, Chosen& chosen);
void AddExport(CLI::App& app, Chosen& chosen);
void AddGetCertificate(CLI::App& app, Chosen& chosen);
void AddActions(CLI::App& app, Chosen& chosen);         // action, run
void AddAdministration(CLI::App& app, Chosen& chosen);  // traefik, config

// The whole program: parses, runs, reports. Gives the exit code.
int Main(int argc, char** argv);

}  // namespace certwright::cli
