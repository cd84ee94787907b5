// Issuance over a real store and real keys, with a CA in memory, a clock that is moved by hand and
// no responder.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "certwright/acme/client.h"
#include "certwright/crypto/certificate.h"
#include "certwright/issue/authorities.h"
#include "certwright/issue/housekeeping.h"
#include "certwright/issue/obtain.h"
#include "certwright/store/accounts.h"
#include "certwright/store/certificates.h"
#include "certwright/store/events.h"
#include "certwright/store/orders.h"
#include "certwright/store/settings.h"
#include "fake_ca.h"

namespace certwright::issue {

using acme::testing::FailureOf;
using acme::testing::FakeCa;
using acme::testing::kDay;
using acme::testing::kDirectoryUrl;
using acme::testing::kNow;
using acme::testing::NetworkFailure;
using acme::testing::ProblemAnswer;
using acme::testing::Seen;

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cw-issue-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  ~TempDir() { std::filesystem::remove_all(path_); }
  const Path& path() const { return path_; }

 private:
  Path path_;
};

// A CA that is turned to when the one before is down.
struct Fallback {
  std::string directory_url;
  http::Transport* transport;
  std::string profile = {};
};

struct FallbackCa {
  FallbackCa(const Fallback& fallback, store::Database& database, Clock& clock,
             const acme::AccountWishes& wishes)
      : client(fallback.directory_url, *fallback.transport, clock),
        accounts(
            database, client, [&wishes] { return wishes; }, clock) {}

  acme::Client client;
  AccountKeeper accounts;
};

// What a process is made of: gone and made anew at a restart.
struct Process {
  Process(const Path& dir, const std::string& directory_url, http::Transport& transport,
          acme::Http01Presenter& presenter, Clock& clock, const acme::AccountWishes& wishes,
          const std::vector<Fallback>& others, CaaCheck caa,
          const std::vector<model::CaLimits>& limits)
      : database(store::Database::Open(dir)),
        ledger(limits),
        client(directory_url, transport, clock),
        accounts(
            *database, client, [&wishes] { return wishes; }, clock, ledger),
        fallbacks(MakeFallbacks(others, clock, wishes)),
        authorities(InOrder(others)),
        feed(*database, clock),
        obtainer(*database, authorities, presenter, feed, clock, Fuse{}, {},
                 [&clock](const Failure& failure, int failures) -> AfterFailure {
                   const UnixSeconds at = std::max(failure.retry_at, clock.Now() + 60);
                   return {at, at, failures == 1 ? "failed" : failures == 3 ? "parked" : ""};
                 },
                 std::move(caa), ledger) {}

  std::vector<std::unique_ptr<FallbackCa>> MakeFallbacks(const std::vector<Fallback>& others,
                                                         Clock& clock,
                                                         const acme::AccountWishes& wishes) {
    std::vector<std::unique_ptr<FallbackCa>> made;
    for (const Fallback& other : others) {
      made.push_back(std::make_unique<FallbackCa>(other, *database, clock, wishes));
    }
    return made;
  }
  Authorities InOrder(const std::vector<Fallback>& others) {
    std::vector<Authority> in_order = {{client, accounts, {}, {}}};
    for (std::size_t i = 0; i < others.size(); ++i) {
      in_order.push_back({fallbacks[i]->client, fallbacks[i]->accounts, others[i].profile, ""});
    }
    return Authorities(std::move(in_order));
  }

  std::unique_ptr<store::Database> database;
  const Ledger ledger;
  acme::Client client;
  AccountKeeper accounts;
  std::vector<std::unique_ptr<FallbackCa>> fallbacks;
  Authorities authorities;
  events::Feed feed;
  Obtainer obtainer;
};

class IssueTest : public testing::Test {
 protected:
  IssueTest() { Restart(); }

  void Stop() { process_.reset(); }
  // For the next row of a table: an empty store, the time and the CA as at the start.
  void SetUpAgain() {
    Stop();
    std::filesystem::remove_all(temp_.path() / "state");
    clock_.Pass((kNow - clock_.Now()) * std::chrono::seconds(1));
    ca_.before = nullptr;
    ca_.valid_from = kNow - 3600;
    ca_.valid_to = kNow + 90 * kDay;
    Restart();
  }
  void Restart() {
    Stop();
    process_.emplace(temp_.path() / "state", directory_url_, *transport_, presenter_, clock_,
                     wishes_, fallbacks_, caa_, limits_);
  }
  // From the next start on another CA is asked.
  void ChangeCa(const std::string& directory_url, http::Transport& transport) {
    directory_url_ = directory_url;
    transport_ = &transport;
    Restart();
  }

  static ObtainRequest Wish(const std::vector<std::string>& names) {
    ObtainRequest request;
    request.identifiers = model::ParseIdentifiers(names);
    return request;
  }
  ObtainResult Obtain(const ObtainRequest& request, std::stop_token stop = {}) {
    return process_->obtainer.Obtain(request, nullptr, stop);
  }
  ObtainResult Obtain(const std::vector<std::string>& names) { return Obtain(Wish(names)); }
  Failure Fails(const ObtainRequest& request, std::stop_token stop = {}) {
    return FailureOf([&] { Obtain(request, stop); });
  }
  Failure Fails(const std::vector<std::string>& names) { return Fails(Wish(names)); }

  template <typename Work>
  auto Read(Work&& work) {
    return process_->database->Read(std::forward<Work>(work));
  }
  store::HeldCertificate Held(const std::string& name_set) {
    const auto held =
        Read([&](store::Session& session) { return store::FindByNameSet(session, name_set); });
    EXPECT_TRUE(held) << name_set;
    return held.value_or(store::HeldCertificate{});
  }
  // Newest first.
  std::vector<model::OrderRecord> Orders(const std::string& name_set) {
    return Read([&](store::Session& session) {
      const auto held = store::FindByNameSet(session, name_set);
      return store::ListOrders(session, held ? held->certificate.id : 0, 100);
    });
  }
  std::vector<model::Event> Events() {
    return Read([](store::Session& session) { return store::ListEvents(session, 0, 100); });
  }
  std::vector<model::Event> Changes() {
    std::vector<model::Event> changes = Events();
    std::erase_if(changes,
                  [](const model::Event& event) { return event.name != "certificate-changed"; });
    return changes;
  }
  // The name that is remembered for a module, or "".
  std::string RequestOf(const std::string& owner) {
    return Read([&](store::Session& session) {
      const auto request = store::FindNameRequest(session, owner);
      return request ? request->fqdn : "";
    });
  }

  // SQL behind the store's back, between two processes.
  void Meddle(const std::string& sql) {
    Stop();
    sqlite3* file = nullptr;
    ASSERT_EQ(sqlite3_open((temp_.path() / "state/certwright.db").c_str(), &file), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(file, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(file);
    sqlite3_close(file);
    Restart();
  }

  void Pass(UnixSeconds seconds) { clock_.Pass(std::chrono::seconds(seconds)); }
  // The CA answers such requests so, and acts on none of them.
  void Answers(const std::string& kind, const http::Response& response) {
    ca_.before = [=](const Seen& seen) -> std::optional<http::Response> {
      if (seen.kind == kind) return response;
      return std::nullopt;
    };
  }
  // Such requests do not reach the CA, for now.
  void Cut(const std::string& kind) {
    ca_.before = [=](const Seen& seen) -> std::optional<http::Response> {
      if (seen.kind == kind) throw Error(NetworkFailure());
      return std::nullopt;
    };
  }

  TempDir temp_;
  acme::testing::FakeClock clock_;
  FakeCa ca_;
  acme::testing::FakePresenter presenter_{clock_};
  acme::AccountWishes wishes_;
  std::string directory_url_ = kDirectoryUrl;
  http::Transport* transport_ = &ca_;
  std::vector<Fallback> fallbacks_;  // from the next start on
  CaaCheck caa_;
  std::vector<model::CaLimits> limits_;  // the same
  std::optional<Process> process_;
};

}  // namespace certwright::issue
