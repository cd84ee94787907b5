// A certificate as the planner sees one, and chance that can be told.
#pragma once

#include <cstring>
#include <limits>
#include <optional>
#include <ostream>
#include <random>
#include <string>

#include "certwright/base/encoding.h"
#include "certwright/renewal/plan.h"

namespace certwright::renewal {

namespace testing {

inline constexpr UnixSeconds kMinute = 60;
inline constexpr UnixSeconds kHour = 3600;
inline constexpr UnixSeconds kDay = 24 * kHour;
inline constexpr UnixSeconds kNow = 1'790'000'000;  // September 2026

inline constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

// The same numbers in every run.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed = 1) : engine_(seed) {}
  void Fill(std::span<std::uint8_t> bytes) override {
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937_64 engine_;
};

// Below(bound) gives `value % bound`.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::uint64_t value) : value_(value) {}
  void Fill(std::span<std::uint8_t> bytes) override {
    ++asked;
    std::memset(bytes.data(), 0, bytes.size());
    std::memcpy(bytes.data(), &value_, std::min(bytes.size(), sizeof value_));
  }
  int asked = 0;

 private:
  std::uint64_t value_;
};

// 64 hexadecimal digits, as a SHA-256 has.
inline std::string SomeFingerprint(Random& random) { return RandomHex(random, 32); }

// Its jitter is 0.
inline model::CertificateVersion VersionOf(UnixSeconds lifetime, UnixSeconds not_before = kNow) {
  model::CertificateVersion version;
  version.fingerprint = std::string(64, '0');
  version.not_before = not_before;
  version.not_after = not_before + lifetime;
  version.ari_id = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
  version.ca = "https://ca.example/directory";
  return version;
}

inline model::RenewalInfo Known(const model::CertificateVersion& version, UnixSeconds start,
                                UnixSeconds end, UnixSeconds chosen_at, UnixSeconds check_at) {
  model::RenewalInfo known;
  known.ari_id = version.ari_id;
  known.start = start;
  known.end = end;
  known.chosen_at = chosen_at;
  known.check_at = check_at;
  return known;
}

inline Failure FailureWith(FailureCode code, const char* type = "", UnixSeconds retry_at = 0) {
  Failure failure;
  failure.code = code;
  failure.acme_type = type;
  failure.retry_at = retry_at;
  return failure;
}

// As store::RecordFailure leaves it.
inline model::ManagedCertificate FailedAt(UnixSeconds at, int failures, const Failure& failure) {
  model::ManagedCertificate certificate;
  certificate.last_error = failure;
  certificate.last_error_at = at;
  certificate.failures = failures;
  return certificate;
}

inline model::RenewalWindow Window(UnixSeconds start, UnixSeconds end,
                                   std::optional<Millis> retry_after = std::nullopt) {
  model::RenewalWindow window;
  window.start = start;
  window.end = end;
  window.explanation_url = "https://ca.example/why";
  window.retry_after = retry_after;
  return window;
}

// A 90-day certificate that is 30 days old; backstop in 30 days.
inline model::CertificateVersion Usual() { return VersionOf(90 * kDay, kNow - 30 * kDay); }
inline constexpr UnixSeconds kUsualBackstop = kNow + 30 * kDay;

// Asked an hour ago, asks again in five; no window.
inline model::RenewalInfo AskedLately(const model::CertificateVersion& version) {
  return Known(version, 0, 0, 0, kNow + 5 * kHour);
}

struct Lifetime {
  const char* name;
  UnixSeconds lifetime;
  UnixSeconds after;  // of issuance, without jitter
};
inline constexpr Lifetime kLifetimes[] = {
    {"classic", 90 * kDay, 60 * kDay},
    {"classic from 2027", 64 * kDay, 64 * kDay * 2 / 3},
    {"tlsserver", 45 * kDay, 30 * kDay},
    {"the forum's maximum", 200 * kDay, 200 * kDay * 2 / 3},
    {"short-lived", 160 * kHour, 80 * kHour},
    {"just short-lived", 10 * kDay - 2, 5 * kDay - 1},
    {"just not", 10 * kDay, 10 * kDay * 2 / 3},
    {"an hour", kHour, kHour / 2},
};

}  // namespace testing

inline void PrintTo(const Due& due, std::ostream* out) {
  *out << ReasonName(due.reason) << " renew " << due.renew_at - testing::kNow << " look "
       << due.look_at - testing::kNow;
}

}  // namespace certwright::renewal
