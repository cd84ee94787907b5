#include <gmock/gmock.h>
#include <sqlite3.h>

#include "certwright/store/accounts.h"
#include "certwright/store/audit.h"
#include "certwright/store/backup.h"
#include "certwright/store/exports.h"
#include "certwright/store/revocations.h"
#include "certwright/store/routes.h"
#include "certwright/store/served.h"
#include "certwright/store/tasks.h"
#include "store_fixture.h"

namespace certwright::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr UnixSeconds kAt = 1'800'000'000;

class RestoreTest : public StoreTest {
 protected:
  Path backup() const { return temp_.path() / "backup.db"; }
  void TakeBackup() { Backup(database(), backup(), true); }
  RestoreReport PutBack() {
    Close();
    return Restore(dir(), backup(), kAt);
  }
  // Nothing was changed, and nothing is left beside it.
  void ExpectRefused(FailureCode code, const std::string& words) {
    Close();
    const std::string before = Slurp(file());
    const Failure failure = FailureOf([&] { Restore(dir(), backup(), kAt); });
    EXPECT_EQ(failure.code, code);
    EXPECT_THAT(failure.detail, HasSubstr(words));
    EXPECT_EQ(Slurp(file()), before);
    for (const auto& entry : std::filesystem::directory_iterator(dir())) {
      EXPECT_THAT(entry.path().filename().string(),
                  testing::AnyOf("certwright.db", "certwright.lock"));
    }
  }
  static void Meddle(const Path& database, const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(database.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  std::optional<HeldCertificate> Held(const std::string& name_set) {
    return database().Read([&](Session& session) { return FindByNameSet(session, name_set); });
  }
  void Renew(const model::ManagedCertificate& certificate, const std::string& serial) {
    database().Write([&](Session& session) {
      AddCurrentVersion(session, VersionFor(certificate, serial), 5000, 1000);
    });
  }
  // "certificate-changed" events after `seq`: "reason names".
  std::vector<std::string> EventsAfter(std::int64_t seq) {
    return database().Read([&](Session& session) {
      std::vector<std::string> all;
      for (const auto& event : ListEvents(session, seq, 100)) {
        all.push_back(event.reason + " " + event.names.at(0));
      }
      return all;
    });
  }
  std::int64_t Tell(const std::string& name) {
    return database().Write([&](Session& session) {
      model::Event event;
      event.name = "certificate-changed";
      event.reason = "issued";
      event.names = {name};
      return AppendEvent(session, event);
    });
  }
  model::OrderRecord Order(const model::ManagedCertificate& certificate, UnixSeconds at) {
    model::OrderRecord order;
    order.certificate_id = certificate.id;
    order.directory = "https://ca.example/dir";
    order.identifiers = certificate.names;
    order.created_at = at;
    order.id = database().Write([&](Session& session) { return InsertOrder(session, order); });
    return order;
  }
};

TEST_F(RestoreTest, PutsTheBackupIntoItsPlaceAndKeepsTheFormerStore) {
  const auto certificate = Hold({"a.example.org"}, "01");
  TakeBackup();
  Renew(certificate, "02");
  const RestoreReport report = PutBack();
  EXPECT_EQ(Held("a.example.org")->current->serial_hex, "01");
  EXPECT_THAT(report.differing, ElementsAre("a.example.org"));
  EXPECT_EQ(report.unreadable, "");
  EXPECT_EQ(report.former, dir() / "certwright.db.before-restore-20270115T080000Z");
  EXPECT_EQ(PutBack().former, report.former.string() + "-2") << "within the same second";
  Close();
  std::filesystem::rename(report.former, file());
  EXPECT_EQ(Held("a.example.org")->current->serial_hex, "02") << "and it is whole";
}

TEST_F(RestoreTest, TellsWhatDiffersAndNothingElse) {
  Hold({"same.example.org"}, "01");
  const auto renewed = Hold({"renewed.example.org"}, "02");
  const auto deleted = Hold({"deleted.example.org"}, "03");
  TakeBackup();
  Renew(renewed, "04");
  database().Write([&](Session& session) { DeleteCertificate(session, deleted.id); });
  Hold({"new.example.org"}, "05");
  const std::int64_t last = Tell("told.example.org");
  PutBack();
  EXPECT_THAT(EventsAfter(last),
              ElementsAre("restored deleted.example.org", "restored renewed.example.org",
                          "restored new.example.org"));
  EXPECT_FALSE(Held("new.example.org"));
}

TEST_F(RestoreTest, TheFeedGoesOnWhereItWas) {
  Tell("first.example.org");
  database().Write([](Session& session) {
    SavePosition(session, "traefik", 1, 1000);
    SavePosition(session, "handlers", 0, 1000);
  });
  Hold({"a.example.org"});
  TakeBackup();
  const std::int64_t last = Tell("second.example.org");
  database().Write([&](Session& session) { SavePosition(session, "traefik", last, 1000); });
  PutBack();
  EXPECT_THAT(EventsAfter(0), ElementsAre("issued first.example.org", "issued second.example.org"));
  database().Read([&](Session& session) {
    EXPECT_EQ(FindPosition(session, "traefik"), last);
    EXPECT_EQ(FindPosition(session, "handlers"), 0);
  });
  EXPECT_EQ(Tell("third.example.org"), last + 1);
}

TEST_F(RestoreTest, GivesNoIdAwayTwice) {
  TakeBackup();
  const auto later = Hold({"later.example.org"});
  const auto order = Order(later, 1000);
  PutBack();
  const auto next = Hold({"next.example.org"});
  EXPECT_GT(next.id, later.id);
  EXPECT_GT(Order(next, 1000).id, order.id);
}

TEST_F(RestoreTest, TheFuseForgetsNoOrder) {
  const auto certificate = Ensure({"a.example.org"});
  Order(certificate, 1000);
  TakeBackup();
  Order(certificate, 2000);
  Order(certificate, 3000);
  PutBack();
  EXPECT_EQ(database().Read([&](Session& session) {
    return CountOrdersSince(session, "a.example.org", 0);
  }), 3);
}

TEST_F(RestoreTest, WhatIsUnderWayAtTheCaIsCarriedOn) {
  const auto certificate = Ensure({"a.example.org"});
  model::OrderRecord order = Order(certificate, 1000);
  TakeBackup();
  Order(Ensure({"asked.after.it"}), 1000);
  order.url = "https://ca.test/order/1";
  order.state = model::OrderState::kProcessing;
  database().Write([&](Session& session) { SaveOrder(session, order); });
  PutBack();
  const auto open = database().Read([](Session& session) { return ListOpenOrders(session); });
  ASSERT_EQ(open.size(), 1u) << "as it stands by now, not as it stood then; and of what is held";
  EXPECT_EQ(open[0].url, order.url);
  EXPECT_EQ(open[0].state, model::OrderState::kProcessing);
  EXPECT_EQ(open[0].key_pem, order.key_pem);
  EXPECT_EQ(open[0].certificate_id, Held("a.example.org")->certificate.id);
}

TEST_F(RestoreTest, TheLedgerOfTheCaForgetsNothing) {
  const std::string row = "INSERT INTO ca_budget VALUES ('ca', 'orders', '', ";
  Close();
  Open();
  Close();
  Meddle(file(), row + "5000, 1, 10)");
  TakeBackup();
  Close();
  Meddle(file(), "UPDATE ca_budget SET arrival_ms = 9000");
  Meddle(file(), "INSERT INTO ca_budget VALUES ('ca', 'domain', 'example.org', 7000, 1, 10)");
  PutBack();
  Meddle(file(), "CREATE TEMP TABLE t (x CHECK (x)); "
                 "INSERT INTO t SELECT sum(arrival_ms) = 16000 FROM ca_budget");
}

TEST_F(RestoreTest, TheCaKnowsTheLatestKeyOfAnAccount) {
  const auto save = [&](const std::string& directory, const std::string& url, const char* key) {
    database().Write([&](Session& session) {
      model::Account account;
      account.directory = directory;
      account.url = url;
      account.key_pem = Secret(key);
      SaveAccount(session, account);
    });
  };
  save("ca1", "account/1", "old key");
  save("ca2", "account/1", "old key");
  TakeBackup();
  save("ca1", "account/1", "rolled over");
  save("ca2", "account/2", "of another account");
  save("ca3", "account/1", "new");
  PutBack();
  database().Read([&](Session& session) {
    EXPECT_EQ(FindAccount(session, "ca1")->key_pem, Secret("rolled over"));
    EXPECT_EQ(FindAccount(session, "ca2")->key_pem, Secret("of another account"));
    EXPECT_EQ(FindAccount(session, "ca2")->url, "account/2");
    EXPECT_EQ(FindAccount(session, "ca3")->key_pem, Secret("new"));
  });
}

TEST_F(RestoreTest, WhatWasRevokedIsNotBroughtBack) {
  const auto replaced = Hold({"replaced.example.org"}, "01");
  const auto removed = Hold({"removed.example.org"}, "02");
  const auto half = Hold({"half.example.org"}, "03");
  TakeBackup();
  database().Write([&](Session& session) {
    for (const char* serial : {"01", "02", "03"}) {
      const std::int64_t id = FindVersionBySerial(session, serial)->id;
      WantRevoked(session, id, {"keyCompromise"});
      if (std::string(serial) != "03") RecordRevoked(session, id, 2000);
    }
    DeleteCertificate(session, removed.id);
  });
  Renew(replaced, "04");
  PutBack();
  ASSERT_TRUE(Held("replaced.example.org"));
  EXPECT_FALSE(Held("replaced.example.org")->current) << "to be ordered anew";
  EXPECT_FALSE(Held("removed.example.org"));
  EXPECT_EQ(Held("half.example.org")->current->revocation_reason, "keyCompromise");
  EXPECT_EQ(Held("half.example.org")->current->revoked_at, 0);
}

TEST_F(RestoreTest, WhatOthersHaveStaysAsItIs) {
  const auto save = [&](const std::string& text, bool due) {
    database().Write([&](Session& session) {
      ExportState state;
      state.name = "mail";
      state.made_of = text;
      state.reload_due = due;
      SaveExport(session, state);
      SaveAcknowledgement(session, {"mail1", "a.example.org", text, 1});
      ServedState served;
      served.endpoint = "traefik";
      served.name = "a.example.org";
      served.seen = text;
      SaveServed(session, served);
    });
  };
  save("0a", false);
  TakeBackup();
  save("0b", true);
  PutBack();
  database().Read([&](Session& session) {
    EXPECT_EQ(FindExport(session, "mail")->made_of, "0b");
    EXPECT_TRUE(FindExport(session, "mail")->reload_due);
    ASSERT_EQ(ListAcknowledgements(session).size(), 1U);
    EXPECT_EQ(ListAcknowledgements(session)[0].serial, "0b");
    ASSERT_EQ(ListServed(session).size(), 1U);
    EXPECT_EQ(ListServed(session)[0].seen, "0b");
  });
}

TEST_F(RestoreTest, WithoutAFormerStoreEverythingIsTold) {
  Hold({"a.example.org"});
  TakeBackup();
  Close();
  std::filesystem::remove_all(dir());
  const RestoreReport report = PutBack();
  EXPECT_EQ(report.former, Path());
  EXPECT_THAT(report.differing, ElementsAre("a.example.org"));
  EXPECT_THAT(EventsAfter(0), ElementsAre("restored a.example.org"));
}

TEST_F(RestoreTest, TakesThePlaceOfAStoreThatCannotBeRead) {
  Hold({"a.example.org"});
  TakeBackup();
  Close();
  Spill(file(), "no database at all");
  Spill(Path(file().string() + "-wal"), "rubbish");
  const RestoreReport report = PutBack();
  EXPECT_THAT(report.unreadable, HasSubstr("damaged"));
  EXPECT_EQ(Slurp(report.former), "no database at all");
  EXPECT_EQ(Slurp(Path(report.former.string() + "-wal")), "rubbish");
  EXPECT_TRUE(Held("a.example.org")->current);
}

TEST_F(RestoreTest, KeepsWhatAProcessThatDiedLeftInTheLog) {
  Hold({"a.example.org"}, "01");
  TakeBackup();
  Close();
  // A commit that is in the log only.
  InChild([&] {
    database().Write([](Session& session) {
      model::Event event;
      event.name = "certificate-changed";
      event.reason = "issued";
      event.names = {"late.example.org"};
      AppendEvent(session, event);
    });
    return 0;
  });
  PutBack();
  EXPECT_THAT(EventsAfter(0), ElementsAre("issued late.example.org"));
}

TEST_F(RestoreTest, WaitsForNobodyWhoHoldsTheStore) {
  TakeBackup();
  EXPECT_EQ(FailureOf([&] { Restore(dir(), backup(), kAt); }).code, FailureCode::kBusy);
}

TEST_F(RestoreTest, RefusesWhatIsNoBackup) {
  Hold({"a.example.org"});
  TakeBackup();
  const std::string good = Slurp(backup());
  Spill(backup(), "hello");
  ExpectRefused(FailureCode::kDamaged, "cannot be restored");
  Spill(backup(), "");
  ExpectRefused(FailureCode::kDamaged, "empty");
  Spill(backup(), good.substr(0, good.size() / 2));
  ExpectRefused(FailureCode::kDamaged, "cannot be restored");
  std::string torn = good;
  for (std::size_t i = 4096; i < 4096 * 3; ++i) torn[i] = 'x';
  Spill(backup(), torn);
  ExpectRefused(FailureCode::kDamaged, "cannot be restored");
  std::filesystem::remove(backup());
  ExpectRefused(FailureCode::kNotFound, "backup.db");
  std::filesystem::create_directory(backup());
  ExpectRefused(FailureCode::kInput, "is no file");
}

TEST_F(RestoreTest, BringsRoutesBackAndTellsOfTheirHosts) {
  const auto set = [&](const std::string& instance, const std::string& host) {
    model::Route route;
    route.instance = instance;
    route.host = host;
    database().Write([&](Session& session) { SaveRoute(session, route, 1000); });
  };
  set("a", "a.example.org");
  set("b", "b.example.org");
  TakeBackup();
  database().Write([&](Session& session) { DeleteRoute(session, "b", 1000); });
  set("c", "c.example.org");
  const std::int64_t seq = database().Read(LastEvent);
  PutBack();
  database().Read([&](Session& session) {
    EXPECT_EQ(ListRoutes(session).size(), 2u);
    const auto events = ListEvents(session, seq, 10);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].name, "hosts-changed");
    EXPECT_EQ(events[0].reason, "restored");
    EXPECT_THAT(events[0].names, ElementsAre("b.example.org", "c.example.org"));
  });
  TakeBackup();
  const std::int64_t again = database().Read(LastEvent);
  Close();
  Restore(dir(), backup(), kAt + 1);
  EXPECT_EQ(database().Read(LastEvent), again) << "the same hosts";
}

TEST_F(RestoreTest, RefusesOtherProgramsAndTheFuture) {
  Hold({"a.example.org"});
  TakeBackup();
  Meddle(backup(), "PRAGMA user_version = 99");
  ExpectRefused(FailureCode::kConfig, "schema 99");
  Meddle(backup(), "PRAGMA user_version = 3; PRAGMA application_id = 7");
  ExpectRefused(FailureCode::kConfig, "another program");
}

TEST_F(RestoreTest, BringsAnOldBackupUpToDate) {
  const Path old = temp_.path() / "old";
  const std::string schema = Slurp(CERTWRIGHT_FIRST_SCHEMA);
  const EmbeddedFile first{"0001_first.sql", schema};
  Database::Open(old, std::span(&first, 1))->Write([](Session&) {});
  std::filesystem::copy_file(old / "certwright.db", backup());
  Hold({"a.example.org"});
  const int newest = database().schema_version();
  ASSERT_GT(newest, 1);
  const RestoreReport report = PutBack();
  EXPECT_EQ(report.schema, 1);
  EXPECT_EQ(database().schema_version(), newest);
  EXPECT_FALSE(Held("a.example.org"));
}

TEST_F(RestoreTest, TheAuditLogGoesOnAndTasksAreThoseOfNow) {
  const auto append = [&](const std::string& subject) {
    database().Write([&](Session& session) {
      AppendAudit(session, {0, kAt, "owner", "", "export", subject, "released"});
      model::Task task;
      task.id = subject;
      InsertTask(session, task);
    });
  };
  append("before");
  TakeBackup();
  append("after");
  database().Write([](Session& session) {
    auto task = *FindTask(session, "before");
    task.status = model::TaskStatus::kCompleted;
    task.ended_at = kAt;
    SaveTask(session, task);
  });
  PutBack();
  database().Read([](Session& session) {
    const auto entries = ListAudit(session, 0, 100);
    ASSERT_EQ(entries.size(), 2u);
    EXPECT_EQ(entries[0].subject, "before");
    EXPECT_EQ(entries[1].subject, "after");
    const auto open = ListOpenTasks(session);
    ASSERT_EQ(open.size(), 1u) << "what ended is not done again";
    EXPECT_EQ(open[0].id, "after");
  });
}

}  // namespace
}  // namespace certwright::store
