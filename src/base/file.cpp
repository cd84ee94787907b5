#include "certwright/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "certwright/base/error.h"
#include "certwright/base/random.h"
#include "certwright/base/text.h"

namespace certwright {
namespace {

std::string Shown(const Path& path) { return Printable(path.native(), 1000); }

// Calls again what a signal cut short.
template <typename Call>
auto Retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

struct ErrnoKind {
  FailureCode code;
  std::string_view advice;
};

ErrnoKind KindOf(int error) {
  switch (error) {
    case ENOENT: return {FailureCode::kNotFound, ""};
    case EACCES:
    case EPERM:
      return {FailureCode::kPermission,
              "Check the owner and the mode of it and of the folders above."};
    case ENOSPC: return {FailureCode::kDisk, "The disk is full: make room and try again."};
    case EDQUOT: return {FailureCode::kDisk, "The disk quota is used up: make room and try again."};
    case EFBIG:
      return {FailureCode::kDisk, "A limit on the size of files is in force (ulimit -f)."};
    case EROFS: return {FailureCode::kDisk, "The file system is read-only: mount it for writing."};
    case EIO: return {FailureCode::kDisk, "The disk reports an error: look at the kernel's log."};
    default: return {FailureCode::kDisk, ""};
  }
}

// A missing folder is no "not found" to somebody who writes a file.
[[noreturn]] void ThrowWriteErrno(int error, std::string_view what, const Path& path) {
  if (error != ENOENT) ThrowErrno(error, what, path);
  throw Error(FailureCode::kDisk, Cat(what, " ", Shown(path), ": the folder does not exist"),
              Cat("Make the folder ", Shown(path.parent_path()), "."));
}

constexpr uid_t kNoOwner = static_cast<uid_t>(-1);
constexpr gid_t kNoGroup = static_cast<gid_t>(-1);

[[noreturn]] void ThrowNotGiven(int error, std::string_view whom, unsigned id, const Path& path) {
  if (error != EPERM) ThrowWriteErrno(error, Cat("cannot give to ", whom, " ", id, ":"), path);
  throw Error(FailureCode::kPermission,
              Cat("user ", ::geteuid(), " may not give ", Shown(path), " to ", whom, " ", id),
              "Only root (with CAP_CHOWN) gives files to another user, and others only to groups "
              "of their own: run as root, or as that user.");
}

void WriteAll(int fd, std::string_view content, const Path& path) {
  while (!content.empty()) {
    const ssize_t put = Retry([&] { return ::write(fd, content.data(), content.size()); });
    if (put < 0) ThrowWriteErrno(errno, "cannot write", path);
    content.remove_prefix(static_cast<std::size_t>(put));
  }
}

constexpr std::size_t kSuffixBytes = 8;
constexpr std::string_view kSuffix = ".tmp";

// A name that says whose it is, short enough for any target name.
std::string TemporaryPrefix(const Path& target) {
  return Cat(".", target.filename().native().substr(0, 200), ".");
}

bool IsTemporaryFor(const std::string& prefix, std::string_view name) {
  if (!name.starts_with(prefix) || !name.ends_with(kSuffix)) return false;
  if (name.size() != prefix.size() + 2 * kSuffixBytes + kSuffix.size()) return false;
  return name.substr(prefix.size(), 2 * kSuffixBytes).find_first_not_of("0123456789abcdef") ==
         std::string_view::npos;
}

// Where its lock is free, nobody is writing it any more.
void RemoveAbandoned(const Path& path) {
  const Fd fd(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) < 0) return;
  if (!S_ISREG(info.st_mode) || info.st_uid != ::geteuid()) return;
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
}

void MakeParents(const Path& dir) {
  if (dir.empty() || ::access(dir.c_str(), F_OK) == 0) return;
  MakeParents(dir.parent_path());
  if (::mkdir(dir.c_str(), 0755) < 0) {
    if (errno == EEXIST) return;
    ThrowErrno(errno, "cannot make the folder", dir);
  }
  ::chmod(dir.c_str(), 0755);  // a strict umask must not lock others out of a folder above
}

void CheckPrivate(int fd, const Path& dir, mode_t mode) {
  struct stat info {};
  if (::fstat(fd, &info) < 0) ThrowErrno(errno, "cannot look at", dir);
  if (info.st_uid != ::geteuid()) {
    throw Error(FailureCode::kPermission,
                Cat("the folder ", Shown(dir), " belongs to user ", info.st_uid,
                    ", and this process runs as user ", ::geteuid()),
                "Run as the folder's owner, or give the folder to the right user (chown -R).");
  }
  if ((info.st_mode & 022 & ~mode) != 0) {
    throw Error(FailureCode::kPermission, Cat("others may write into the folder ", Shown(dir)),
                Cat("Take the right away: chmod go-w ", Shown(dir)));
  }
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    Reset();
    fd_ = other.Release();
  }
  return *this;
}

void Fd::Reset() {
  if (fd_ >= 0) ::close(Release());
}

StagedFile::StagedFile(const Path& path, std::string_view content, const WriteOptions& options)
    : target_(path) {
  try {
    Open(options.temporary_dir.empty() ? FolderOf(path) : options.temporary_dir);
    Fill(content, options);
  } catch (...) {
    // The destructor does not run for a constructor that throws.
    if (!path_.empty()) ::unlink(path_.c_str());
    throw;
  }
}

StagedFile::StagedFile(StagedFile&& other) noexcept
    : target_(std::move(other.target_)),
      path_(std::exchange(other.path_, {})),
      fd_(std::move(other.fd_)) {}

StagedFile::~StagedFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void StagedFile::Open(const Path& dir) {
  for (;;) {
    const Path path =
        dir / Cat(TemporaryPrefix(target_), RandomHex(SystemRandom(), kSuffixBytes), kSuffix);
    Fd fd(Retry([&] {
      return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    }));
    if (!fd) ThrowWriteErrno(errno, "cannot write", target_);
    path_ = path;
    fd_ = std::move(fd);
    // A file system without locks has no leftovers removed either.
    Retry([&] { return ::flock(fd_.get(), LOCK_EX); });
    struct stat info {};
    if (::fstat(fd_.get(), &info) < 0) ThrowWriteErrno(errno, "cannot look at", target_);
    if (info.st_nlink > 0) return;
    // Taken for a leftover between open and flock.
  }
}

void StagedFile::Fill(std::string_view content, const WriteOptions& options) {
  WriteAll(fd_.get(), content, target_);
  // Group, mode, owner: nobody may read it before it is in the right group, and who is no longer its
  // owner may not set its mode (root neither, without CAP_FOWNER).
  if (options.group != kNoGroup && ::fchown(fd_.get(), kNoOwner, options.group) < 0) {
    ThrowNotGiven(errno, "group", options.group, target_);
  }
  if (::fchmod(fd_.get(), options.mode) < 0)
    ThrowWriteErrno(errno, "cannot set the mode of", target_);
  if (options.owner != kNoOwner && ::fchown(fd_.get(), options.owner, kNoGroup) < 0) {
    ThrowNotGiven(errno, "user", options.owner, target_);
  }
  if (Retry([&] { return ::fsync(fd_.get()); }) < 0) ThrowWriteErrno(errno, "cannot sync", target_);
}

void StagedFile::Rename() {
  if (::rename(path_.c_str(), target_.c_str()) < 0) {
    ThrowWriteErrno(errno, "cannot replace", target_);
  }
  path_.clear();
  fd_.Reset();
}

void SyncFolder(const Path& dir) {
  const Fd fd(Retry([&] { return ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!fd) ThrowWriteErrno(errno, "cannot open the folder", dir);
  // EINVAL: a file system that has no such thing and needs none.
  if (Retry([&] { return ::fsync(fd.get()); }) < 0 && errno != EINVAL) {
    ThrowWriteErrno(errno, "cannot sync the folder", dir);
  }
}

Path FolderOf(const Path& file) { return file.has_parent_path() ? file.parent_path() : Path("."); }

void RemoveLeftovers(const Path& path) {
  const std::string prefix = TemporaryPrefix(path);
  std::error_code error;
  for (std::filesystem::directory_iterator entry(FolderOf(path), error), end;
       !error && entry != end; entry.increment(error)) {
    if (IsTemporaryFor(prefix, entry->path().filename().native())) RemoveAbandoned(entry->path());
  }
}

void WriteFileAtomically(const Path& path, std::string_view content, const WriteOptions& options) {
  StagedFile file(path, content, options);
  file.Rename();
  SyncFolder(FolderOf(path));
}

std::string ReadFile(const Path& path, std::size_t max_bytes) {
  const Fd fd(Retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY); }));
  if (!fd) ThrowErrno(errno, "cannot read", path);
  struct stat info {};
  if (::fstat(fd.get(), &info) < 0) ThrowErrno(errno, "cannot look at", path);
  std::string content;
  std::size_t room = S_ISREG(info.st_mode) ? static_cast<std::size_t>(info.st_size) + 1 : 4096;
  for (;;) {
    // One byte past the limit tells a file that is too large from one that just fits.
    const std::size_t had = content.size();
    content.resize(std::min(had + room, max_bytes + 1));
    const ssize_t got =
        Retry([&] { return ::read(fd.get(), content.data() + had, content.size() - had); });
    if (got < 0) ThrowErrno(errno, "cannot read", path);
    content.resize(had + static_cast<std::size_t>(got));
    if (got == 0) return content;
    if (content.size() > max_bytes) {
      throw Error(FailureCode::kInput, Cat(Shown(path), " is larger than ", max_bytes, " bytes"));
    }
    room = 64 * 1024;
  }
}

void EnsurePrivateDir(const Path& dir, mode_t mode) {
  // Without a trailing slash, so that its parent is its parent.
  const Path clean = dir.has_filename() ? dir : dir.parent_path();
  MakeParents(clean.parent_path());
  const bool made = ::mkdir(clean.c_str(), mode & 0700) == 0;
  if (!made && errno == ENOENT) {  // its parent refuses new entries, as /proc does
    throw Error(FailureCode::kDisk, Cat("cannot make the folder ", Shown(clean)),
                "Choose another place for it.");
  }
  if (!made && errno != EEXIST) ThrowErrno(errno, "cannot make the folder", clean);
  const Fd fd(Retry([&] { return ::open(clean.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!fd && errno == ENOTDIR) {
    throw Error(FailureCode::kPermission, Cat(Shown(clean), " is no folder"),
                "Move the file away, or configure another folder.");
  }
  if (!fd) ThrowErrno(errno, "cannot open the folder", clean);
  if (made && ::fchmod(fd.get(), mode) < 0) ThrowErrno(errno, "cannot set the mode of", clean);
  CheckPrivate(fd.get(), clean, mode);
}

std::optional<LockFile> LockFile::TryAcquire(const Path& path) {
  for (;;) {
    Fd fd(Retry(
        [&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600); }));
    if (!fd) ThrowWriteErrno(errno, "cannot open the lock", path);
    if (Retry([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) < 0) {
      if (errno == EWOULDBLOCK) return std::nullopt;
      ThrowWriteErrno(errno, "cannot lock", path);
    }
    // Somebody may have removed the file between open and flock: then this lock guards nothing.
    struct stat ours {
    }, there{};
    const bool same = ::fstat(fd.get(), &ours) == 0 && ::stat(path.c_str(), &there) == 0 &&
                      ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
    if (!same) continue;
    if (::ftruncate(fd.get(), 0) < 0) ThrowWriteErrno(errno, "cannot write", path);
    WriteAll(fd.get(), Cat(::getpid(), "\n"), path);
    return LockFile(std::move(fd));
  }
}

pid_t LockFile::Holder(const Path& path) {
  try {
    const std::string text = ReadFile(path, 64);
    pid_t pid = 0;
    std::from_chars(text.data(), text.data() + text.size(), pid);
    return pid > 0 ? pid : 0;
  } catch (const Error&) {
    return 0;
  }
}

void ThrowErrno(int error, std::string_view what, const Path& path) {
  const ErrnoKind kind = KindOf(error);
  throw Error(kind.code, Cat(what, " ", Shown(path), ": ", std::generic_category().message(error)),
              std::string(kind.advice));
}

}  // namespace certwright
