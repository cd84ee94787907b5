#include "certwright/store/audit.h"

#include "store_fixture.h"
#include "sqlite3.h"

namespace certwright::store {
namespace {

constexpr UnixSeconds kNow = 1'800'000'000;

class Audit : public StoreTest {
 protected:
  std::int64_t Append(const std::string& subject, UnixSeconds at = kNow) {
    return database().Write([&](Session& session) {
      return AppendAudit(session, {0, at, "certadm", "module/mail1", "get-certificate", subject,
                                   "released"});
    });
  }
  std::vector<AuditEntry> After(std::int64_t seq, int limit = 1000) {
    return database().Read([&](Session& session) { return ListAudit(session, seq, limit); });
  }
  // What SQLite says to a statement behind the store's back; the store is closed for it.
  std::string Tampering(const std::string& sql) {
    Close();
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(file().c_str(), &db), SQLITE_OK);
    char* words = nullptr;
    const int result = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &words);
    std::string said = result == SQLITE_OK ? "" : words;
    sqlite3_free(words);
    sqlite3_close(db);
    return said;
  }
};

TEST_F(Audit, IsReadInOrderFromBehindANumber) {
  const std::int64_t first = Append("a.example.org");
  const std::int64_t second = Append("b.example.org", kNow + 5);
  EXPECT_LT(first, second);
  Close();
  const auto all = After(0);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].seq, first);
  EXPECT_EQ(all[0].at, kNow);
  EXPECT_EQ(all[0].role, "certadm");
  EXPECT_EQ(all[0].caller, "module/mail1");
  EXPECT_EQ(all[0].action, "get-certificate");
  EXPECT_EQ(all[0].subject, "a.example.org");
  EXPECT_EQ(all[0].outcome, "released");
  ASSERT_EQ(After(first).size(), 1u);
  EXPECT_EQ(After(first)[0].subject, "b.example.org");
  EXPECT_EQ(After(0, 1).size(), 1u);
  EXPECT_TRUE(After(second).empty());
}

TEST_F(Audit, TheDatabaseItselfRefusesToChangeOrToLoseAnEntry) {
  Append("a.example.org");
  Append("old.example.org", kNow - kAuditKept - 1);
  const struct {
    const char* name;
    const char* sql;
  } kTable[] = {
      {"change", "UPDATE audit SET subject = 'x' WHERE seq = 1"},
      {"change all", "UPDATE audit SET outcome = 'denied'"},
      {"delete", "DELETE FROM audit WHERE seq = 1"},
      {"delete all", "DELETE FROM audit"},
      {"delete an old one of few", "DELETE FROM audit WHERE seq = 2"},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(Tampering(row.sql), "the audit log is append-only") << row.name;
  }
  EXPECT_EQ(After(0).size(), 2u);
  EXPECT_NE(Tampering("INSERT INTO audit (at, role, caller, action, subject, outcome) "
                      "VALUES (1, '', '', '', '', 'forgotten')"),
            "");
}

TEST_F(Audit, OldEntriesGoOnceThereAreManyNewerOnes) {
  Append("old.example.org", kNow - kAuditKept);
  Append("a day younger", kNow - kAuditKept + 86400);
  database().Write([](Session& session) {
    for (std::int64_t i = 0; i < kAuditEntriesKept + 256; ++i) {
      AppendAudit(session, {0, kNow, "owner", "", "export", "", "released"});
    }
  });
  const auto first = After(0, 1);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].subject, "a day younger");
}

TEST_F(Audit, WrittenSoonOutlivesTheProcess) {
  Close();
  const int code = InChild([&]() -> int {
    auto store = Database::Open(dir());
    store->WriteSoon([](Session& session) {
      AppendAudit(session, {0, kNow, "owner", "", "export", "a.example.org", "released"});
    });
    ::_exit(7);  // nothing is closed
  });
  EXPECT_EQ(code, 7);
  ASSERT_EQ(After(0).size(), 1u);
  EXPECT_EQ(After(0)[0].subject, "a.example.org");
}

TEST_F(Audit, AnErrorInsideWriteSoonUndoesIt) {
  const auto failing = [](Session& session) -> int {
    AppendAudit(session, {0, kNow, "owner", "", "export", "a.example.org", "released"});
    throw 1;
  };
  EXPECT_THROW(database().WriteSoon(failing), int);
  EXPECT_TRUE(After(0).empty());
  Append("b.example.org");
  EXPECT_EQ(After(0).size(), 1u);
}

}  // namespace
}  // namespace certwright::store
