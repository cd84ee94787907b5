// Files that are whole or not there (invariant I2).
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace certwright {

using Path = std::filesystem::path;

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.Release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { Reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset();

 private:
  int fd_ = -1;
};

struct WriteOptions {
  mode_t mode = 0600;
  // Where the temporary file is made: on the same file system. Empty: beside the target.
  Path temporary_dir{};
  // Owner and group of the new file; -1 leaves them.
  uid_t owner = static_cast<uid_t>(-1);
  gid_t group = static_cast<gid_t>(-1);
};

// Writes, fsyncs, renames into place, fsyncs the directory. On any failure the former file stays,
// no temporary file is left, and Error(kDisk or kPermission) names the path and the reason.
void WriteFileAtomically(const Path& path, std::string_view content,
                         const WriteOptions& options = {});

// A new file that is whole and on the disk, and not yet in its place: for files that must all be
// ready before the first is renamed. Gone at the end of its life unless it was renamed. Errors as
// WriteFileAtomically.
class StagedFile {
 public:
  StagedFile(const Path& path, std::string_view content, const WriteOptions& options = {});
  StagedFile(StagedFile&& other) noexcept;
  ~StagedFile();
  // Into its place; SyncFolder makes that last.
  void Rename();

 private:
  void Open(const Path& dir);
  void Fill(std::string_view content, const WriteOptions& options);

  Path target_;
  Path path_;  // "" where there is none any more
  Fd fd_;      // locked as long as the file is ours: see RemoveLeftovers
};

// So that renames in this folder outlive a power loss.
void SyncFolder(const Path& dir);

// The folder that a file is in; "." where the path has none.
Path FolderOf(const Path& file);

// Removes, beside `path`, the new files for it that a killed process left. Those that somebody is
// writing now stay; so does what cannot be removed.
void RemoveLeftovers(const Path& path);

// Throws Error(kNotFound | kPermission | kDisk); kInput if larger than `max_bytes`.
std::string ReadFile(const Path& path, std::size_t max_bytes = 16 << 20);

// Makes the directory (and its parents, 0755) with exactly `mode` where it is missing. Where it is
// there it must be a directory that we own, and not be open to others for writing:
// Error(kPermission) otherwise. Throws Error(kDisk) where it cannot be made.
void EnsurePrivateDir(const Path& dir, mode_t mode);

// An advisory lock for as long as the object lives. The file holds the holder's process id.
class LockFile {
 public:
  // nullopt where another process holds it. Errors as WriteFileAtomically.
  static std::optional<LockFile> TryAcquire(const Path& path);
  // The process id written in the file, or 0.
  static pid_t Holder(const Path& path);

 private:
  explicit LockFile(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// The Failure code and words for an errno: kDisk for ENOSPC, EDQUOT, EFBIG, EROFS, EIO; kPermission
// for EACCES and EPERM; kNotFound for ENOENT; with an advice where there is one.
[[noreturn]] void ThrowErrno(int error, std::string_view what, const Path& path);

}  // namespace certwright
