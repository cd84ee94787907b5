// The folder that is switched as a whole.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "certwright/base/error.h"
#include "certwright/base/random.h"
#include "certwright/base/text.h"
#include "place.h"

namespace certwright::exports {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRandomBytes = 8;
constexpr std::string_view kLinkSuffix = ".link";
// Whoever resolved the link before it was switched has read both files by then.
constexpr UnixSeconds kStays = 60;

// ".tls.certwright-": what the folders behind "tls" begin with.
std::string PrefixOf(const Path& dir) { return Cat(".", dir.filename().native(), ".certwright-"); }

bool IsOurs(const Path& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && info.st_uid == ::geteuid();
}

void MakeFolderAt(const Path& path, mode_t mode) {
  if (::mkdir(path.c_str(), 0700) < 0) {
    if (errno == ENOENT) {
      throw Error(FailureCode::kDisk,
                  Cat("cannot make ", Printable(path.string()), ": the folder does not exist"),
                  Cat("make the folder ", Printable(path.parent_path().string())));
    }
    ThrowErrno(errno, "cannot make the folder", path);
  }
  if (::chmod(path.c_str(), mode) < 0) ThrowErrno(errno, "cannot set the mode of", path);
}

// What is at `dir` is about to be replaced by a link: nothing of anybody's may be lost by that.
void MakeWay(const Path& dir) {
  struct stat info {};
  if (::lstat(dir.c_str(), &info) < 0 || S_ISLNK(info.st_mode)) return;
  if (S_ISDIR(info.st_mode) && ::rmdir(dir.c_str()) == 0) return;
  throw Error(FailureCode::kConfig,
              Cat("export.dir: ", Printable(dir.string()),
                  S_ISDIR(info.st_mode) ? " is a folder that is not empty, or is mounted"
                                        : " is a file",
                  ", and a link is to be in its place"),
              "move it away, or name another dir");
}

class StagedFolder : public Staged {
 public:
  StagedFolder(const Path& dir, const std::vector<OutputFile>& files, const Ids& ids)
      : dir_(dir),
        new_(FolderOf(dir) / Cat(PrefixOf(dir), RandomHex(SystemRandom(), kRandomBytes))) {
    MakeFolderAt(new_, 0755);
    try {
      Fill(files, ids);
    } catch (...) {
      Remove();  // the destructor does not run for a constructor that throws
      throw;
    }
  }

  ~StagedFolder() override {
    if (!committed_) Remove();
  }

  void Commit() override {
    MakeWay(dir_);
    StampOutgoing();
    const Path link = Cat(new_.native(), kLinkSuffix);
    // Relative: the folders may be moved together, or be seen elsewhere in a container.
    if (::symlink(new_.filename().c_str(), link.c_str()) < 0) {
      ThrowErrno(errno, "cannot make the link", link);
    }
    if (::rename(link.c_str(), dir_.c_str()) < 0) {
      const int error = errno;
      ::unlink(link.c_str());
      ThrowErrno(error, "cannot replace", dir_);
    }
    committed_ = true;
    SyncFolder(FolderOf(dir_));
  }

 private:
  void Fill(const std::vector<OutputFile>& files, const Ids& ids) {
    std::set<Path> folders{new_};
    for (const OutputFile& file : files) {
      const Path path = new_ / file.path;
      if (folders.insert(path.parent_path()).second) MakeFolderAt(path.parent_path(), 0755);
      WriteOptions options;
      options.mode = file.mode;
      options.owner = ids.owner;
      options.group = ids.group;
      StagedFile(path, file.content.Reveal(), options).Rename();
    }
    for (const Path& folder : folders) SyncFolder(folder);
  }

  // How long it stays is counted from now on.
  void StampOutgoing() const {
    std::error_code error;
    const Path outgoing = fs::read_symlink(dir_, error);
    if (error || !outgoing.native().starts_with(PrefixOf(dir_))) return;
    ::utimensat(AT_FDCWD, (FolderOf(dir_) / outgoing).c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
  }

  void Remove() {
    std::error_code ignored;  // Tidy comes by again
    fs::remove_all(new_, ignored);
  }

  const Path dir_;
  const Path new_;
  bool committed_ = false;
};

class Folder : public Place {
 public:
  Folder(Path dir, Ids ids) : dir_(std::move(dir)), ids_(ids) {}

  std::optional<Secret> Read(const Path& name) const override {
    const std::optional<Path> current = Current();
    return current ? ReadPlain(*current / name) : std::nullopt;
  }

  std::vector<std::string> Differences(const std::vector<OutputFile>& files) const override {
    const std::optional<Path> current = Current();
    if (!current) return {Cat(Printable(dir_.string()), " is not there, or no link of ours")};
    std::vector<std::string> found;
    std::set<Path> known;
    for (const OutputFile& file : files) {
      const std::string what = WhatDiffers(*current / file.path, file, ids_);
      if (!what.empty()) found.push_back(Cat(Printable((dir_ / file.path).string()), " ", what));
      known.insert(file.path);
      known.insert(file.path.parent_path());
    }
    AddForeign(*current, known, found);
    return found;
  }

  std::unique_ptr<Staged> Stage(const std::vector<OutputFile>& files) const override {
    return std::make_unique<StagedFolder>(dir_, files, ids_);
  }

  void Tidy(UnixSeconds now) const override {
    const std::optional<Path> current = Current();
    std::error_code error;
    for (fs::directory_iterator entry(FolderOf(dir_), error), end; !error && entry != end;
         entry.increment(error)) {
      const Path path = entry->path();
      if (!path.filename().native().starts_with(PrefixOf(dir_)) || !IsOurs(path)) continue;
      if (current && path == *current) continue;
      struct stat info {};
      if (::lstat(path.c_str(), &info) < 0) continue;
      // A time that is further ahead than clocks differ was written by a wrong one.
      const UnixSeconds age = now - info.st_mtime;
      if (age > -kStays && age < kStays) continue;
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
  }

 private:
  // The folder behind the link; nullopt where there is no link of ours.
  std::optional<Path> Current() const {
    std::error_code error;
    const Path to = fs::read_symlink(dir_, error);
    if (error || to.has_parent_path() || !to.native().starts_with(PrefixOf(dir_))) {
      return std::nullopt;
    }
    const Path path = FolderOf(dir_) / to;
    const bool is_folder = fs::is_directory(fs::symlink_status(path, error));
    return is_folder && IsOurs(path) ? std::optional(path) : std::nullopt;
  }

  void AddForeign(const Path& current, const std::set<Path>& known,
                  std::vector<std::string>& found) const {
    std::error_code error;
    for (fs::recursive_directory_iterator entry(current, error), end; !error && entry != end;
         entry.increment(error)) {
      const Path name = entry->path().lexically_relative(current);
      if (known.contains(name)) continue;
      found.push_back(Cat(Printable((dir_ / name).string()), " is not ours"));
      entry.disable_recursion_pending();
    }
  }

  const Path dir_;
  const Ids ids_;
};

}  // namespace

std::unique_ptr<Place> MakeFolder(const Path& dir, const Ids& ids) {
  return std::make_unique<Folder>(dir.has_filename() ? dir : dir.parent_path(), ids);
}

}  // namespace certwright::exports
