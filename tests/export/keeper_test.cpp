#include "certwright/export/keeper.h"

#include "certwright/base/encoding.h"
#include "certwright/base/text.h"
#include "keeper_fixture.h"

namespace certwright::exports {
namespace {

namespace fs = std::filesystem;
using store::FailureOf;
using store::Slurp;
using store::Spill;
using ::testing::HasSubstr;

constexpr char kPemFiles[] = "cert.pem chain.pem fullchain.pem privkey.pem";

TEST_F(KeeperTest, WritesAFolderBehindALink) {
  const auto version = Issue({"a.example.org"});
  EXPECT_EQ(Look().Word(), "out-of-step");
  Keep();
  EXPECT_TRUE(fs::is_symlink(target_.dir));
  EXPECT_FALSE(fs::read_symlink(target_.dir).has_parent_path());  // may be moved with its folder
  EXPECT_EQ(Names(target_.dir), kPemFiles);
  EXPECT_EQ(Slurp(target_.dir / "privkey.pem"), version.key_pem.Reveal());
  EXPECT_EQ(Slurp(target_.dir / "fullchain.pem"), version.chain_pem);
  EXPECT_EQ(Mode(target_.dir / "privkey.pem"), 0600U);
  EXPECT_EQ(Mode(target_.dir / "cert.pem"), 0644U);
  EXPECT_EQ(Mode(target_.dir), 0755U);
  const Status status = Look();
  EXPECT_EQ(status.Word(), "in-step");
  EXPECT_EQ(status.Detail(), "");
  ASSERT_EQ(status.exported.size(), 1U);
  EXPECT_EQ(status.exported[0].serial_hex, version.serial_hex);
  EXPECT_EQ(status.state.written_at, clock_.now);
}

TEST_F(KeeperTest, SwitchesTheFolderAsAWholeAndLeavesTheFormerForAWhile) {
  const auto former = Issue({"a.example.org"});
  Keep();
  const Path resolved = fs::canonical(target_.dir);
  const auto version = Issue({"a.example.org"});
  Keep();
  EXPECT_EQ(Slurp(resolved / "fullchain.pem"), former.chain_pem);
  EXPECT_EQ(Slurp(resolved / "privkey.pem"), former.key_pem.Reveal());
  EXPECT_EQ(Slurp(target_.dir / "fullchain.pem"), version.chain_pem);
  EXPECT_EQ(Slurp(target_.dir / "privkey.pem"), version.key_pem.Reveal());
  clock_.now += 59;
  Keep();
  EXPECT_TRUE(fs::exists(resolved));
  clock_.now += 10;
  Keep();
  EXPECT_FALSE(fs::exists(resolved));
  EXPECT_EQ(Names(target_.dir), kPemFiles);
}

TEST_F(KeeperTest, LeavesWhatIsInStep) {
  Issue({"a.example.org"});
  ReloadBy("echo run >> $OUT");
  Keep();
  const Path resolved = fs::canonical(target_.dir);
  const auto before = Inode(resolved / "privkey.pem");
  Keep();
  EXPECT_EQ(fs::canonical(target_.dir), resolved);
  EXPECT_EQ(Inode(resolved / "privkey.pem"), before);
  EXPECT_EQ(Slurp(out()), "run\n");
}

TEST_F(KeeperTest, PutsRightWhatOthersDid) {
  struct Row {
    const char* name;
    std::function<void(const Path& dir)> damage;
    const char* words;
  };
  const Row rows[] = {
      {"a file is missing", [](const Path& dir) { fs::remove(dir / "cert.pem"); },
       "tls/cert.pem is not there"},
      {"a file is another", [](const Path& dir) { Spill(dir / "privkey.pem", "x"); },
       "tls/privkey.pem has another content"},
      {"a mode is another",
       [](const Path& dir) { fs::permissions(dir / "privkey.pem", fs::perms(0644)); },
       "tls/privkey.pem has another mode"},
      {"a file is a link",
       [](const Path& dir) {
         fs::remove(dir / "cert.pem");
         fs::create_symlink("chain.pem", dir / "cert.pem");
       },
       "tls/cert.pem is no plain file"},
      {"a foreign file", [](const Path& dir) { Spill(dir / "other.pem", "x"); },
       "tls/other.pem is not ours"},
      {"a foreign folder", [](const Path& dir) { fs::create_directory(dir / "sub"); },
       "tls/sub is not ours"},
      {"the link is gone", [](const Path& dir) { fs::remove(dir); }, "tls is not there"},
      {"an empty folder in its place",
       [](const Path& dir) {
         fs::remove(dir);
         fs::create_directory(dir);
       },
       "or no link of ours"},
      {"a link to elsewhere",
       [](const Path& dir) {
         fs::remove(dir);
         fs::create_symlink("/etc", dir);
       },
       "or no link of ours"},
      {"the folder is gone", [](const Path& dir) { fs::remove_all(fs::canonical(dir)); },
       "or no link of ours"},
  };
  const auto version = Issue({"a.example.org"});
  ReloadBy("echo run >> $OUT");
  Keep();
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    fs::remove(out());
    row.damage(target_.dir);
    const Status status = Look();
    EXPECT_EQ(status.Word(), "out-of-step");
    EXPECT_THAT(status.Detail(), HasSubstr(row.words));
    testing::internal::CaptureStderr();
    Keep();
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("put right: "));
    EXPECT_EQ(Names(target_.dir), kPemFiles);
    EXPECT_EQ(Slurp(target_.dir / "privkey.pem"), version.key_pem.Reveal());
    EXPECT_EQ(Slurp(out()), "run\n");
    EXPECT_EQ(Look().Word(), "in-step");
  }
}

TEST_F(KeeperTest, TakesNobodysFolderOrFileAway) {
  Issue({"a.example.org"});
  fs::create_directory(target_.dir);
  Spill(target_.dir / "precious", "x");
  Failure failure = FailureOf([&] { Keep(); });
  EXPECT_EQ(failure.code, FailureCode::kConfig);
  EXPECT_THAT(failure.detail, HasSubstr("is a folder that is not empty"));
  EXPECT_EQ(Slurp(target_.dir / "precious"), "x");
  EXPECT_EQ(Names(home()), "tls/precious");  // and what was made ready is gone
  EXPECT_EQ(Look().Word(), "failed");
  EXPECT_EQ(State().failures, 1);

  fs::remove_all(target_.dir);
  Spill(target_.dir, "x");
  EXPECT_THAT(FailureOf([&] { Keep(); }).detail, HasSubstr("is a file, and a link"));
  EXPECT_EQ(Slurp(target_.dir), "x");
  EXPECT_EQ(State().failures, 2);
  fs::remove(target_.dir);
  Keep();
  EXPECT_EQ(State().failures, 0);
  EXPECT_EQ(Look().Word(), "in-step");
}

TEST_F(KeeperTest, WritesNothingWhereNothingIsHeld) {
  Keep();
  EXPECT_EQ(Names(home()), "");
  const Status status = Look();
  EXPECT_EQ(status.Word(), "waiting");
  EXPECT_EQ(status.Detail(), "no certificate is held for a.example.org");
}

TEST_F(KeeperTest, LeavesTheFilesOfWhatIsNotHeldAnyMore) {
  const auto version = Issue({"a.example.org"});
  Keep();
  database().Write([&](store::Session& session) {
    store::DeleteCertificate(session, version.certificate_id);
  });
  Keep();
  EXPECT_EQ(Slurp(target_.dir / "privkey.pem"), version.key_pem.Reveal());
  EXPECT_EQ(Look().Word(), "waiting");
}

TEST_F(KeeperTest, GivesEachOfSeveralNamesAFolder) {
  target_.names = {"a.example.org", "*.b.example.org", "c.example.org"};
  const auto a = Issue({"a.example.org"});
  const auto b = Issue({"*.b.example.org"});
  Keep();
  EXPECT_EQ(Look().Word(), "waiting");
  EXPECT_EQ(Slurp(target_.dir / "a.example.org" / "privkey.pem"), a.key_pem.Reveal());
  EXPECT_EQ(Slurp(target_.dir / "_.b.example.org" / "privkey.pem"), b.key_pem.Reveal());
  EXPECT_FALSE(fs::exists(target_.dir / "c.example.org"));
  // What goes stays, beside what comes.
  const auto c = Issue({"c.example.org"});
  database().Write(
      [&](store::Session& session) { store::DeleteCertificate(session, a.certificate_id); });
  Keep();
  EXPECT_EQ(Slurp(target_.dir / "a.example.org" / "privkey.pem"), a.key_pem.Reveal());
  EXPECT_EQ(Slurp(target_.dir / "c.example.org" / "privkey.pem"), c.key_pem.Reveal());
  EXPECT_THAT(Look().differences, testing::IsEmpty());
}

TEST_F(KeeperTest, TakesWhatGetCertificateWouldGive) {
  const auto issued = Issue({"a.example.org"});
  const auto uploaded = Pair({"a.example.org", "other.example.org"});
  database().Write([&](store::Session& session) {
    store::SaveUpload(session, "a.example.org", uploaded, clock_.now);
  });
  Keep();
  EXPECT_EQ(Look().exported[0].serial_hex, uploaded.serial_hex);
  EXPECT_NE(issued.serial_hex, uploaded.serial_hex);
}

TEST_F(KeeperTest, WritesEachFormatAsAFile) {
  struct Row {
    Format format;
    const char* file;
    mode_t mode;
  };
  const Row rows[] = {
      {Format::kPem, kPemFiles, 0},
      {Format::kFullchain, "_.example.org.pem", 0644},
      {Format::kCert, "_.example.org.pem", 0644},
      {Format::kChain, "_.example.org.pem", 0644},
      {Format::kKey, "_.example.org.pem", 0600},
      {Format::kCombined, "_.example.org.pem", 0600},
      {Format::kHaproxy, "_.example.org.pem", 0600},
      {Format::kPkcs12, "_.example.org.p12", 0600},
      {Format::kDer, "_.example.org.der", 0644},
      {Format::kJson, "_.example.org.json", 0600},
  };
  const auto version = Issue({"*.example.org"});
  target_.names = {"*.example.org"};
  for (const Row& row : rows) {
    SCOPED_TRACE(FormatName(row.format));
    target_.name = FormatName(row.format);
    target_.format = row.format;
    target_.dir = home() / target_.name;
    target_.path.clear();
    Keep();
    EXPECT_EQ(Names(target_.dir), row.file);
    if (row.mode != 0) EXPECT_EQ(Mode(target_.dir / row.file), row.mode);

    target_.name += "-file";
    target_.path = home() / target_.name;
    target_.dir.clear();
    Keep();
    if (row.mode != 0) EXPECT_EQ(Mode(target_.path), row.mode);
    if (row.format != Format::kPkcs12) {
      EXPECT_EQ(Slurp(target_.path), MakeBundle(version, row.format, Secret()).Reveal());
    }
    const auto before = Inode(target_.path);
    Keep();
    EXPECT_EQ(Inode(target_.path), before);
    EXPECT_EQ(Look().Word(), "in-step");
    Spill(target_.path, "x");
    Keep();
    EXPECT_NE(Slurp(target_.path), "x");
    EXPECT_EQ(Look().Word(), "in-step");
  }
}

TEST_F(KeeperTest, MakesPkcs12AnewForAnotherPassword) {
  Issue({"a.example.org"});
  target_.format = Format::kPkcs12;
  target_.path = home() / "a.p12";
  target_.dir.clear();
  target_.password_file = temp_.path() / "password";
  EXPECT_THAT(FailureOf([&] { Keep(); }).detail, HasSubstr("export.password_file: "));
  Spill(target_.password_file, "one\n");
  Keep();
  const std::string first = Slurp(target_.path);
  Spill(target_.password_file, "one\nanother line");
  Keep();
  EXPECT_EQ(Slurp(target_.path), first);
  Spill(target_.password_file, "two\n");
  EXPECT_EQ(Look().Word(), "out-of-step");
  Keep();
  EXPECT_NE(Slurp(target_.path), first);
  EXPECT_EQ(Look().Word(), "in-step");
}

TEST_F(KeeperTest, SaysWhatHindersIt) {
  Issue({"a.example.org"});
  EXPECT_NO_THROW(CheckTarget(target_));
  target_.owner = "no-such-user";
  EXPECT_THROW(CheckTarget(target_), Error);
  EXPECT_THAT(FailureOf([&] { Keep(); }).detail,
              HasSubstr("export.owner: there is no user \"no-such-user\""));
  target_.owner.clear();
  target_.group = "no-such-group";
  EXPECT_THAT(FailureOf([&] { Keep(); }).detail,
              HasSubstr("export.group: there is no group \"no-such-group\""));
  target_.group.clear();
  target_.dir = home() / "missing" / "tls";
  const Failure failure = FailureOf([&] { Keep(); });
  EXPECT_EQ(failure.code, FailureCode::kDisk);
  EXPECT_THAT(failure.detail, HasSubstr("the folder does not exist"));
  target_.path = home();
  target_.dir.clear();
  EXPECT_THAT(FailureOf([&] { Keep(); }).detail, HasSubstr("is a folder"));
}

TEST_F(KeeperTest, GivesTheFilesToOwnerAndGroup) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  Issue({"a.example.org"});
  target_.owner = "nobody";
  target_.group = "nogroup";
  Keep();
  struct stat info {};
  ASSERT_EQ(::stat((target_.dir / "privkey.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 65534U);
  EXPECT_EQ(info.st_gid, 65534U);
  EXPECT_EQ(Mode(target_.dir / "privkey.pem"), 0640U);
  EXPECT_EQ(Look().Word(), "in-step");
  target_.mode = 0400;
  EXPECT_THAT(Look().Detail(), HasSubstr("privkey.pem has another mode"));
  Keep();
  EXPECT_EQ(Mode(target_.dir / "privkey.pem"), 0400U);
  target_.owner = "root";
  EXPECT_THAT(Look().Detail(), HasSubstr("privkey.pem has another owner"));
}

TEST_F(KeeperTest, SaysThatItMayNotGiveFilesAway) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  fs::permissions(temp_.path(), fs::perms(0777));
  fs::permissions(home(), fs::perms(0777));
  const auto version = Pair({"a.example.org"});
  EXPECT_EQ(store::InChild([&] {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 2;
    WriteOptions options;
    options.owner = 0;
    try {
      WriteFileAtomically(home() / "f", "x", options);
    } catch (const Error& error) {
      const bool said = error.failure().code == FailureCode::kPermission &&
                        error.failure().detail.find("user 65534 may not give ") == 0;
      return said && Names(home()).empty() ? 0 : 3;
    }
    return 4;
  }), 0);
}

TEST_F(KeeperTest, ConcernsWhoseNamesAreCovered) {
  Keeper keeper(target_, database(), clock_);
  EXPECT_TRUE(keeper.Concerns({"b.example.org", "a.example.org"}));
  EXPECT_TRUE(keeper.Concerns({"*.example.org"}));
  EXPECT_FALSE(keeper.Concerns({"b.example.org", "*.a.example.org"}));
}

}  // namespace
}  // namespace certwright::exports
