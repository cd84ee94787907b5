// Keeps the directory of PEM files in step with a plan.
#include <algorithm>
#include <atomic>

#include "certwright/base/error.h"
#include "certwright/base/parallel.h"
#include "certwright/base/sync.h"
#include "pem_files.h"
#include "plan.h"

namespace certwright::traefik {
namespace {

constexpr std::size_t kWriters = 16;
// So many chains and keys are in memory at once.
constexpr std::size_t kChunk = 256;

// Side by side: each file waits for the disk, and the disk takes many at once (after an import or a
// restored backup there are thousands).
bool WriteAll(const PemFiles& files, const std::vector<model::CertificateVersion>& versions) {
  std::atomic<bool> changed = false;
  Sync<std::optional<Failure>> first;
  RunSideBySide(versions.size(), kWriters, [&](std::size_t i) {
    try {
      if (files.Write(versions[i])) changed = true;
    } catch (...) {
      auto failure = first.Acquire();
      if (!*failure) *failure = CurrentFailure();
    }
  });
  if (auto failure = first.Acquire(); *failure) throw Error(**failure);
  return changed;
}

std::vector<model::CertificateVersion> ReadVersions(store::Session& session,
                                                    std::span<const std::int64_t> ids) {
  std::vector<model::CertificateVersion> versions;
  for (const std::int64_t id : ids) {
    if (auto version = store::FindVersion(session, id, true)) {
      versions.push_back(std::move(*version));
    }
  }
  return versions;
}

// The names of the PEM files in a rendered text.
std::set<std::string> NamesIn(const std::string& text) {
  std::set<std::string> names;
  for (const std::string_view ending : {".crt\"", ".key\""}) {
    for (auto at = text.find(ending); at != std::string::npos; at = text.find(ending, at + 1)) {
      const auto begin = text.rfind('/', at) + 1;
      names.insert(text.substr(begin, at + ending.size() - 1 - begin));
    }
  }
  return names;
}

}  // namespace

// Those that this process has not looked at yet, and those that somebody took away.
std::vector<std::int64_t> Publisher::VersionsToWrite(const Plan& plan,
                                                     const PemFiles& files) const {
  const auto present = files.List();
  std::vector<std::int64_t> ids;
  for (const auto& version : plan.versions) {
    const auto known = compared_.find(version.id);
    const std::string stem = PemFiles::Stem(version);
    if (known == compared_.end() || known->second != version.fingerprint ||
        !present.contains(stem + ".crt") || !present.contains(stem + ".key")) {
      ids.push_back(version.id);
    }
  }
  return ids;
}

bool Publisher::WritePems(const Plan& plan, bool& changed) {
  PemFiles files(options_.certificate_dir, options_.group);
  files.Prepare();
  const std::vector<std::int64_t> ids = VersionsToWrite(plan, files);
  changed |= files.Write(plan.self_signed);
  for (std::size_t begin = 0; begin < ids.size(); begin += kChunk) {
    const auto part = std::span(ids).subspan(begin, std::min(kChunk, ids.size() - begin));
    const auto versions = database_.Read(
        [&](store::Session& session) { return ReadVersions(session, part); });
    if (versions.size() < part.size()) return false;
    changed |= WriteAll(files, versions);
  }
  compared_.clear();
  for (const auto& version : plan.versions) compared_[version.id] = version.fingerprint;
  return true;
}

void Publisher::RemoveOthers(const Plan& plan, bool changed, const std::string& former) const {
  auto wanted = plan.Files();
  if (options_.api.empty()) {
    // Traefik may still be reading the former file: what that names stays until the next change.
    if (!changed) return;
    wanted.merge(NamesIn(former));
  }
  PemFiles(options_.certificate_dir, options_.group).RemoveOthers(wanted);
}

}  // namespace certwright::traefik
