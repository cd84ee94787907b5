#include <fstream>

#include "fixture.h"

namespace certwright::traefik {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Publish : public TraefikFixture {};

FailureCode CodeOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_NE(error.failure().detail, "");
    return error.failure().code;
  }
  ADD_FAILURE() << "no error";
  return FailureCode::kInternal;
}

TEST_F(Publish, WritesFilesByVersionAndNamesThem) {
  const auto version = Add({"a.example.org"}, 1);
  auto publisher = MakePublisher();
  publisher.Publish({});
  const Path cert = options_.certificate_dir / (Stem(version) + ".crt");
  const Path key = options_.certificate_dir / (Stem(version) + ".key");
  EXPECT_EQ(ReadFile(cert), FakeChain(1));
  EXPECT_EQ(ReadFile(key), "key 1\n");
  EXPECT_EQ(Mode(cert), 0600U);
  EXPECT_EQ(Mode(key), 0600U);
  EXPECT_EQ(Mode(options_.certificate_dir), 0700U);
  EXPECT_EQ(Mode(options_.dynamic_dir / "certwright.yml"), 0644U);
  EXPECT_THAT(Text(), HasSubstr(cert.string()));
  EXPECT_THAT(Text(), HasSubstr(key.string()));
  EXPECT_THAT(Text(), HasSubstr("/default-"));
  EXPECT_EQ(Text(), publisher.RenderText());
}

TEST_F(Publish, LeavesNothingElseInTheWatchedDirectory) {
  Add({"a.example.org"}, 1);
  MakePublisher().Publish({});
  int count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(options_.dynamic_dir)) {
    ++count;
  }
  EXPECT_EQ(count, 1);
}

TEST_F(Publish, DoesNotTouchWhatHasNotChanged) {
  const auto version = Add({"a.example.org"}, 1);
  auto publisher = MakePublisher();
  publisher.Publish({});
  const Path yml = options_.dynamic_dir / "certwright.yml";
  const Path key = options_.certificate_dir / (Stem(version) + ".key");
  const auto before = std::pair(Inode(yml), Inode(key));
  publisher.Publish({});
  MakePublisher().Publish({});  // nor after a restart
  EXPECT_EQ(std::pair(Inode(yml), Inode(key)), before);
}

TEST_F(Publish, ReplacesAVersionAndRemovesTheFormerOnceItIsLive) {
  const auto first = Add({"a.example.org"}, 1);
  auto publisher = MakePublisher();
  publisher.Publish({});
  const std::string text = Text();
  const auto second = Add({"a.example.org"}, 2);
  // While Traefik still serves the former generation, the former files must be there.
  int polls = 0;
  traefik_.status = [&](const std::string&) {
    EXPECT_TRUE(PemNames().contains(Stem(first) + ".key"));
    EXPECT_TRUE(PemNames().contains(Stem(second) + ".key"));
    return ++polls < 4 ? 404 : 200;
  };
  publisher.Publish({});
  EXPECT_EQ(polls, 4);
  EXPECT_NE(Text(), text);
  EXPECT_EQ(PemNames(), (std::set<std::string>{Stem(second) + ".crt", Stem(second) + ".key"}));
}

TEST_F(Publish, KeepsTheFormerFilesUntilTheNextChangeWithoutAnApi) {
  options_.api = "";
  const auto first = Add({"a.example.org"}, 1);
  auto publisher = MakePublisher();
  publisher.Publish({});
  const auto second = Add({"a.example.org"}, 2);
  publisher.Publish({});
  publisher.Publish({});  // no change
  EXPECT_TRUE(PemNames().contains(Stem(first) + ".key"));
  const auto third = Add({"a.example.org"}, 3);
  publisher.Publish({});
  EXPECT_EQ(PemNames(), (std::set<std::string>{Stem(second) + ".crt", Stem(second) + ".key",
                                               Stem(third) + ".crt", Stem(third) + ".key"}));
  EXPECT_TRUE(traefik_.asked.empty());
}

TEST_F(Publish, RemovesOnlyItsOwnFiles) {
  MakePublisher().Publish({});
  for (const char* name : {"README", "mine.crt", "1-2.pem", "77-88.key", ".77-88.key.0a1b.tmp"}) {
    WriteFileAtomically(options_.certificate_dir / name, "x");
  }
  MakePublisher().Publish({});
  EXPECT_EQ(PemNames(), (std::set<std::string>{"README", "mine.crt", "1-2.pem"}));
}

TEST_F(Publish, MakesDamagedAndMissingFilesAgainAfterARestart) {
  const auto version = Add({"a.example.org"}, 1);
  MakePublisher().Publish({});
  const Path cert = options_.certificate_dir / (Stem(version) + ".crt");
  const Path key = options_.certificate_dir / (Stem(version) + ".key");
  const Path yml = options_.dynamic_dir / "certwright.yml";
  const auto before = Inode(yml);
  WriteFileAtomically(cert, std::string(FakeChain(1).size(), 'x'));
  std::filesystem::remove(key);
  MakePublisher().Publish({});
  EXPECT_EQ(ReadFile(cert), FakeChain(1));
  EXPECT_EQ(ReadFile(key), "key 1\n");
  EXPECT_NE(Inode(yml), before);  // Traefik does not see a change of the PEM files alone
}

TEST_F(Publish, PollsFasterFirstAndGivesUpInTime) {
  traefik_.status = [](const std::string&) { return 404; };
  auto publisher = MakePublisher();
  EXPECT_EQ(CodeOf([&] { publisher.Publish({}); }), FailureCode::kTraefik);
  ASSERT_GT(clock_.sleeps().size(), 3U);
  EXPECT_EQ(clock_.sleeps().front(), Millis(3));
  EXPECT_EQ(clock_.sleeps().back(), Millis(20));
  EXPECT_GE(clock_.SteadyNow(), Steady{} + options_.live_timeout);
  EXPECT_LT(clock_.SteadyNow(), Steady{} + options_.live_timeout + Millis(200));
  EXPECT_THAT(traefik_.asked.front(), StartsWith("/api/http/middlewares/certwright-gen-"));
  EXPECT_TRUE(traefik_.asked.front().ends_with("@file"));
}

TEST_F(Publish, WaitsForATraefikThatStartsAgainButNotForOneThatIsGone) {
  int polls = 0;
  traefik_.status = [&](const std::string&) { return ++polls < 10 ? 0 : 200; };
  auto publisher = MakePublisher();
  publisher.Publish({});
  EXPECT_EQ(polls, 10);

  Add({"a.example.org"}, 1);
  traefik_.status = [](const std::string&) { return 0; };
  const Steady start = clock_.SteadyNow();
  EXPECT_EQ(CodeOf([&] { publisher.Publish({}); }), FailureCode::kTraefik);
  EXPECT_LT(clock_.SteadyNow() - start, Millis(4'000));
}

TEST_F(Publish, SaysWhatIsWrong) {
  auto publisher = MakePublisher();
  std::stop_source stop;
  stop.request_stop();
  traefik_.status = [](const std::string&) { return 404; };
  EXPECT_EQ(CodeOf([&] { publisher.Publish(stop.get_token()); }), FailureCode::kCancelled);
  traefik_.status = [](const std::string&) { return 401; };
  EXPECT_EQ(CodeOf([&] { publisher.Publish({}); }), FailureCode::kTraefik);
  std::filesystem::remove_all(options_.dynamic_dir);
  EXPECT_EQ(CodeOf([&] { publisher.Publish({}); }), FailureCode::kConfig);
  options_.dynamic_dir = dir_;
  options_.group = "no-such-group-here";
  EXPECT_EQ(CodeOf([&] { MakePublisher().Publish({}); }), FailureCode::kConfig);
}

TEST_F(Publish, LetsAGroupReadTheFiles) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files to any group";
  const auto version = Add({"a.example.org"}, 1);
  MakePublisher().Publish({});
  options_.group = "daemon";  // group 1 on Debian
  MakePublisher().Publish({});
  EXPECT_EQ(Mode(options_.certificate_dir), 0750U);
  EXPECT_EQ(Mode(options_.certificate_dir / (Stem(version) + ".key")), 0640U);
  struct stat info {};
  ASSERT_EQ(::stat((options_.certificate_dir / (Stem(version) + ".key")).c_str(), &info), 0);
  EXPECT_EQ(info.st_gid, 1U);
}

TEST_F(Publish, MakesATemporaryDirectoryBelowWhereTheFileSystemsDiffer) {
  char name[] = "/dev/shm/certwright-traefik-XXXXXX";
  if (mkdtemp(name) == nullptr) GTEST_SKIP() << "no second file system";
  struct stat here {}, there {};
  ASSERT_EQ(stat(options_.certificate_dir.parent_path().c_str(), &here), 0);
  ASSERT_EQ(stat(name, &there), 0);
  if (here.st_dev == there.st_dev) GTEST_SKIP() << "no second file system";
  options_.dynamic_dir = name;
  MakePublisher().Publish({});
  EXPECT_TRUE(std::filesystem::exists(options_.dynamic_dir / "certwright.yml"));
  EXPECT_TRUE(std::filesystem::is_empty(options_.dynamic_dir / ".certwright"));
  std::filesystem::remove_all(name);
}

TEST_F(Publish, GivesTheLongerValidOfTwoWithTheSameNames) {
  // The second managed certificate was asked for with other names than its version has.
  const auto older = Add({"a.example.org"}, 1, 1'900'000'000);
  auto other = Add({"b.example.org"}, 2, 1'950'000'000);
  other.names = older.names;
  other.serial_hex = "03";
  other.fingerprint = std::string(64, 'b');
  database_->Write([&](store::Session& session) {
    other.id = store::AddCurrentVersion(session, other, 0, clock_.Now());
  });
  auto publisher = MakePublisher();
  const std::string text = publisher.RenderText();
  EXPECT_THAT(text, HasSubstr(Stem(other) + ".crt"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr(Stem(older) + ".crt")));
  publisher.Publish({});
  EXPECT_THAT(publisher.Check({}).notes,
              ::testing::Contains(HasSubstr("for a.example.org Traefik is given the CA's, serial 03, "
                                            "and not the CA's, serial")));
}

TEST_F(Publish, GivesTheUploadInPlaceOfTheCasAndBack) {
  const auto of_ca = Add({"a.example.org"}, 1, 1'950'000'000);
  const auto uploaded = Upload(of_ca, 1'700'000'000, 1'900'000'000);
  auto publisher = MakePublisher();
  EXPECT_THAT(publisher.RenderText(), HasSubstr(Stem(uploaded) + ".crt"));
  EXPECT_THAT(publisher.RenderText(), ::testing::Not(HasSubstr(Stem(of_ca) + ".crt")));
  publisher.Publish({});
  EXPECT_EQ(publisher.WaitServed("a.example.org", of_ca.serial_hex, Millis(100), {}),
            Seen::kNotLooked)
      << "nobody can see what the upload is shown for";
  EXPECT_THAT(publisher.Check({}).notes, ::testing::Contains(HasSubstr("the uploaded one")));
  database_->Write([&](store::Session& session) {
    store::DeleteCertificate(session, uploaded.certificate_id);
  });
  EXPECT_THAT(publisher.RenderText(), HasSubstr(Stem(of_ca) + ".crt"));
}

TEST_F(Publish, GivesWhatIsValidInPlaceOfAnUploadThatIsNot) {
  struct Row {
    const char* name;
    UnixSeconds not_before, not_after;
    bool uploaded_first;
  };
  const UnixSeconds now = clock_.Now();
  const Row rows[] = {{"expired", now - 10, now, false},
                      {"not yet valid", now + 1, now + 10, false},
                      {"valid still", now - 10, now + 1, true},
                      {"valid from now on", now, now + 10, true}};
  const auto of_ca = Add({"a.example.org"}, 1);
  auto publisher = MakePublisher();
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto uploaded = Upload(of_ca, row.not_before, row.not_after);
    const auto& first = row.uploaded_first ? uploaded : of_ca;
    const auto& other = row.uploaded_first ? of_ca : uploaded;
    EXPECT_THAT(publisher.RenderText(), HasSubstr(Stem(first) + ".crt"));
    EXPECT_THAT(publisher.RenderText(), Not(HasSubstr(Stem(other) + ".crt")));
    const Seen of_first = publisher.WaitServed("a.example.org", first.serial_hex, Millis(0), {});
    EXPECT_EQ(of_first, Seen::kNotServed) << "looked at";
    const Seen of_other = publisher.WaitServed("a.example.org", other.serial_hex, Millis(0), {});
    EXPECT_EQ(of_other, Seen::kNotLooked);
  }
}

TEST_F(Publish, RendersAgainWhenADateHasPassedThoughNothingIsTold) {
  const auto of_ca = Add({"a.example.org"}, 1);
  const UnixSeconds now = clock_.Now();
  const auto uploaded = Upload(of_ca, now + 30, now + 40);
  auto publisher = MakePublisher();
  publisher.Publish({});
  EXPECT_THAT(Text(), HasSubstr(Stem(of_ca) + ".crt"));
  EXPECT_EQ(publisher.GoodFor(), std::chrono::seconds(30));
  clock_.wall = now + 30;
  publisher.Publish({});
  EXPECT_THAT(Text(), HasSubstr(Stem(uploaded) + ".crt"));
  EXPECT_EQ(publisher.GoodFor(), std::chrono::seconds(10));
  clock_.wall = now + 40;
  publisher.Publish({});
  EXPECT_THAT(Text(), HasSubstr(Stem(of_ca) + ".crt"));
  EXPECT_EQ(publisher.GoodFor(), std::chrono::seconds(60)) << "the dates that come are far away";
  clock_.wall = now + 35;  // it was set back
  publisher.Publish({});
  EXPECT_THAT(Text(), HasSubstr(Stem(uploaded) + ".crt"));
}

TEST_F(Publish, WritesCertwrightYmlAgainThatSomebodyChanged) {
  AddRoute("web1", "/web");
  auto publisher = MakePublisher();
  publisher.Publish({});
  const Path yml = options_.dynamic_dir / "certwright.yml";
  const std::string text = Text();
  std::filesystem::remove(yml);
  publisher.Publish({});
  EXPECT_EQ(Text(), text);
  std::ofstream(yml, std::ios::app) << "rubbish";
  publisher.Publish({});
  EXPECT_EQ(Text(), text);
}

TEST_F(Publish, ShowsTheDefaultNamesWhereNoOtherFits) {
  const auto version = Add({"a.example.org", "b.example.org"}, 1, 1'950'000'000);
  const auto set = [&](std::vector<std::string> names) {
    database_->Write([&](store::Session& session) {
      store::SaveDefaultNames(session, names, clock_.Now());
    });
  };
  auto publisher = MakePublisher();
  const std::string before = publisher.RenderText();
  const std::string by_default =
      (options_.certificate_dir / (Stem(version) + ".crt")).string();
  const auto default_part = [&] {
    const std::string text = publisher.RenderText();
    return text.substr(text.find("defaultCertificate"));
  };
  EXPECT_THAT(default_part(), ::testing::Not(HasSubstr(by_default)));
  set({"b.example.org", "a.example.org"});
  EXPECT_THAT(default_part(), HasSubstr(by_default));
  set({"a.example.org"});
  EXPECT_EQ(publisher.RenderText(), before) << "there is none for exactly this name";
}

TEST_F(Publish, WritesTheRoutesAndNotThoseThatCannotBe) {
  AddRoute("web1", "/web");
  AddRoute("bad1", "/{{x}}");
  database_->Write([&](store::Session& session) {
    store::SaveTrustedProxies(session, {{"192.0.2.9"}, 3}, clock_.Now());
  });
  auto publisher = MakePublisher();
  publisher.Publish({});
  EXPECT_THAT(Text(), HasSubstr("web1-https"));
  EXPECT_THAT(Text(), HasSubstr("\"depth\": 3"));
  EXPECT_THAT(Text(), Not(HasSubstr("bad1")));
  EXPECT_THAT(publisher.Check({}).notes, Contains(HasSubstr("route bad1 is left out: path: ")));
}

TEST_F(Publish, TakesNoValueForTheMarker) {
  model::Route route;
  route.instance = "certwright-gen-0";
  route.url = "http://127.0.0.1:20001";
  route.path = "/certwright-gen-0";
  route.request_headers = {{"certwright-gen-0", "certwright-gen-0"}};
  database_->Write(
      [&](store::Session& session) { store::SaveRoute(session, route, clock_.Now()); });
  MakePublisher().Publish({});
  EXPECT_THAT(Text(), HasSubstr(R"("certwright-gen-0": "certwright-gen-0")"));
  const auto marker = traefik_.asked.front();  // "/api/http/middlewares/certwright-gen-...@file"
  const auto name = marker.substr(marker.rfind('/') + 1, marker.find('@') - marker.rfind('/') - 1);
  EXPECT_THAT(Text(), HasSubstr(Cat('"', name, "\": {")));
  EXPECT_THAT(Text(), Not(HasSubstr("\"certwright-gen-0\": {")));
}

TEST_F(Publish, DoesNothingWhereTheStoreHasNoNewEvent) {
  AddRoute("web1", "/web");
  auto publisher = MakePublisher();
  publisher.Publish({});
  traefik_.asked.clear();
  publisher.Publish({});
  EXPECT_TRUE(traefik_.asked.empty());
  AddRoute("web2", "/web2");
  publisher.Publish({});
  EXPECT_THAT(Text(), HasSubstr("web2-https"));
}

TEST_F(Publish, KnowsWhichChangesItShows) {
  AddRoute("web1", "/web");
  auto publisher = MakePublisher();
  const std::int64_t first = database_->Read(store::LastEvent);
  EXPECT_FALSE(publisher.Shows(first));
  publisher.Publish({});
  EXPECT_TRUE(publisher.Shows(first));
  AddRoute("web2", "/web2");
  EXPECT_FALSE(publisher.Shows(database_->Read(store::LastEvent)));
}

TEST_F(Publish, TriesAgainWhatDidNotBecomeLive) {
  AddRoute("web1", "/web");
  auto publisher = MakePublisher();
  traefik_.status = [](const std::string&) { return 404; };
  EXPECT_THROW(publisher.Publish({}), Error);
  traefik_.asked.clear();
  EXPECT_THROW(publisher.Publish({}), Error);
  EXPECT_FALSE(traefik_.asked.empty());
}

TEST_F(Publish, WritesAFileAgainThatSomebodyTookAway) {
  const auto version = Add({"a.example.org"}, 1);
  auto publisher = MakePublisher();
  publisher.Publish({});
  const auto other = Add({"b.example.org"}, 2);
  std::filesystem::remove(options_.certificate_dir / (Stem(version) + ".key"));
  publisher.Publish({});
  EXPECT_EQ(PemNames(), (std::set<std::string>{Stem(version) + ".crt", Stem(version) + ".key",
                                               Stem(other) + ".crt", Stem(other) + ".key"}));
}

TEST_F(Publish, LeadsTraefikToTheLoopbackWhereTheResponderListensEverywhere) {
  const std::pair<const char*, const char*> rows[] = {
      {"http://:80", "http://127.0.0.1:80"},
      {"http://0.0.0.0:9180", "http://127.0.0.1:9180"},
      {"http://[::]:9180", "http://127.0.0.1:9180"},
      {"http://10.0.0.7:9180", "http://10.0.0.7:9180"},
      {"http://[fd00::1]:9180", "http://[fd00::1]:9180"},
  };
  for (const auto& [given, wanted] : rows) {
    options_.challenge_url = given;
    EXPECT_THAT(MakePublisher().RenderText(), HasSubstr(Cat("\"url\": \"", wanted, "\"")));
  }
}

}  // namespace
}  // namespace certwright::traefik
