#include "certwright/store/backup.h"

#include <unistd.h>

#include <cerrno>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::store {

BackupReport Backup(Database& database, const Path& file, bool overwrite) {
  const auto refuse_overwriting = [&] {
    if (overwrite || ::access(file.c_str(), F_OK) != 0) return;
    throw Error(FailureCode::kInput, Cat(Printable(file.string()), " is there already"),
                "choose another file, or overwrite it with --force");
  };
  refuse_overwriting();
  if (std::error_code ignored; !std::filesystem::is_directory(FolderOf(file), ignored)) {
    throw Error(FailureCode::kNotFound,
                Cat("there is no folder ", Printable(FolderOf(file).string()), " for the backup"),
                "make it first, or choose another file");
  }
  // Beside it, so that what has its name is always whole.
  const Path draft(file.string() + ".part");
  database.CopyTo(draft);
  try {
    refuse_overwriting();
    const BackupReport report{std::filesystem::file_size(draft), database.schema_version()};
    if (::rename(draft.c_str(), file.c_str()) != 0) ThrowErrno(errno, "make the backup", file);
    SyncFolder(FolderOf(file));
    return report;
  } catch (...) {
    ::unlink(draft.c_str());
    throw;
  }
}

}  // namespace certwright::store
