// A runner over a real store, a real feed and a CA in memory.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>

#include "certwright/acme/client.h"
#include "certwright/actions/runner.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"
#include "certwright/store/certificates.h"
#include "certwright/store/events.h"
#include "certwright/store/settings.h"
#include "certwright/store/uploads.h"
#include "fake_ca.h"

namespace certwright::actions {

inline constexpr UnixSeconds kNow = 1'800'000'000;
inline constexpr UnixSeconds kDay = 24 * 3600;

// Stands still but for sleeps, which take no time.
class FakeClock : public Clock {
 public:
  UnixSeconds Now() const override { return now; }
  Steady SteadyNow() const override { return Steady(Millis(slept_.load())); }
  bool Sleep(Millis duration, std::stop_token stop) override {
    if (stop.stop_requested()) return false;
    slept_ += duration.count();
    return true;
  }
  std::atomic<UnixSeconds> now = kNow;

 private:
  std::atomic<std::int64_t> slept_ = 0;
};

class NobodyLooks : public acme::Http01Presenter {
 public:
  void Present(const std::string&, const std::string&) override {}
  void Withdraw(const std::string&) override {}
  bool WaitFetched(const std::vector<std::string>&, Millis, Millis, std::stop_token) override {
    return false;
  }
};

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cw-act-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  ~TempDir() { std::filesystem::remove_all(path_); }
  const Path& path() const { return path_; }

 private:
  Path path_;
};

// A certificate as a test puts it into the store.
struct Given {
  std::vector<std::string> names;
  model::Origin origin = model::Origin::kAcme;
  UnixSeconds from = kNow - 10 * kDay;
  UnixSeconds to = kNow + 80 * kDay;
  std::string owner = {};
};

class ActionsTest : public testing::Test {
 protected:
  ActionsTest()
      : database_(store::Database::Open(temp_.path() / "state")),
        ca_(clock_),
        client_(kDirectory, ca_, clock_),
        accounts_(*database_, client_, Wishes, clock_),
        feed_(*database_, clock_),
        obtainer_(*database_, authorities_, presenter_, feed_, clock_, issue::Fuse{}, {},
                  [this](const Failure&, int) -> issue::AfterFailure {
                    return {clock_.Now() + 60, clock_.Now() + 60, ""};
                  },
                  nullptr, ledger_) {
    jobs_.emplace(obtainer_, clock_, 4);
    scheduler_.emplace(*database_, obtainer_, *jobs_, feed_, clock_, SystemRandom());
    runner_.emplace(MakeContext());
  }

  Context MakeContext() {
    const auto deliver = [this](std::int64_t seq, Millis, std::stop_token) {
      const std::lock_guard guard(delivered_mutex_);
      delivered_.push_back(seq);
      return deliver_works_;
    };
    return {*database_, obtainer_, *jobs_, authorities_, *scheduler_, revoker_,
            chores_,    feed_,     nullptr, clock_,      deliver,
            1,          false,
            [this] { return server_; },
            [this](const store::AcmeServer& server) {
              if (server.url.starts_with("http:")) throw Error(FailureCode::kInput, "plain http");
              server_ = server;
            },
            upload_};
  }

  Result Run(const std::string& action, const std::string& input, const std::string& caller = "",
             const std::string& role = "owner") {
    return runner_->Run({action, input, role, caller}, nullptr, {});
  }
  // The reasons of the events so far: "certificate-changed deleted, ...".
  std::string Events() {
    std::string text;
    for (const model::Event& event : database_->Read(
             [](store::Session& session) { return store::ListEvents(session, 0, 1000); })) {
      text += Cat(text.empty() ? "" : ", ", event.name, " ", event.reason);
    }
    return text;
  }
  // The output of a call that works.
  json::Value Output(const std::string& action, const std::string& input,
                     const std::string& caller = "") {
    const Result result = Run(action, input, caller);
    EXPECT_EQ(result.exit_code, 0) << action << ' ' << input << ": " << result.error;
    EXPECT_EQ(result.status, "completed");
    return result.output.value_or(json::Value());
  }

  store::HeldCertificate Hold(const Given& given) {
    const auto names = model::ParseIdentifiers(given.names);
    model::CertificateVersion version = crypto::SelfSigned(names, given.from, given.to);
    version.origin = given.origin;
    version.created_at = given.from;
    return database_->Write([&](store::Session& session) {
      if (given.origin == model::Origin::kUpload) {
        store::SaveUpload(session, version.subject, version, given.from);
        return *store::FindUpload(session, version.subject);
      }
      model::ManagedCertificate wanted;
      wanted.names = names;
      wanted.owner = given.owner;
      version.certificate_id = store::EnsureManaged(session, wanted, kNow).id;
      store::AddCurrentVersion(session, version, given.to - 10 * kDay, kNow);
      return *store::FindById(session, version.certificate_id);
    });
  }

  bool IsInStore(const std::string& name_set) {
    return database_->Read([&](store::Session& session) {
      return store::FindByNameSet(session, name_set) || store::FindUpload(session, name_set);
    });
  }

  // The name that is remembered for a module, or "".
  std::string RequestOf(const std::string& caller) {
    return database_->Read([&](store::Session& session) {
      const auto request = store::FindNameRequest(session, caller);
      return request ? request->fqdn : "";
    });
  }

  model::CertificateVersion VersionOf(const std::string& name_set) {
    return database_->Read([&](store::Session& session) {
      return *store::FindByNameSet(session, name_set)->current;
    });
  }

  static acme::AccountWishes Wishes() {
    acme::AccountWishes wishes;
    wishes.agree_to_terms = true;
    return wishes;
  }

  TempDir temp_;
  FakeClock clock_;
  std::unique_ptr<store::Database> database_;
  FakeCa ca_;
  acme::Client client_;
  issue::AccountKeeper accounts_;
  issue::Authorities authorities_{{{client_, accounts_, {}, {}}}};
  NobodyLooks presenter_;
  events::Feed feed_;
  const issue::Ledger ledger_{
      {{"Test CA",
        {kDirectory},
        {{model::LimitName::kOrders, 300, 3 * 3600, true, true, 30},
         {model::LimitName::kCertificatesPerDomain, 50, 7 * kDay, true, false, 5}}}}};
  issue::Obtainer obtainer_;
  issue::Revoker revoker_{*database_, authorities_, feed_, clock_};
  issue::Chores chores_{*database_, authorities_, revoker_, {}, clock_};
  std::optional<issue::Jobs> jobs_;
  std::optional<renewal::Scheduler> scheduler_;
  std::mutex delivered_mutex_;
  std::vector<std::int64_t> delivered_;
  bool deliver_works_ = true;
  store::AcmeServer server_{kDirectory, "admin@example.org", "HTTP-01"};
  UploadPolicy upload_;
  std::optional<Runner> runner_;
};

// The one violation of a failed check.
inline json::Value OneViolation(const Result& result) {
  EXPECT_EQ(result.status, "validation-failed");
  const json::Array items = result.output ? result.output->Items() : json::Array{};
  EXPECT_EQ(items.size(), 1u) << json::Write(result.output.value_or(json::Value()));
  return items.empty() ? json::Value() : items.front();
}

// Text that may stand in a literal of another language (contract.md).
inline bool IsPlain(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) {
    return c < 0x20 || c == 0x7f || c == '"' || c == '\\';
  });
}

}  // namespace certwright::actions
