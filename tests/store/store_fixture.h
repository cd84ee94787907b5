// A store in a directory of its own, and records to put into it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "certwright/base/error.h"
#include "certwright/store/certificates.h"
#include "certwright/store/database.h"
#include "certwright/store/events.h"
#include "certwright/store/orders.h"

namespace certwright::store {

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "certwright-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  ~TempDir() { std::filesystem::remove_all(path_); }
  const Path& path() const { return path_; }

 private:
  Path path_;
};

class StoreTest : public testing::Test {
 protected:
  void Open() { database_ = Database::Open(dir()); }
  void Close() { database_.reset(); }
  Path dir() const { return temp_.path() / "state"; }
  Path file() const { return dir() / "certwright.db"; }
  Database& database() {
    if (!database_) Open();
    return *database_;
  }

  model::ManagedCertificate Ensure(const std::vector<std::string>& names,
                                   UnixSeconds next_action_at = 0) {
    return database().Write([&](Session& session) {
      model::ManagedCertificate wanted;
      for (const auto& name : names) wanted.names.push_back({model::IdentifierType::kDns, name});
      wanted.next_action_at = next_action_at;
      return EnsureManaged(session, wanted, 1000);
    });
  }

  // A version of that certificate, for its names.
  static model::CertificateVersion VersionFor(const model::ManagedCertificate& certificate,
                                              const std::string& serial = "0a1b",
                                              UnixSeconds not_after = 9000) {
    model::CertificateVersion version;
    version.certificate_id = certificate.id;
    version.chain_pem = "CHAIN " + serial;
    version.key_pem = Secret("KEY-" + serial + "-KEY");
    version.serial_hex = serial;
    version.fingerprint = "f" + serial;
    version.subject = "subject";
    version.issuer = "CN=issuer";
    version.names = certificate.names;
    version.not_before = 1000;
    version.not_after = not_after;
    version.ari_id = "ari";
    version.ca = "https://ca.example/dir";
    version.created_at = 1000;
    return version;
  }

  model::ManagedCertificate Hold(const std::vector<std::string>& names,
                                 const std::string& serial = "0a1b", UnixSeconds not_after = 9000) {
    auto certificate = Ensure(names);
    database().Write([&](Session& session) {
      AddCurrentVersion(session, VersionFor(certificate, serial, not_after), 5000, 1000);
    });
    return certificate;
  }

  TempDir temp_;
  std::unique_ptr<Database> database_;
};

// The failure that `work` ends with; a test failure where it ends well.
inline Failure FailureOf(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.failure();
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

// The exit code of a child process that runs `work` and then exits with what it returns.
inline int InChild(const std::function<int()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(work());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

inline std::string Slurp(const Path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  return content.str();
}

inline void Spill(const Path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

}  // namespace certwright::store
