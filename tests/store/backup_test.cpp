#include "certwright/store/backup.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "store_fixture.h"

namespace certwright::store {
namespace {

using testing::HasSubstr;

class BackupTest : public StoreTest {
 protected:
  Path target() const { return temp_.path() / "backup.db"; }
  std::size_t FilesBeside() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(temp_.path())) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }
  // The name sets that a backup holds, read as a store of its own.
  static std::size_t CertificatesIn(const Path& backup) {
    const TempDir other;
    const Path dir = other.path() / "state";
    std::filesystem::create_directory(dir);
    std::filesystem::permissions(dir, std::filesystem::perms::owner_all);
    std::filesystem::copy_file(backup, dir / "certwright.db");
    return Database::Open(dir)->Read(
        [](Session& session) { return ListCertificates(session, true).size(); });
  }
};

TEST_F(BackupTest, IsAStoreOfItsOwnAndPrivate) {
  Hold({"a.example.org"});
  const BackupReport report = Backup(database(), target(), false);
  EXPECT_EQ(report.bytes, std::filesystem::file_size(target()));
  EXPECT_EQ(report.schema, database().schema_version());
  struct stat status {};
  ASSERT_EQ(::lstat(target().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(FilesBeside(), 1u) << "nothing is left beside it";
  EXPECT_EQ(CertificatesIn(target()), 1u);
}

TEST_F(BackupTest, OverwritesNothingUnlessItIsTold) {
  Spill(target(), "precious");
  const Failure failure = FailureOf([&] { Backup(database(), target(), false); });
  EXPECT_EQ(failure.code, FailureCode::kInput);
  EXPECT_THAT(failure.advice, HasSubstr("--force"));
  EXPECT_EQ(Slurp(target()), "precious");
  Backup(database(), target(), true);
  EXPECT_EQ(CertificatesIn(target()), 0u);
}

TEST_F(BackupTest, TakesTheRestOfOneThatWasKilledAway) {
  Spill(Path(target().string() + ".part"), "half");
  Backup(database(), target(), false);
  EXPECT_EQ(FilesBeside(), 1u);
}

TEST_F(BackupTest, LeavesNothingWhereItCannotBeWritten) {
  EXPECT_EQ(FailureOf([&] { Backup(database(), temp_.path() / "none" / "b.db", false); }).code,
            FailureCode::kNotFound);
  // A folder of that name: everything works but the last step.
  std::filesystem::create_directory(target());
  EXPECT_THROW(Backup(database(), target(), true), Error);
  EXPECT_EQ(FilesBeside(), 0u);
}

TEST_F(BackupTest, IsWholeWhileOthersWrite) {
  std::atomic<bool> over = false;
  std::atomic<int> written = 0;
  database();
  std::jthread writer([&] {
    while (!over) {
      database().Write([&](Session& session) {
        // Two in one transaction: a backup that shows one of them is torn.
        for (const char* part : {"a", "b"}) {
          model::ManagedCertificate wanted;
          wanted.names = {{model::IdentifierType::kDns,
                           std::string(part) + std::to_string(written) + ".example.org"}};
          EnsureManaged(session, wanted, 1000);
        }
      });
      ++written;
    }
  });
  for (int i = 0; i < 5; ++i) {
    while (written < 3 * i) std::this_thread::yield();
    Backup(database(), target(), true);
    EXPECT_EQ(CertificatesIn(target()) % 2, 0u);
  }
  over = true;
}

}  // namespace
}  // namespace certwright::store
