#include "open.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "migrate.h"

namespace certwright::store {
namespace {

// quick_check reads the whole file (about 1.5 ms for 1 MiB). It runs where the file was not closed in
// order, unless that would keep everybody waiting for a second, or is so small that nobody notices.
// Else SQLite checks it page by page as it is read.
constexpr off_t kAlwaysChecked = 2 << 20;
constexpr off_t kCheckedAfterAKill = 512 << 20;

constexpr std::size_t kHeaderBytes = 100;  // sqlite.org/fileformat.html, section 1.3
constexpr std::size_t kApplicationIdOffset = 68;
constexpr std::string_view kMagic{"SQLite format 3\0", 16};

[[noreturn]] void ThrowDamaged(const Path& file, std::string_view what) {
  throw Error(FailureCode::kDamaged,
              Cat("the store ", Printable(file.string()), " is damaged: ", what),
              "it was left as it is; keep a copy of it, then restore the newest backup of its folder");
}

Path WalOf(const Path& file) { return Path(file.string() + "-wal"); }

// Size, or -1 where there is no such file.
off_t SizeOf(const Path& file) {
  struct stat status {};
  return ::lstat(file.c_str(), &status) == 0 ? status.st_size : -1;
}

void CheckKindAndOwner(const Path& file) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0) ThrowErrno(errno, "open the store", file);
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid()) {
    throw Error(FailureCode::kPermission,
                Cat("the store ", Printable(file.string()), " is not a plain file of ours"),
                "check its owner; the state directory is for Certwright alone");
  }
}

void CloseToOthers(const Path& file) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0) ThrowErrno(errno, "open the store", file);
  if ((status.st_mode & 0177) == 0) return;
  if (::chmod(file.c_str(), 0600) != 0) ThrowErrno(errno, "close the store to others", file);
  log::Warning(Cat("the store ", Printable(file.string()),
                   " was open to others, its mode is 0600 now; it holds private keys"));
}

// Looks at the header without SQLite, which would begin to recover or to convert the file.
void CheckHeader(const Path& file) {
  Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) ThrowErrno(errno, "open the store", file);
  std::array<char, kHeaderBytes> header{};
  const ssize_t got = ::pread(fd.get(), header.data(), header.size(), 0);
  if (got < 0) ThrowErrno(errno, "read the store", file);
  if (static_cast<std::size_t>(got) < header.size()) {
    ThrowDamaged(file, got == 0 ? "the file is empty" : "the file is cut off");
  }
  if (std::string_view(header.data(), kMagic.size()) != kMagic) {
    ThrowDamaged(file, "it is no database file");
  }
  std::uint32_t id = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    id = id << 8 | static_cast<unsigned char>(header[kApplicationIdOffset + i]);
  }
  if (id != static_cast<std::uint32_t>(kApplicationId)) {
    throw Error(FailureCode::kConfig,
                Cat(Printable(file.string()), " is a database of another program"),
                "move it away, or choose another state_dir");
  }
}

void Configure(Connection& connection) {
  sqlite3* db = connection.handle();
  // Until the file has proved to be sound, closing must not write to it.
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_busy_timeout(db, 0);  // nobody shares the file: who has it keeps it
  connection.Execute("PRAGMA locking_mode = EXCLUSIVE");  // before WAL: no shared memory file
  connection.Execute("PRAGMA synchronous = FULL");
  connection.Execute("PRAGMA foreign_keys = ON");
  connection.Execute("PRAGMA secure_delete = ON");  // deleted keys are overwritten
  connection.Execute("PRAGMA temp_store = MEMORY");
}

// Reads the file for the first time, which also reads what its log holds.
void ConfigureAndCheck(Connection& connection, bool thorough) {
  std::string verdict = "ok";
  try {
    Configure(connection);
    connection.QueryInt("PRAGMA schema_version");
    if (thorough) {
      Query check(connection, "PRAGMA quick_check(1)");
      verdict = check.Step() ? check.Text() : "no answer";
    }
  } catch (const Error& error) {
    if (error.failure().code != FailureCode::kDamaged) throw;
    ThrowDamaged(connection.path(), Printable(sqlite3_errmsg(connection.handle())));
  }
  if (verdict != "ok") ThrowDamaged(connection.path(), Printable(verdict));
}

void StartWriting(Connection& connection, std::span<const EmbeddedFile> migrations) {
  connection.Execute("PRAGMA journal_mode = WAL");
  Migrate(connection, migrations);
  sqlite3_db_config(connection.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

// Makes the first file under another name: so an empty certwright.db is always a damage and never
// the rest of a start that was cut off.
void MakeFirst(const Path& file, std::span<const EmbeddedFile> migrations) {
  const Path draft(file.string() + ".new");
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    ::unlink((draft.string() + suffix).c_str());
  }
  // The mode is given here: SQLite gives its log the mode of the database.
  Fd made(::open(draft.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!made) ThrowErrno(errno, "make the store", draft);
  {
    Connection connection(draft);
    Configure(connection);
    connection.Execute("PRAGMA synchronous = OFF");  // one fsync below is enough: it is a draft
    // No log: what does not fit on the disk must fail here, not when the log is folded in at close.
    connection.Execute("PRAGMA journal_mode = MEMORY");
    Migrate(connection, migrations);
  }
  if (::fsync(made.get()) != 0) ThrowErrno(errno, "make the store", draft);
  if (::rename(draft.c_str(), file.c_str()) != 0) ThrowErrno(errno, "make the store", file);
  Fd dir(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir || ::fsync(dir.get()) != 0) ThrowErrno(errno, "make the store", file);
}

}  // namespace

LockFile LockStore(const Path& dir) {
  const Path path = dir / "certwright.lock";
  if (auto lock = LockFile::TryAcquire(path)) return std::move(*lock);
  Failure failure;
  failure.code = FailureCode::kBusy;
  failure.detail = Cat("process ", LockFile::Holder(path), " holds the store in ",
                       Printable(dir.string()));
  failure.advice = "use the daemon that runs there, or end that process and try again";
  failure.transient = true;
  throw Error(std::move(failure));
}

std::unique_ptr<Connection> OpenDraft(const Path& file, std::span<const EmbeddedFile> migrations,
                                      int& schema) {
  CheckHeader(file);
  auto connection = std::make_unique<Connection>(file);
  ConfigureAndCheck(*connection, false);
  Query check(*connection, "PRAGMA integrity_check(1)");
  const std::string verdict = check.Step() ? check.Text() : "no answer";
  if (verdict != "ok") ThrowDamaged(file, Printable(verdict));
  check.Run();
  connection->Execute("PRAGMA journal_mode = DELETE");
  schema = static_cast<int>(connection->QueryInt("PRAGMA user_version"));
  Migrate(*connection, migrations, false);
  if (Query(*connection, "PRAGMA foreign_key_check").Step()) {
    ThrowDamaged(file, "a record points at another one that is not there");
  }
  return connection;
}

std::unique_ptr<Connection> OpenConnection(const Path& dir,
                                           std::span<const EmbeddedFile> migrations) {
  const Path file = dir / "certwright.db";
  const bool log_left = SizeOf(WalOf(file)) > 0;
  if (SizeOf(file) < 0) {
    if (log_left) ThrowDamaged(file, "it is missing, and its log certwright.db-wal is there");
    MakeFirst(file, migrations);
  }
  CheckKindAndOwner(file);
  CheckHeader(file);
  auto connection = std::make_unique<Connection>(file);
  ConfigureAndCheck(*connection,
                    SizeOf(file) <= (log_left ? kCheckedAfterAKill : kAlwaysChecked));
  CloseToOthers(file);  // before the log is made, which gets the same mode
  StartWriting(*connection, migrations);
  return connection;
}

}  // namespace certwright::store
