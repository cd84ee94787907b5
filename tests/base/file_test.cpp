#include "certwright/base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "certwright/base/error.h"

namespace certwright {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "certwright-file-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { fs::remove_all(dir_); }

  std::size_t Entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(dir_), {}));
  }

  static mode_t ModeOf(const Path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }

  Path dir_;
};

using WriteFile = FileTest;
using ReadsFile = FileTest;
using PrivateDir = FileTest;
using Locks = FileTest;

template <typename Call>
Failure FailureOf(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.failure();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST_F(WriteFile, ReplacesTheContentAndLeavesNothingElse) {
  const Path path = dir_ / "a.pem";
  WriteFileAtomically(path, "one");
  WriteFileAtomically(path, std::string(1 << 20, 'x'));
  EXPECT_EQ(ReadFile(path).size(), 1U << 20);
  WriteFileAtomically(path, "");
  EXPECT_EQ(ReadFile(path), "");
  EXPECT_EQ(Entries(), 1U);
}

TEST_F(WriteFile, GivesExactlyTheModeWhateverTheUmask) {
  const mode_t before = umask(077);
  WriteFileAtomically(dir_ / "public", "x", {.mode = 0644});
  umask(0);
  WriteFileAtomically(dir_ / "key", "x");
  umask(before);
  EXPECT_EQ(ModeOf(dir_ / "public"), 0644U);
  EXPECT_EQ(ModeOf(dir_ / "key"), 0600U);
}

TEST_F(WriteFile, DoesNotKeepTheWiderModeOfTheFormerFile) {
  WriteFileAtomically(dir_ / "key", "x", {.mode = 0666});
  WriteFileAtomically(dir_ / "key", "y");
  EXPECT_EQ(ModeOf(dir_ / "key"), 0600U);
}

TEST_F(WriteFile, ReplacesASymbolicLinkNotItsTarget) {
  WriteFileAtomically(dir_ / "target", "safe");
  fs::create_symlink(dir_ / "target", dir_ / "link");
  WriteFileAtomically(dir_ / "link", "new");
  EXPECT_EQ(ReadFile(dir_ / "target"), "safe");
  EXPECT_FALSE(fs::is_symlink(dir_ / "link"));
}

TEST_F(WriteFile, WorksWithTheLongestNameAndARelativeOne) {
  const Path path = dir_ / std::string(255, 'n');
  WriteFileAtomically(path, "x");
  EXPECT_EQ(ReadFile(path), "x");
  const Path here = fs::current_path();
  fs::current_path(dir_);
  WriteFileAtomically("relative", "x");
  fs::current_path(here);
  EXPECT_EQ(ReadFile(dir_ / "relative"), "x");
}

TEST_F(WriteFile, MakesTheTemporaryFileWhereItIsTold) {
  fs::create_directory(dir_ / "tmp");
  // A target folder that can be entered but where the temporary may not be seen even for a moment.
  WriteFileAtomically(dir_ / "a", "x", {.temporary_dir = dir_ / "tmp"});
  EXPECT_EQ(ReadFile(dir_ / "a"), "x");
  EXPECT_TRUE(fs::is_empty(dir_ / "tmp"));
  const Failure failure =
      FailureOf([&] { WriteFileAtomically(dir_ / "a", "y", {.temporary_dir = dir_ / "none"}); });
  EXPECT_EQ(failure.code, FailureCode::kDisk);
  EXPECT_EQ(ReadFile(dir_ / "a"), "x");
}

TEST_F(WriteFile, SaysThatTheFolderIsMissing) {
  const Failure failure = FailureOf([&] { WriteFileAtomically(dir_ / "none" / "a", "x"); });
  EXPECT_EQ(failure.code, FailureCode::kDisk);
  EXPECT_NE(failure.detail.find((dir_ / "none" / "a").string()), std::string::npos);
  EXPECT_FALSE(failure.advice.empty());
}

TEST_F(WriteFile, LeavesNoTemporaryFileWhenItCannotReplace) {
  fs::create_directories(dir_ / "folder" / "full");
  EXPECT_EQ(FailureOf([&] { WriteFileAtomically(dir_ / "folder", "x"); }).code, FailureCode::kDisk);
  EXPECT_EQ(Entries(), 1U);
}

// In a process of its own: the limit would hit the test program's output too.
TEST_F(WriteFile, KeepsTheFormerFileWhenTheDiskIsFull) {
  WriteFileAtomically(dir_ / "a", "former");
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      WriteFileAtomically(dir_ / "a", std::string(100'000, 'x'));
      _exit(1);
    } catch (const Error& error) {
      _exit(error.failure().code == FailureCode::kDisk && !error.failure().advice.empty() ? 0 : 2);
    }
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ReadFile(dir_ / "a"), "former");
  EXPECT_EQ(Entries(), 1U);
}

TEST_F(WriteFile, RemovesWhatAKilledProcessLeftAndNothingElse) {
  const Path target = dir_ / "key.pem";
  const auto name = [](const char* text) { return std::string(text); };
  const std::vector<std::string> leftovers = {name(".key.pem.0123456789abcdef.tmp"),
                                              name(".key.pem.fedcba9876543210.tmp")};
  const std::vector<std::string> others = {
      name("key.pem"),
      name("key.pem.0123456789abcdef.tmp"),
      name(".key.pem.0123456789abcdef.tmp~"),
      name(".key.pem.0123456789abcde.tmp"),
      name(".key.pem.0123456789abcdeg.tmp"),
      name(".cert.pem.0123456789abcdef.tmp"),
      name(".key.pem.tmp"),
  };
  for (const auto& file : leftovers) std::ofstream(dir_ / file) << "half";
  for (const auto& file : others) std::ofstream(dir_ / file) << "whole";
  fs::create_directory(dir_ / ".key.pem.00000000000000aa.tmp");
  fs::create_symlink("key.pem", dir_ / ".key.pem.00000000000000bb.tmp");
  StagedFile being_written(target, "new");
  const std::size_t before = Entries();
  RemoveLeftovers(target);
  EXPECT_EQ(Entries(), before - leftovers.size());
  for (const auto& file : leftovers) EXPECT_FALSE(fs::exists(dir_ / file)) << file;
  being_written.Rename();
  EXPECT_EQ(ReadFile(target), "new");
  RemoveLeftovers(dir_ / "missing" / "key.pem");
}

TEST_F(WriteFile, IsGoneWhereItWasStagedAndNotRenamed) {
  {
    StagedFile first(dir_ / "a", "1");
    StagedFile second(std::move(first));
    EXPECT_EQ(Entries(), 1u);
  }
  EXPECT_EQ(Entries(), 0u);
}

TEST_F(ReadsFile, SaysWhyItCannot) {
  EXPECT_EQ(FailureOf([&] { ReadFile(dir_ / "none"); }).code, FailureCode::kNotFound);
  EXPECT_EQ(FailureOf([&] { ReadFile(dir_); }).code, FailureCode::kDisk);
}

TEST_F(ReadsFile, HoldsTheLimit) {
  WriteFileAtomically(dir_ / "a", std::string(100, 'x'));
  EXPECT_EQ(ReadFile(dir_ / "a", 100).size(), 100U);
  EXPECT_EQ(FailureOf([&] { ReadFile(dir_ / "a", 99); }).code, FailureCode::kInput);
  EXPECT_EQ(FailureOf([&] { ReadFile("/dev/zero", 1000); }).code, FailureCode::kInput);
  EXPECT_FALSE(ReadFile("/proc/self/status").empty()) << "a file whose size is not known before";
}

TEST_F(PrivateDir, IsMadeWithItsParents) {
  const mode_t before = umask(077);
  EnsurePrivateDir(dir_ / "a" / "b" / "c", 0700);
  EnsurePrivateDir(dir_ / "slash/", 0750);
  umask(before);
  EXPECT_EQ(ModeOf(dir_ / "a"), 0755U);
  EXPECT_EQ(ModeOf(dir_ / "a" / "b"), 0755U);
  EXPECT_EQ(ModeOf(dir_ / "a" / "b" / "c"), 0700U);
  EXPECT_EQ(ModeOf(dir_ / "slash"), 0750U);
  EXPECT_NO_THROW(EnsurePrivateDir(dir_ / "a" / "b" / "c", 0700)) << "a second time";
}

TEST_F(PrivateDir, IsTakenAsItIsWhenItIsStrictEnough) {
  fs::create_directory(dir_ / "a");
  ASSERT_EQ(::chmod((dir_ / "a").c_str(), 0755), 0);
  EXPECT_NO_THROW(EnsurePrivateDir(dir_ / "a", 0700));
  EXPECT_EQ(ModeOf(dir_ / "a"), 0755U);
}

TEST_F(PrivateDir, IsRefusedWhenOthersMayWrite) {
  for (const mode_t mode : {0777, 0770, 0702}) {
    ASSERT_EQ(::chmod(dir_.c_str(), mode), 0);
    EXPECT_EQ(FailureOf([&] { EnsurePrivateDir(dir_, 0700); }).code, FailureCode::kPermission);
  }
  ASSERT_EQ(::chmod(dir_.c_str(), 0770), 0);
  EXPECT_NO_THROW(EnsurePrivateDir(dir_, 0770)) << "the caller wants its group to write";
}

TEST_F(PrivateDir, IsRefusedWhenItIsNoFolder) {
  WriteFileAtomically(dir_ / "a", "x");
  EXPECT_EQ(FailureOf([&] { EnsurePrivateDir(dir_ / "a", 0700); }).code, FailureCode::kPermission);
}

TEST_F(PrivateDir, IsRefusedWhenItBelongsToSomebodyElse) {
  if (geteuid() == 0) {
    ASSERT_EQ(::chown(dir_.c_str(), 12345, 12345), 0);
    const Failure failure = FailureOf([&] { EnsurePrivateDir(dir_, 0700); });
    EXPECT_EQ(failure.code, FailureCode::kPermission);
    EXPECT_NE(failure.detail.find("12345"), std::string::npos);
  } else {
    EXPECT_EQ(FailureOf([&] { EnsurePrivateDir("/", 0700); }).code, FailureCode::kPermission);
  }
}

TEST_F(Locks, AreHeldOnceAndTellTheirHolder) {
  const Path path = dir_ / "lock";
  EXPECT_EQ(LockFile::Holder(path), 0);
  {
    const std::optional<LockFile> first = LockFile::TryAcquire(path);
    ASSERT_TRUE(first);
    EXPECT_EQ(LockFile::Holder(path), getpid());
    EXPECT_FALSE(LockFile::TryAcquire(path)) << "also refused within one process";
  }
  EXPECT_TRUE(LockFile::TryAcquire(path)) << "free again";
}

TEST_F(Locks, EndWithTheProcessThatHeldThem) {
  const Path path = dir_ / "lock";
  const pid_t child = fork();
  if (child == 0) {
    const std::optional<LockFile> lock = LockFile::TryAcquire(path);
    raise(SIGKILL);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(LockFile::Holder(path), child) << "it had it";
  const std::optional<LockFile> lock = LockFile::TryAcquire(path);
  EXPECT_TRUE(lock);
  EXPECT_EQ(LockFile::Holder(path), getpid());
}

TEST_F(Locks, DoNotFollowLinks) {
  WriteFileAtomically(dir_ / "victim", "content");
  fs::create_symlink(dir_ / "victim", dir_ / "lock");
  EXPECT_THROW(LockFile::TryAcquire(dir_ / "lock"), Error);
  EXPECT_EQ(ReadFile(dir_ / "victim"), "content");
}

TEST(Errno, HasACodeAndAnAdvice) {
  struct Row {
    int error;
    FailureCode code;
    bool advice;
  };
  const std::vector<Row> rows = {
      {ENOSPC, FailureCode::kDisk, true},      {EDQUOT, FailureCode::kDisk, true},
      {EFBIG, FailureCode::kDisk, true},       {EROFS, FailureCode::kDisk, true},
      {EIO, FailureCode::kDisk, true},         {EACCES, FailureCode::kPermission, true},
      {EPERM, FailureCode::kPermission, true}, {ENOENT, FailureCode::kNotFound, false},
      {EISDIR, FailureCode::kDisk, false},
  };
  for (const Row& row : rows) {
    const Failure failure = FailureOf([&] { ThrowErrno(row.error, "cannot read", "/a\nb"); });
    EXPECT_EQ(failure.code, row.code) << row.error;
    EXPECT_EQ(!failure.advice.empty(), row.advice) << row.error;
    EXPECT_TRUE(failure.detail.starts_with("cannot read /a b: ")) << failure.detail;
  }
}

TEST(Descriptor, IsClosedOnce) {
  int number = -1;
  {
    Fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    number = fd.get();
    Fd other(std::move(fd));
    EXPECT_EQ(other.get(), number);
    fd = std::move(other);
    EXPECT_EQ(fd.get(), number);
  }
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

}  // namespace
}  // namespace certwright
