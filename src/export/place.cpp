#include "place.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::exports {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::size_t kNameBuffer = 16 * 1024;

[[noreturn]] void ThrowNobody(std::string_view what, const Target& target, const std::string& name) {
  throw Error(FailureCode::kConfig, Cat("export.", what, ": there is no ", what == "owner" ? "user" : what,
                                        " \"", Printable(name), "\""),
              Cat("correct the export ", Printable(target.name), ", or make the ",
                  what == "owner" ? "user" : what));
}

// One file in a folder that is not ours.
class SingleFile : public Place {
 public:
  SingleFile(Path path, Ids ids) : path_(std::move(path)), ids_(ids) {}

  std::optional<Secret> Read(const Path&) const override { return ReadPlain(path_); }

  std::vector<std::string> Differences(const std::vector<OutputFile>& files) const override {
    std::vector<std::string> found;
    for (const OutputFile& file : files) {
      const std::string what = WhatDiffers(path_, file, ids_);
      if (!what.empty()) found.push_back(Cat(Printable(path_.string()), " ", what));
    }
    return found;
  }

  std::unique_ptr<Staged> Stage(const std::vector<OutputFile>& files) const override {
    std::error_code error;
    if (std::filesystem::is_directory(std::filesystem::symlink_status(path_, error))) {
      throw Error(FailureCode::kConfig,
                  Cat("export.path: ", Printable(path_.string()), " is a folder"),
                  "name a file, or use export.dir");
    }
    RemoveLeftovers(path_);
    WriteOptions options;
    options.mode = files.at(0).mode;
    options.owner = ids_.owner;
    options.group = ids_.group;
    return std::make_unique<One>(path_, StagedFile(path_, files.at(0).content.Reveal(), options));
  }

  void Tidy(UnixSeconds) const override {}

 private:
  class One : public Staged {
   public:
    One(Path path, StagedFile file) : path_(std::move(path)), file_(std::move(file)) {}
    void Commit() override {
      file_.Rename();
      SyncFolder(FolderOf(path_));
    }

   private:
    const Path path_;
    StagedFile file_;
  };

  const Path path_;
  const Ids ids_;
};

}  // namespace

Ids IdsOf(const Target& target) {
  Ids ids;
  std::vector<char> buffer(kNameBuffer);
  if (!target.owner.empty()) {
    passwd entry{};
    passwd* found = nullptr;
    getpwnam_r(target.owner.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found == nullptr) ThrowNobody("owner", target, target.owner);
    ids.owner = entry.pw_uid;
  }
  if (!target.group.empty()) {
    group entry{};
    group* found = nullptr;
    getgrnam_r(target.group.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found == nullptr) ThrowNobody("group", target, target.group);
    ids.group = entry.gr_gid;
  }
  return ids;
}

std::optional<Secret> ReadPlain(const Path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    ThrowErrno(errno, "cannot look at", path);
  }
  if (!S_ISREG(info.st_mode) || info.st_size > static_cast<off_t>(kMaxBytes)) return std::nullopt;
  try {
    return Secret(ReadFile(path, kMaxBytes));
  } catch (const Error& error) {
    if (error.failure().code != FailureCode::kPermission) throw;
    throw Error(FailureCode::kPermission, error.failure().detail,
                "What was exported is read again to see whether it is as it should be: give the "
                "files a group in place of an owner, or the service CAP_DAC_READ_SEARCH.");
  }
}

std::string WhatDiffers(const Path& path, const OutputFile& file, const Ids& ids) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return "is not there";
    ThrowErrno(errno, "cannot look at", path);
  }
  if (!S_ISREG(info.st_mode)) return "is no plain file";
  if (ids.owner != static_cast<uid_t>(-1) && info.st_uid != ids.owner) return "has another owner";
  if (ids.group != static_cast<gid_t>(-1) && info.st_gid != ids.group) return "has another group";
  if ((info.st_mode & 07777) != file.mode) return "has another mode";
  return ReadPlain(path) == file.content ? "" : "has another content";
}

std::unique_ptr<Place> PlaceOf(const Target& target) {
  const Ids ids = IdsOf(target);
  if (!target.dir.empty()) return MakeFolder(target.dir, ids);
  return std::make_unique<SingleFile>(target.path, ids);
}

}  // namespace certwright::exports
