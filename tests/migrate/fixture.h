// What other clients really wrote: see data/README.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "certwright/base/file.h"
#include "certwright/migrate/readers.h"

namespace certwright::migrate::testing {

inline const Path kData = CERTWRIGHT_TEST_DATA;
inline constexpr UnixSeconds kNow = 1'796'000'000;    // 2026-11-30, all are valid
inline constexpr UnixSeconds kLater = 1'804'000'000;  // 2027-03-02, none is any more

// The CAs that wrote account URLs into the fixtures.
inline Directories Known() {
  return {{"https://127.0.0.1:23827/dir", "https://127.0.0.1:15424/dir"}, ""};
}

inline Secret AcmeJson() { return Secret(ReadFile(kData / "traefik-acme.json")); }
inline Tree CertbotTree() {
  return ReadTree(kData / "certbot", {"accounts", "live", "renewal"}, {".json", ".pem", ".conf"});
}
inline Tree LegoTree() {
  return ReadTree(kData / "lego", {"accounts", "certificates"}, {".json", ".crt", ".key"});
}

}  // namespace certwright::migrate::testing
