#include "migrate.h"

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "copy.h"

namespace certwright::store {

namespace embedded {
extern const EmbeddedFile kFiles[];
extern const std::size_t kFileCount;
}  // namespace embedded

namespace {

void CopyBeforeMigration(Connection& connection, std::int64_t version) {
  const Path copy = connection.path().parent_path() / Cat("certwright-schema", version, ".db");
  CopyInto(connection, copy);
  log::Info(Cat("the store's schema is brought up to date; a copy of the former one is ",
                Printable(copy.string())));
}

}  // namespace

std::span<const EmbeddedFile> EmbeddedMigrations() {
  return {embedded::kFiles, embedded::kFileCount};
}

void Migrate(Connection& connection, std::span<const EmbeddedFile> migrations,
             bool copy_before) {
  const std::int64_t version = connection.QueryInt("PRAGMA user_version");
  const auto newest = static_cast<std::int64_t>(migrations.size());
  if (version > newest) {
    throw Error(FailureCode::kConfig,
                Cat("the store ", Printable(connection.path().string()), " has schema ", version,
                    ", this Certwright knows schemas up to ", newest),
                "use the newer Certwright again, or restore a backup made before the upgrade");
  }
  if (version == newest) return;
  if (version > 0 && copy_before) CopyBeforeMigration(connection, version);
  connection.Execute("BEGIN IMMEDIATE");
  try {
    for (std::int64_t n = version; n < newest; ++n) {
      connection.Execute(std::string(migrations[static_cast<std::size_t>(n)].text));
    }
    connection.Execute(Cat("PRAGMA application_id = ", kApplicationId));
    connection.Execute(Cat("PRAGMA user_version = ", newest));
    connection.Execute("COMMIT");
  } catch (...) {
    sqlite3_exec(connection.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

}  // namespace certwright::store
