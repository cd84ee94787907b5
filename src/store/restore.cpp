#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/store/backup.h"
#include "migrate.h"
#include "open.h"
#include "restore_merge.h"

namespace certwright::store {
namespace {

// Gone at the end, unless it took its place.
class Draft {
 public:
  explicit Draft(Path path) : path_(std::move(path)) { Remove(); }
  Draft(const Draft&) = delete;
  ~Draft() { Remove(); }
  const Path& path() const { return path_; }

 private:
  void Remove() const {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      ::unlink((path_.string() + suffix).c_str());
    }
  }
  const Path path_;
};

void CopyFile(const Path& from, const Path& to) {
  const Fd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!source) ThrowErrno(errno, "read the backup", from);
  struct stat status {};
  if (::fstat(source.get(), &status) != 0) ThrowErrno(errno, "read the backup", from);
  if (!S_ISREG(status.st_mode)) {
    throw Error(FailureCode::kInput, Cat(Printable(from.string()), " is no file"));
  }
  const Fd target(::open(to.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!target) ThrowErrno(errno, "copy the backup", to);
  std::array<char, 1 << 16> buffer;
  while (true) {
    const ssize_t got = ::read(source.get(), buffer.data(), buffer.size());
    if (got == 0) return;
    if (got < 0) ThrowErrno(errno, "read the backup", from);
    for (ssize_t put = 0; put < got;) {
      const ssize_t written =
          ::write(target.get(), buffer.data() + put, static_cast<std::size_t>(got - put));
      if (written < 0) ThrowErrno(errno, "copy the backup", to);
      put += written;
    }
  }
}

std::unique_ptr<Connection> OpenBackup(const Path& draft, const Path& backup, int& schema) {
  try {
    return OpenDraft(draft, EmbeddedMigrations(), schema);
  } catch (const Error& error) {
    Failure failure = error.failure();
    failure.detail =
        Cat("the backup ", Printable(backup.string()), " cannot be restored: ", failure.detail);
    failure.advice = failure.code == FailureCode::kConfig && schema > 0
                         ? "nothing was changed; restore it with the newer Certwright"
                         : "nothing was changed; choose another backup";
    throw Error(std::move(failure));
  }
}

// Folds in what a process that died left in the log, and closes it. "" where that is done.
std::string SettlePresent(const Path& dir) {
  try {
    OpenConnection(dir, EmbeddedMigrations());
    return "";
  } catch (const Error& error) {
    return error.failure().detail;
  }
}

// The former store under another name: a second one until the rename, so that at no instant there
// is none.
Path KeepFormer(const Path& file, UnixSeconds now) {
  std::string time;
  for (const char c : FormatUtc(now)) {
    if (c != '-' && c != ':') time += c;
  }
  constexpr int kMostAtOnce = 100;
  const std::string name = Cat(file.string(), ".before-restore-", time);
  Path former(name);
  for (int n = 2; ::link(file.c_str(), former.c_str()) != 0; ++n) {
    if (errno != EEXIST || n > kMostAtOnce) ThrowErrno(errno, "keep the former store", former);
    former = Cat(name, "-", n);  // of another restore in this second
  }
  // Only where it could not be read: another store must not find it.
  const std::string log = file.string() + "-wal";
  if (::rename(log.c_str(), (former.string() + "-wal").c_str()) != 0 && errno != ENOENT) {
    ThrowErrno(errno, "keep the former store's log", former);
  }
  return former;
}

void Sync(const Path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) ThrowErrno(errno, "write the restored store", file);
}

}  // namespace

RestoreReport Restore(const Path& dir, const Path& backup, UnixSeconds now) {
  EnsurePrivateDir(dir, 0700);
  const Path real = std::filesystem::canonical(dir);
  const LockFile lock = LockStore(real);
  const Path file = real / "certwright.db";
  const Draft draft(real / "certwright.db.restoring");
  CopyFile(backup, draft.path());
  RestoreReport report;
  {
    const auto next = OpenBackup(draft.path(), backup, report.schema);
    const bool there = std::filesystem::exists(std::filesystem::symlink_status(file));
    if (there) report.unreadable = SettlePresent(real);
    const bool readable = there && report.unreadable.empty();
    report.differing = CarryOver(*next, readable ? &file : nullptr, now);
    if (there) report.former = KeepFormer(file, now);
  }
  Sync(draft.path());
  if (::rename(draft.path().c_str(), file.c_str()) != 0) {
    ThrowErrno(errno, "put the backup into its place", file);
  }
  SyncFolder(real);
  return report;
}

}  // namespace certwright::store
