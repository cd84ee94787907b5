#include "certwright/store/backup.h"

#include "audit.h"
#include "handler.h"

namespace certwright::actions {

std::optional<json::Value> Backup(const Invocation& call) {
  const Path file = call.input.String("file");
  if (!file.is_absolute()) {
    throw Error(FailureCode::kInput, "the file of a backup needs its whole path",
                "a daemon has a folder of its own to start from");
  }
  AuditRelease(call);  // it holds every key
  const store::BackupReport report =
      store::Backup(call.context.database, file, call.input.Bool("force"));
  return json::Value::Object({{"file", file.string()},
                              {"bytes", static_cast<std::int64_t>(report.bytes)},
                              {"schema", report.schema}});
}

}  // namespace certwright::actions
