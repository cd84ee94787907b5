#include "pem_files.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "certwright/base/encoding.h"
#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::traefik {
namespace {

constexpr gid_t kNoGroup = static_cast<gid_t>(-1);

gid_t GroupId(const std::string& name) {
  std::vector<char> buffer(16 * 1024);
  group entry{};
  group* found = nullptr;
  if (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    return entry.gr_gid;
  }
  throw Error(FailureCode::kConfig,
              Cat("traefik.group: there is no group \"", Printable(name), "\""),
              "name the group that Traefik runs with, or make it");
}

bool AllIn(std::string_view text, std::string_view alphabet) {
  return !text.empty() && text.find_first_not_of(alphabet) == std::string_view::npos;
}

// Whether For() could have made this name.
bool IsOurs(std::string_view name) {
  if (!name.ends_with(".crt") && !name.ends_with(".key")) return false;
  name.remove_suffix(4);
  constexpr std::string_view kSelfSigned = "default-";
  if (name.starts_with(kSelfSigned)) {
    return AllIn(name.substr(kSelfSigned.size()), "0123456789abcdef");
  }
  const auto dash = name.find('-');
  return dash != std::string_view::npos && AllIn(name.substr(0, dash), "0123456789") &&
         AllIn(name.substr(dash + 1), "0123456789");
}

// ".12-34.key.<random>.tmp": of WriteFileAtomically, left where the machine went down.
bool IsLeftover(std::string_view name) { return name.starts_with('.') && name.ends_with(".tmp"); }

}  // namespace

std::string Digest(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>((hash >> shift) & 0xff);
  return Hex(bytes);
}

PemFiles::PemFiles(Path dir, std::string group) : dir_(std::move(dir)), group_(std::move(group)) {}

std::string PemFiles::Stem(const model::CertificateVersion& version) {
  if (version.origin == model::Origin::kSelfSigned) {
    return "default-" + Digest(version.chain_pem);
  }
  return std::to_string(version.certificate_id) + '-' + std::to_string(version.id);
}

CertificateFiles PemFiles::For(const model::CertificateVersion& version) const {
  const std::string stem = Stem(version);
  return {dir_ / (stem + ".crt"), dir_ / (stem + ".key")};
}

void PemFiles::Prepare() {
  const mode_t mode = group_.empty() ? 0700 : 0750;
  gid_ = group_.empty() ? kNoGroup : GroupId(group_);
  EnsurePrivateDir(dir_, mode);
  struct stat info {};
  if (::stat(dir_.c_str(), &info) < 0) ThrowErrno(errno, "cannot look at", dir_);
  if (gid_ != kNoGroup && info.st_gid != gid_ && ::chown(dir_.c_str(), kNoGroup, gid_) < 0) {
    ThrowErrno(errno, "cannot give to the group", dir_);
  }
  if ((info.st_mode & 07777) != mode && ::chmod(dir_.c_str(), mode) < 0) {
    ThrowErrno(errno, "cannot set the mode of", dir_);
  }
}

std::set<std::string> PemFiles::List() const {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(dir_)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

bool PemFiles::Write(const model::CertificateVersion& version) const {
  const CertificateFiles files = For(version);
  const bool key = WriteOne(files.key, version.key_pem.Reveal());
  return WriteOne(files.cert, version.chain_pem) || key;
}

bool PemFiles::WriteOne(const Path& path, const std::string& content) const {
  const mode_t mode = gid_ == kNoGroup ? 0600 : 0640;
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
      (info.st_mode & 07777) == mode && (gid_ == kNoGroup || info.st_gid == gid_) &&
      static_cast<std::size_t>(info.st_size) == content.size() &&
      Secret(ReadFile(path)) == Secret(content)) {
    return false;
  }
  WriteOptions options;
  options.mode = mode;
  options.group = gid_;
  WriteFileAtomically(path, content, options);
  return true;
}

void PemFiles::RemoveOthers(const std::set<std::string>& wanted) const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(dir_, error)) {
    const std::string name = entry.path().filename().string();
    if (IsLeftover(name) || (IsOurs(name) && !wanted.contains(name))) {
      std::error_code ignored;  // then the next publish removes it
      std::filesystem::remove(entry.path(), ignored);
    }
  }
}

}  // namespace certwright::traefik
