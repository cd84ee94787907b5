#include <sqlite3.h>

#include "store_fixture.h"

namespace certwright::store {
namespace {

class StoreOpen : public StoreTest {
 protected:
  // Runs SQL on the closed file, as another program would.
  void Meddle(const std::string& sql) { MeddleWith(file(), sql); }
  static void MeddleWith(const Path& path, const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  static mode_t ModeOf(const Path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
  }
};

TEST_F(StoreOpen, MakesAFreshStoreThatNobodyElseCanRead) {
  const mode_t former = ::umask(0);
  Open();
  Hold({"a.example.org"});
  ::umask(former);
  EXPECT_EQ(ModeOf(dir()), 0700u);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir())) {
    EXPECT_EQ(ModeOf(entry.path()) & 0077, 0u) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 3) << "the database, its log and the lock";
}

TEST_F(StoreOpen, KeepsContentFromOneOpenToTheNext) {
  Hold({"a.example.org"});
  const int schema = database().schema_version();
  Close();
  Open();
  EXPECT_EQ(database().schema_version(), schema);
  EXPECT_EQ(database().Read([](Session& s) { return ListCertificates(s, true); }).size(), 1u);
}

TEST_F(StoreOpen, RecoversWhatAKilledProcessCommitted) {
  Open();
  Close();
  EXPECT_EQ(InChild([&] {
              Hold({"a.example.org"});
              return 7;  // by _exit: nothing is closed
            }),
            7);
  ASSERT_TRUE(std::filesystem::exists(dir() / "certwright.db-wal"));
  EXPECT_EQ(database().Read([](Session& s) { return ListCertificates(s, true); }).size(), 1u);
}

TEST_F(StoreOpen, MigratesAnOlderStoreAndKeepsACopy) {
  const std::vector<EmbeddedFile> first = {{"1", "CREATE TABLE a (x INTEGER) STRICT;"}};
  const std::vector<EmbeddedFile> both = {first[0], {"2", "CREATE TABLE b (y INTEGER) STRICT;"}};
  Database::Open(dir(), first).reset();
  EXPECT_EQ(Database::Open(dir(), both)->schema_version(), 2);
  const Path copy = dir() / "certwright-schema1.db";
  ASSERT_TRUE(std::filesystem::exists(copy));
  EXPECT_EQ(ModeOf(copy), 0600u);
  Meddle("SELECT y FROM b");
  MeddleWith(copy, "SELECT x FROM a");
}

TEST_F(StoreOpen, LeavesTheFormerSchemaWhereAMigrationFails) {
  const std::vector<EmbeddedFile> first = {{"1", "CREATE TABLE a (x INTEGER) STRICT;"}};
  const std::vector<EmbeddedFile> bad = {first[0], {"2", "CREATE TABLE b (y INTEGER); nonsense;"}};
  Database::Open(dir(), first).reset();
  EXPECT_THROW(Database::Open(dir(), bad), Error);
  EXPECT_EQ(Database::Open(dir(), first)->schema_version(), 1);
}

TEST_F(StoreOpen, RefusesANewerStoreAndLeavesItAlone) {
  Open();
  Close();
  Meddle("PRAGMA user_version = 99");
  const std::string before = Slurp(file());
  const Failure failure = FailureOf([&] { Open(); });
  EXPECT_EQ(failure.code, FailureCode::kConfig);
  EXPECT_NE(failure.detail.find("schema 99"), std::string::npos) << failure.detail;
  EXPECT_EQ(Slurp(file()), before);
}

TEST_F(StoreOpen, RefusesTheDatabaseOfAnotherProgram) {
  std::filesystem::create_directory(dir());
  std::filesystem::permissions(dir(), std::filesystem::perms::owner_all);
  Meddle("CREATE TABLE certificate (id)");
  const std::string before = Slurp(file());
  EXPECT_EQ(FailureOf([&] { Open(); }).code, FailureCode::kConfig);
  EXPECT_EQ(Slurp(file()), before);
}

TEST_F(StoreOpen, RefusesASymbolicLink) {
  Open();
  Close();
  std::filesystem::rename(file(), dir() / "elsewhere.db");
  std::filesystem::create_symlink("elsewhere.db", file());
  EXPECT_EQ(FailureOf([&] { Open(); }).code, FailureCode::kPermission);
}

TEST_F(StoreOpen, FollowsASymbolicLinkToTheDirectory) {
  Open();
  Close();
  std::filesystem::create_directory_symlink(dir(), temp_.path() / "link");
  EXPECT_NO_THROW(Database::Open(temp_.path() / "link"));
}

TEST_F(StoreOpen, NamesTheProcessThatHoldsTheStore) {
  Open();
  const Failure own = FailureOf([&] { Database::Open(dir()); });
  EXPECT_EQ(own.code, FailureCode::kBusy);
  EXPECT_EQ(InChild([&] {
              const Failure failure = FailureOf([&] { Database::Open(dir()); });
              const std::string words = "process " + std::to_string(::getppid());
              return failure.code == FailureCode::kBusy && failure.transient &&
                             failure.detail.find(words) != std::string::npos
                         ? 0
                         : 1;
            }),
            0);
  Close();
  EXPECT_NO_THROW(Open());
}

struct Damage {
  const char* name;
  std::function<void(std::string&)> apply;
};

void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

class DamagedStore : public StoreOpen, public testing::WithParamInterface<Damage> {};

TEST_P(DamagedStore, IsRefusedWithAdviceAndLeftAsItIs) {
  for (int i = 0; i < 40; ++i) {
    Hold({"host" + std::to_string(i) + ".example.org"}, "0" + std::to_string(i + 10));
  }
  Close();
  std::string content = Slurp(file());
  GetParam().apply(content);
  Spill(file(), content);
  const Failure failure = FailureOf([&] { Open(); });
  EXPECT_EQ(failure.code, FailureCode::kDamaged) << failure.detail;
  EXPECT_NE(failure.detail.find("is damaged: "), std::string::npos) << failure.detail;
  EXPECT_NE(failure.advice.find("restore"), std::string::npos) << failure.advice;
  EXPECT_EQ(Slurp(file()), content);
}

INSTANTIATE_TEST_SUITE_P(
    Table, DamagedStore,
    testing::Values(Damage{"empty", [](std::string& c) { c.clear(); }},
                    Damage{"cut_in_the_header", [](std::string& c) { c.resize(60); }},
                    Damage{"cut_in_half", [](std::string& c) { c.resize(c.size() / 2); }},
                    Damage{"text", [](std::string& c) { c = std::string(4096, 'x'); }},
                    Damage{"zeros_in_the_schema",
                           [](std::string& c) { c.replace(100, 400, 400, '\0'); }},
                    Damage{"noise_in_the_pages",
                           [](std::string& c) {
                             for (std::size_t i = 4096; i + 64 < c.size(); i += 4096) {
                               c.replace(i, 64, 64, '\xff');
                             }
                           }}),
    [](const auto& info) { return info.param.name; });

TEST_F(StoreOpen, SaysWhereTheDatabaseIsMissingButItsLogIsThere) {
  Open();
  Close();
  std::filesystem::remove(file());
  Spill(dir() / "certwright.db-wal", "something");
  EXPECT_EQ(FailureOf([&] { Open(); }).code, FailureCode::kDamaged);
  EXPECT_TRUE(std::filesystem::exists(dir() / "certwright.db-wal"));
}

TEST_F(StoreOpen, StartsAfreshOverTheRestOfAStartThatWasCutOff) {
  std::filesystem::create_directory(dir());
  std::filesystem::permissions(dir(), std::filesystem::perms::owner_all);
  Spill(dir() / "certwright.db.new", "half");
  EXPECT_NO_THROW(Open());
}

}  // namespace
}  // namespace certwright::store
