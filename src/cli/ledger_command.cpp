// ledger.
#include "certwright/base/text.h"
#include "commands.h"
#include "ledger_text.h"

namespace certwright::cli {

void AddLedger(CLI::App& app, Chosen& chosen) {
  CLI::App* command =
      app.add_subcommand("ledger", "What is left of the CA's rate limits, and the fuse");
  command->footer(
      "\nEach order is counted as the CA counts it, and one that would certainly be refused is\n"
      "refused here first, with the time when it will pass. What the CA says of a limit corrects\n"
      "this. The last of some limits are kept for the renewal of what is held. 'replaces': orders\n"
      "that say which certificate they replace (RFC 9773) are exempt; 'same-set': those for\n"
      "exactly the names of an earlier certificate. The limits of Let's Encrypt are known, others\n"
      "come from the file of ledger.limits; of a CA without limits only the fuse counts.\n\n"
      "Exit codes: 0.");
  command->callback([&chosen] {
    chosen = [](Session& session) {
      const json::Value output = session.RunCommand("ledger", json::Value::Object());
      session.Print(output, [&] { return LedgerText(output); });
      return 0;
    };
  });
}

}  // namespace certwright::cli
