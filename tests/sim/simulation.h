// The real scheduler, obtainer, jobs and store, over a simulated clock and CA: a year is as many ticks
// as something is due.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "certwright/base/log.h"
#include "plant.h"

namespace certwright::sim {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr int kShare = 20;  // a sanitizer makes everything slow: a twentieth of all sizes
#else
inline constexpr int kShare = 1;
#endif
inline constexpr int kCertificates = 1000 / kShare;

class Simulation : public testing::Test {
 protected:
  Simulation() {
    log::SetLevel(log::Level::kOff);
    // Years of fsync: in memory where there is such a place.
    struct stat info {};
    const Path memory = "/dev/shm";
    const Path parent = ::stat(memory.c_str(), &info) == 0 && ::access(memory.c_str(), W_OK) == 0
                            ? memory
                            : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "cw-sim-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    dir_ = pattern;
    Restart();
  }
  ~Simulation() override {
    plant_.reset();
    std::filesystem::remove_all(dir_);
  }

  void Restart() {
    plant_.reset();
    plant_.emplace(dir_ / "state", ca_, clock_, presenter_);
  }

  // Certificates that somebody wants and nobody has: due now. Ten of a registered domain.
  void Want(int count) {
    plant_->database->Write([&](store::Session& session) {
      for (int i = 0; i < count; ++i) {
        model::ManagedCertificate wanted;
        wanted.names = {{model::IdentifierType::kDns, NameOf(i)}};
        wanted.next_action_at = clock_.Now();
        store::EnsureManaged(session, wanted, clock_.Now());
      }
    });
  }
  static std::string NameOf(int i) { return Cat("h", i, ".d", i / 10, ".test"); }
  // The same, obtained: nothing of the CA's limits is used up by it.
  void Have(int count) {
    ca_.limited = false;
    Want(count);
    Tick();
    ca_.limited = true;
    ASSERT_EQ(ca_.orders, count);
  }

  std::vector<renewal::Looked> Tick() {
    std::vector<renewal::Looked> all = plant_->scheduler.RunOnce({}, nullptr, {});
    looks_ += static_cast<int>(all.size());
    for (const renewal::Looked& looked : all) {
      if (looked.failure) ++failures_[looked.failure->code];
    }
    return all;
  }

  // Tick by tick, each when something is due, but `step` after the one before at least.
  void RunUntil(UnixSeconds end, UnixSeconds step = 60) {
    while (true) {
      Tick();
      const UnixSeconds next = plant_->database->Read(
          [](store::Session& session) { return store::NextActionOfAll(session); });
      const UnixSeconds wait = next == 0 ? end : std::max(next - clock_.Now(), step);
      if (clock_.True() + wait >= end) {
        clock_.PassSeconds(std::max<UnixSeconds>(end - clock_.True(), 0));
        return;
      }
      clock_.PassSeconds(wait);
    }
  }
  void Run(UnixSeconds seconds, UnixSeconds step = 60) {
    RunUntil(clock_.True() + seconds, step);
  }

  // --- what the CA saw of all that ---
  int Uncovered() const {
    return static_cast<int>(
        std::count_if(ca_.histories.begin(), ca_.histories.end(), [&](const auto& entry) {
          return entry.second.uncovered > 0 || entry.second.valid_until <= clock_.True();
        }));
  }
  int MostOrdersWithin(UnixSeconds window, UnixSeconds since) const {
    std::vector<UnixSeconds> times;
    for (const auto& [names, history] : ca_.histories) {
      for (const UnixSeconds at : history.ordered) {
        if (at >= since) times.push_back(at);
      }
    }
    std::sort(times.begin(), times.end());
    return MostWithin(times, window);
  }
  int MostOrdersOfOneSet(UnixSeconds window = 7 * kDay) const {
    int most = 0;
    for (const auto& [names, history] : ca_.histories) {
      most = std::max(most, MostWithin(history.ordered, window));
    }
    return most;
  }
  int RefusedByLimits() const {
    int all = 0;
    for (const auto& [limit, count] : ca_.refused) all += count;
    return all;
  }
  // For people who read the test's output.
  void Print(const char* what, int ideal) const {
    std::printf("%s: %d orders (ideal %d, %d replacing), %d windows asked, %d looks, 429: %d\n",
                what, ca_.orders, ideal, ca_.replacing, ca_.windows_asked, looks_,
                RefusedByLimits());
  }
  void ExpectHealthy() {
    EXPECT_EQ(Uncovered(), 0) << "certificates expired";
    EXPECT_EQ(RefusedByLimits(), 0);
    EXPECT_EQ(failures_[FailureCode::kFuse], 0) << "the fuse tripped on healthy input";
    EXPECT_LE(MostOrdersOfOneSet(), 4);
  }

  SimClock clock_;
  SimCa ca_{clock_};
  QuickPresenter presenter_;
  Path dir_;
  std::optional<Plant> plant_;
  int looks_ = 0;
  std::map<FailureCode, int> failures_;

 private:
  static int MostWithin(const std::vector<UnixSeconds>& times, UnixSeconds window) {
    int most = 0;
    for (std::size_t last = 0, first = 0; last < times.size(); ++last) {
      while (times[first] + window <= times[last]) ++first;
      most = std::max(most, static_cast<int>(last - first + 1));
    }
    return most;
  }
};

}  // namespace certwright::sim
