#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <set>

#include "certwright/base/encoding.h"
#include "certwright/base/error.h"
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

// A key that others may read is put right also where its content is.
void Tighten(const Path& key_file) {
  struct stat info {};
  if (::stat(key_file.c_str(), &info) == 0 && (info.st_mode & 0077) != 0 &&
      ::chmod(key_file.c_str(), kKeyMode) < 0) {
    ThrowErrno(errno, "cannot set the mode of", key_file);
  }
}

}  // namespace

void WriteTogether(const std::vector<OutputFile>& files) {
  for (const OutputFile& file : files) RemoveLeftovers(file.path);
  std::vector<StagedFile> staged;
  for (const OutputFile& file : files) {
    WriteOptions options;
    options.mode = file.mode;
    staged.emplace_back(file.path, file.content.Reveal(), options);
  }
  for (StagedFile& file : staged) file.Rename();
  std::set<Path> folders;
  for (const OutputFile& file : files) folders.insert(FolderOf(file.path));
  for (const Path& folder : folders) SyncFolder(folder);
}

bool WritePair(const Path& cert_file, const Path& key_file,
               const model::CertificateVersion& version) {
  const OutputFile key{key_file, MakeBundle(version, Format::kKey, Secret()), kKeyMode};
  const OutputFile cert{cert_file, MakeBundle(version, Format::kFullchain, Secret()), kCertMode};
  std::vector<OutputFile> changed;
  for (const OutputFile* file : {&key, &cert}) {
    RemoveLeftovers(file->path);
    if (!Holds(file->path, file->content)) changed.push_back(*file);
  }
  WriteTogether(changed);
  Tighten(key_file);
  return !changed.empty();
}

}  // namespace certwright::exports
