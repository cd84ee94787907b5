// What tests/bench/scheduler cannot do itself: fills a store with managed certificates, and measures
// ticks of the scheduler on it, in process, with a CA in memory.
//
//   scheduler_helper fill DIR COUNT     makes DIR/certwright.db
//   scheduler_helper ticks DIR          prints one JSON object, times in microseconds
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "../sim/plant.h"
#include "certwright/crypto/certificate.h"
#include "certwright/json/value.h"

namespace certwright::sim {
namespace {

constexpr int kMany = 1000;  // of a tick with many due
// Before any clock that this runs under: what is written at a time to come is looked at.
constexpr UnixSeconds kWritten = 1'700'000'000;

void Execute(sqlite3* db, const std::string& sql) {
  char* problem = nullptr;
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &problem) != SQLITE_OK) {
    throw std::runtime_error(problem);
  }
}

// One key and one certificate for all: nobody looks into them here, and they have the usual size.
void Fill(const Path& dir, std::int64_t count) {
  store::Database::Open(dir).reset();
  const model::CertificateVersion pair = crypto::SelfSigned(
      {model::ParseIdentifier("bench.example.test")}, kWritten, kStart + 3650 * kDay);
  sqlite3* db = nullptr;
  if (sqlite3_open((dir / "certwright.db").c_str(), &db) != SQLITE_OK) {
    throw std::runtime_error("cannot open the store");
  }
  const UnixSeconds until = kStart + 90 * kDay;
  const std::string many = Cat("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ",
                               count, ") ");
  Execute(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN");
  Execute(db, many + Cat("INSERT INTO certificate (id, name_set, names, key_type, reuse_key, profile, "
                         "preferred_chain, owner, next_action_at, last_error_at, failures, "
                         "created_at, updated_at) SELECT i, 'h' || i || '.example.test', "
                         "'dns:h' || i || '.example.test' || char(10), 'ec256', 0, '', '', '', ",
                         kStart + 50 * kDay, " + i % 1000000, 0, 0, ", kWritten, ", ", kWritten,
                         " FROM n"));
  Execute(db, many + Cat("INSERT INTO version (id, certificate_id, is_current, chain_pem, key_pem, "
                         "serial_hex, fingerprint, subject, issuer, names, not_before, not_after, "
                         "ari_id, ca, origin, created_at) SELECT i, i, 1, '", pair.chain_pem,
                         pair.chain_pem, "', '", pair.key_pem.Reveal(), "', printf('%016x', i), "
                         "printf('%064x', i), '', 'CN=Bench', 'dns:h' || i || '.example.test' || char(10), ",
                         until - 90 * kDay, ", ", until, ", 'bench.' || i, '",
                         SimCa::kDirectory, "', 'acme', ", kWritten, " FROM n"));
  Execute(db, many + "INSERT INTO version_name (name, version_id) "
                     "SELECT 'h' || i || '.example.test', i FROM n");
  // Its window was asked for, and is asked for again when it is looked at next.
  Execute(db, many + Cat("INSERT INTO renewal_info (ari_id, version_id, window_start, window_end, "
                         "explanation_url, chosen_at, check_at, updated_at) SELECT 'bench.' || i, i, "
                         "0, 0, '', 0, ", kStart + kDay, ", ", kWritten, " FROM n"));
  Execute(db, "COMMIT");
  sqlite3_close(db);
}

class Ticks {
 public:
  explicit Ticks(const Path& dir) : plant_(dir, ca_, clock_, presenter_) { ca_.limited = false; }

  // The median of `times` ticks, each after `prepare`.
  template <typename Prepare>
  double Median(int times, std::size_t looks, Prepare&& prepare) {
    std::vector<double> all;
    for (int i = 0; i < times; ++i) {
      prepare();
      const auto start = std::chrono::steady_clock::now();
      const std::size_t looked = plant_.scheduler.RunOnce({}, nullptr, {}).size();
      all.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() -
                                                              start)
                        .count());
      if (looked != looks) throw std::runtime_error(Cat("looked at ", looked));
    }
    std::nth_element(all.begin(), all.begin() + times / 2, all.end());
    return all[static_cast<std::size_t>(times) / 2];
  }

  void MakeDue(int count) {
    plant_.database->Write([&](store::Session& session) {
      for (int id = 1; id <= count; ++id) {
        store::SetNextAction(session, id, clock_.Now(), clock_.Now());
      }
    });
  }
  // From now on the first `count` are to be renewed.
  void Age() { clock_.PassSeconds(65 * kDay); }
  int orders() const { return ca_.orders; }
  Plant& plant() { return plant_; }

 private:
  SimClock clock_;
  SimCa ca_{clock_};
  QuickPresenter presenter_;
  Plant plant_;
};

void Measure(const Path& dir) {
  log::SetLevel(log::Level::kOff);
  Ticks ticks(dir);
  const auto nothing = [] {};
  ticks.Median(20, 0, nothing);  // pages in memory
  const double none = ticks.Median(501, 0, nothing);
  ticks.plant().database->TakeEffort();
  ticks.Median(1, 0, nothing);
  const auto effort = ticks.plant().database->TakeEffort();
  const double one = ticks.Median(101, 1, [&] { ticks.MakeDue(1); });
  const double many = ticks.Median(5, kMany, [&] { ticks.MakeDue(kMany); });
  std::printf("{\"nothing\": %.1f, \"steps\": %lld, \"one\": %.1f, \"many\": %.1f}\n", none,
              static_cast<long long>(effort.virtual_machine_steps), one, many);
}

}  // namespace
}  // namespace certwright::sim

int main(int argc, char** argv) {
  try {
    if (argc == 4 && std::strcmp(argv[1], "fill") == 0) {
      certwright::sim::Fill(argv[2], std::stoll(argv[3]));
    } else if (argc == 3 && std::strcmp(argv[1], "ticks") == 0) {
      certwright::sim::Measure(argv[2]);
    } else {
      std::fprintf(stderr, "usage: scheduler_helper fill DIR COUNT | ticks DIR\n");
      return 64;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "scheduler_helper: %s\n", error.what());
    return 1;
  }
  return 0;
}
