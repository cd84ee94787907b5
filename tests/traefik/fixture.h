// A real store in a folder of its own, a Traefik that answers from memory, and a clock that counts
// waits.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <mutex>
#include <set>

#include "certwright/base/encoding.h"
#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/store/certificates.h"
#include "certwright/store/events.h"
#include "certwright/store/routes.h"
#include "certwright/store/settings.h"
#include "certwright/store/uploads.h"
#include "certwright/traefik/publisher.h"

namespace certwright::traefik {

class FakeClock : public Clock {
 public:
  UnixSeconds Now() const override { return wall; }
  Steady SteadyNow() const override { return now_; }
  bool Sleep(Millis duration, std::stop_token stop) override {
    if (stop.stop_requested()) return false;
    sleeps_.push_back(duration);
    now_ += duration;
    return true;
  }
  const std::vector<Millis>& sleeps() const { return sleeps_; }

  UnixSeconds wall = 1'800'000'000;

 private:
  Steady now_{};
  std::vector<Millis> sleeps_;
};

// Traefik's API: what it serves is decided when it is asked.
class FakeTraefik : public http::Transport {
 public:
  std::function<int(const std::string& path)> status = [](const std::string&) { return 200; };
  std::string entrypoint = ":8443/tcp";
  std::map<std::string, std::string> bodies;  // of other paths
  std::vector<std::string> asked;

  http::Response Send(const http::Request& request, std::stop_token) override {
    const std::string base = "http://127.0.0.1:8080";
    EXPECT_TRUE(request.url.starts_with(base + "/api/")) << request.url;
    const std::string path = request.url.substr(base.size());
    asked.push_back(path);
    http::Response response;
    response.status = status(path);
    if (response.status == 0) throw Error(FailureCode::kNetwork, "connection refused");
    response.body =
        path.starts_with("/api/entrypoints/") ? "{\"address\":\"" + entrypoint + "\"}" : "{}";
    if (bodies.contains(path)) response.body = bodies.at(path);
    return response;
  }
};

// Certificate{TBSCertificate{[0] v3, serial}}: all that this module reads of one.
inline std::string FakeDer(char serial) {
  return std::string("\x30\x0a\x30\x08\xa0\x03\x02\x01\x02\x02\x01", 11) + serial;
}
inline std::string FakeChain(char serial) {
  return ToPem("CERTIFICATE", FakeDer(serial)) + ToPem("CERTIFICATE", "issuer");
}

class TraefikFixture : public ::testing::Test {
 protected:
  TraefikFixture() {
    char name[] = "/tmp/certwright-traefik-XXXXXX";
    dir_ = mkdtemp(name);
    database_ = store::Database::Open(dir_ / "state");
    options_.dynamic_dir = dir_ / "dynamic";
    options_.certificate_dir = dir_ / "state" / "traefik";
    options_.api = "http://127.0.0.1:8080";
    options_.challenge_url = "http://127.0.0.1:9180";
    std::filesystem::create_directory(options_.dynamic_dir);
    model::CertificateVersion pair;
    pair.origin = model::Origin::kSelfSigned;
    pair.chain_pem = ToPem("CERTIFICATE", FakeDer(99));
    pair.key_pem = Secret("default key\n");
    pair.serial_hex = "63";
    pair.fingerprint = std::string(64, 'd');
    pair.not_after = 2'000'000'000;
    database_->Write([&](store::Session& session) { store::SaveSelfSigned(session, pair); });
  }
  ~TraefikFixture() override {
    database_.reset();
    std::filesystem::remove_all(dir_);
  }

  // Gives the certificate of these names a new version; the serial must be new.
  model::CertificateVersion Add(const std::vector<std::string>& names, char serial,
                                UnixSeconds not_after = 1'900'000'000) {
    model::ManagedCertificate wanted;
    wanted.names = model::ParseIdentifiers(names);
    wanted.name_set = model::NameSetKey(wanted.names);
    model::CertificateVersion version;
    version.names = wanted.names;
    version.chain_pem = FakeChain(serial);
    version.key_pem = Secret(Cat("key ", static_cast<int>(serial), "\n"));
    version.serial_hex = Hex(std::string(1, serial));
    version.fingerprint = std::string(62, 'a') + version.serial_hex;
    version.subject = names.front();
    version.issuer = "CN=Test";
    version.not_before = 1'700'000'000;
    version.not_after = not_after;
    version.created_at = clock_.Now();
    database_->Write([&](store::Session& session) {
      version.certificate_id = store::EnsureManaged(session, wanted, clock_.Now()).id;
      version.id = store::AddCurrentVersion(session, version, 0, clock_.Now());
      Tell(session);
    });
    return version;
  }

  // The same names, uploaded, between these dates.
  model::CertificateVersion Upload(model::CertificateVersion version, UnixSeconds not_before,
                                   UnixSeconds not_after) {
    version.serial_hex = Hex(std::string(1, static_cast<char>(0x40 + ++uploads_)));
    version.fingerprint = std::string(62, 'b') + version.serial_hex;
    version.not_before = not_before;
    version.not_after = not_after;
    database_->Write([&](store::Session& session) {
      store::SaveUpload(session, version.subject, version, clock_.Now());
      version = *store::FindUpload(session, version.subject)->current;
    });
    return version;
  }

  // As every change of what is served is told (invariant I3).
  void Tell(store::Session& session) {
    model::Event event;
    event.name = "certificate-changed";
    event.created_at = clock_.Now();
    store::AppendEvent(session, event);
  }

  void AddRoute(const std::string& instance, const std::string& path) {
    model::Route route;
    route.instance = instance;
    route.url = "http://127.0.0.1:20001";
    route.path = path;
    route.ip_allowlist = {"192.0.2.1"};
    database_->Write(
        [&](store::Session& session) { store::SaveRoute(session, route, clock_.Now()); });
  }

  Publisher MakePublisher() { return Publisher(options_, *database_, traefik_, clock_, peer_); }

  static std::string Stem(const model::CertificateVersion& version) {
    return Cat(version.certificate_id, "-", version.id);
  }
  std::set<std::string> PemNames() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(options_.certificate_dir)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("default-")) names.insert(name);
    }
    return names;
  }
  std::string Text() const { return ReadFile(options_.dynamic_dir / "certwright.yml"); }
  static ino_t Inode(const Path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_ino;
  }
  static mode_t Mode(const Path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }

  Path dir_;
  int uploads_ = 0;
  std::unique_ptr<store::Database> database_;
  FakeTraefik traefik_;
  FakeClock clock_;
  TraefikOptions options_;
  PeerLookup peer_ = [](const std::string&, int, const std::string&, Millis) {
    return std::string();
  };
};

}  // namespace certwright::traefik
