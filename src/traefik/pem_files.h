// The directory of versioned PEM files that Traefik reads.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>

#include "certwright/base/file.h"
#include "certwright/model/certificate.h"
#include "certwright/traefik/dynamic.h"

namespace certwright::traefik {

class PemFiles {
 public:
  // `group` "" : files 0600 in a directory 0700; else 0640 and 0750 with that group.
  PemFiles(Path dir, std::string group);

  // "12-34" of "12-34.crt": a version never changes, and Traefik sees a change only by its name. The
  // self-signed pair, which has no managed certificate, is named after its content.
  static std::string Stem(const model::CertificateVersion& version);
  CertificateFiles For(const model::CertificateVersion& version) const;

  // Makes the directory. Throws Error(kConfig) where the group does not exist.
  void Prepare();
  // The names of all files that are there.
  std::set<std::string> List() const;
  // Writes what is missing or differs, key first. True where a file was written.
  bool Write(const model::CertificateVersion& version) const;
  // Removes our files that are not among `wanted` (file names), and what a crash left of a
  // temporary one.
  void RemoveOthers(const std::set<std::string>& wanted) const;

 private:
  bool WriteOne(const Path& path, const std::string& content) const;

  Path dir_;
  std::string group_;
  gid_t gid_ = static_cast<gid_t>(-1);
};

// FNV-1a, 16 hex digits: tells texts of our own apart, nothing more.
std::string Digest(std::string_view text);

}  // namespace certwright::traefik
