#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>

#include "certwright/base/encoding.h"
#include "certwright/base/error.h"
#include "certwright/base/random.h"
#include "certwright/base/text.h"
#include "certwright/export/bundle.h"

namespace certwright::exports {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr mode_t kCertMode = 0644;
constexpr mode_t kKeyMode = 0600;

// The DER of all blocks: what a file says, whatever its line ends. nullopt: none there, or no PEM.
std::optional<std::vector<Secret>> Content(const std::string& text) {
  try {
    std::vector<Secret> ders;
    for (auto& block : SplitPem(text)) ders.emplace_back(block.label + '\n' + block.der);
    return ders;
  } catch (const Error&) {
    return std::nullopt;
  }
}

// Any doubt (missing, unreadable, no PEM) means that the file is to be written.
bool Holds(const Path& file, const Secret& wanted) {
  try {
    const Secret present(ReadFile(file, kMaxBytes));
    return present == wanted || Content(present.Reveal()) == Content(wanted.Reveal());
  } catch (const Error&) {
    return false;
  }
}

Path FolderOf(const Path& file) { return file.has_parent_path() ? file.parent_path() : Path("."); }

// A new file beside its target: whole and on the disk, but not yet in its place.
// WriteFileAtomically does both in one step, and here two files must be ready before the first is
// renamed.
class Staged {
 public:
  Staged(Path target, const Secret& content, mode_t mode) : target_(std::move(target)) {
    path_ = FolderOf(target_) / Cat(".", target_.filename().string().substr(0, 200), ".",
                                    RandomHex(SystemRandom(), 8), ".tmp");
    Fd fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) Fail("cannot write");
    Write(fd.get(), content.Reveal());
    if (::fchmod(fd.get(), mode) < 0) Fail("cannot set the mode of");
    if (::fsync(fd.get()) < 0) Fail("cannot sync");
  }
  Staged(const Staged&) = delete;
  Staged& operator=(const Staged&) = delete;
  ~Staged() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  void Rename() {
    if (::rename(path_.c_str(), target_.c_str()) < 0) Fail("cannot replace");
    path_.clear();
  }

 private:
  void Write(int fd, std::string_view rest) {
    while (!rest.empty()) {
      const ssize_t put = ::write(fd, rest.data(), rest.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) Fail("cannot write");
      rest.remove_prefix(static_cast<std::size_t>(put));
    }
  }
  // The destructor does not run for a constructor that throws.
  [[noreturn]] void Fail(std::string_view what) {
    const int error = errno;
    ::unlink(path_.c_str());
    if (error == ENOENT) {
      throw Error(FailureCode::kDisk,
                  Cat(what, " ", Printable(target_.string()), ": the folder does not exist"),
                  Cat("make the folder ", Printable(FolderOf(target_).string())));
    }
    ThrowErrno(error, what, target_);
  }

  Path target_;
  Path path_;
};

void SyncFolder(const Path& dir) {
  const Fd fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || (::fsync(fd.get()) < 0 && errno != EINVAL)) ThrowErrno(errno, "cannot sync", dir);
}

// A key that others may read is put right also where its content is.
void Tighten(const Path& key_file) {
  struct stat info {};
  if (::stat(key_file.c_str(), &info) == 0 && (info.st_mode & 0077) != 0 &&
      ::chmod(key_file.c_str(), kKeyMode) < 0) {
    ThrowErrno(errno, "cannot set the mode of", key_file);
  }
}

}  // namespace

bool WritePair(const Path& cert_file, const Path& key_file,
               const model::CertificateVersion& version) {
  const Secret cert = MakeBundle(version, Format::kFullchain, Secret());
  const Secret key = MakeBundle(version, Format::kKey, Secret());
  std::optional<Staged> new_key;
  std::optional<Staged> new_cert;
  if (!Holds(key_file, key)) new_key.emplace(key_file, key, kKeyMode);
  if (!Holds(cert_file, cert)) new_cert.emplace(cert_file, cert, kCertMode);
  if (new_key) {
    new_key->Rename();
  } else {
    Tighten(key_file);
  }
  if (new_cert) new_cert->Rename();
  if (new_key) SyncFolder(FolderOf(key_file));
  if (new_cert) SyncFolder(FolderOf(cert_file));
  return new_key || new_cert;
}

}  // namespace certwright::exports
