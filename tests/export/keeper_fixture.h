// An export in a directory of its own, and certificates to be exported.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>

#include "../store/store_fixture.h"
#include "certwright/crypto/certificate.h"
#include "certwright/export/keeper.h"
#include "certwright/store/uploads.h"

namespace certwright::exports {

class FakeClock : public Clock {
 public:
  UnixSeconds Now() const override { return now; }
  Steady SteadyNow() const override { return SystemClock().SteadyNow(); }
  bool Sleep(Millis duration, std::stop_token stop) override {
    return SystemClock().Sleep(duration, stop);
  }
  UnixSeconds now = SystemClock().Now();
};

class KeeperTest : public store::StoreTest {
 protected:
  KeeperTest() {
    std::filesystem::create_directory(home());
    target_.name = "mail";
    target_.names = {"a.example.org"};
    target_.dir = home() / "tls";
  }

  Path home() const { return temp_.path() / "home"; }

  // A real pair, valid for a day.
  model::CertificateVersion Pair(const std::vector<std::string>& names) const {
    return crypto::SelfSigned(model::ParseIdentifiers(names), clock_.now - 10, clock_.now + 86400);
  }
  // As a CA's, the current one of its names.
  model::CertificateVersion Issue(const std::vector<std::string>& names) {
    model::CertificateVersion version = Pair(names);
    version.certificate_id = Ensure(names).id;
    version.origin = model::Origin::kAcme;
    database().Write([&](store::Session& session) {
      store::AddCurrentVersion(session, version, 0, clock_.now);
    });
    return version;
  }

  void Keep(std::stop_token stop = {}) { Keeper(target_, database(), clock_).Keep(stop); }
  Status Look() { return Keeper(target_, database(), clock_).Look(); }
  store::ExportState State() {
    return database()
        .Read([&](store::Session& session) { return store::FindExport(session, target_.name); })
        .value_or(store::ExportState{});
  }

  // A script that appends its output to `out_`.
  void ReloadBy(const std::string& body) {
    const Path script = temp_.path() / "reload";
    store::Spill(script, "#!/bin/sh\nOUT='" + out().string() + "'\n" + body + "\n");
    std::filesystem::permissions(script, std::filesystem::perms(0755));
    target_.reload = {script.string(), "now", "$HOME *"};
  }
  Path out() const { return temp_.path() / "out"; }

  static mode_t Mode(const Path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }
  static ino_t Inode(const Path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_ino;
  }
  // Names below a folder, sorted, divided by blanks.
  static std::string Names(const Path& folder) {
    std::map<std::string, int> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (!entry.is_directory()) names[entry.path().lexically_relative(folder).string()];
    }
    std::string text;
    for (const auto& [name, none] : names) text += (text.empty() ? "" : " ") + name;
    return text;
  }

  FakeClock clock_;
  Target target_;
};

}  // namespace certwright::exports
