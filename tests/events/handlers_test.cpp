#include "certwright/events/handlers.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "../store/store_fixture.h"
#include "certwright/json/value.h"
#include "payload_json.h"

namespace certwright::events {
namespace {

using store::Slurp;
using store::Spill;

class HandlersTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(place()); }

  Path dir() const { return temp_.path() / "events"; }
  Path place() const { return dir() / "certificate-changed"; }
  Path out() const { return temp_.path() / "out"; }
  std::string Out() const { return Slurp(out()); }

  // A shell script; $OUT is where it writes to.
  void Script(const Path& path, const std::string& body, bool executable = true) {
    Spill(path, "#!/bin/sh\nOUT='" + out().string() + "'\n" + body + "\n");
    std::filesystem::permissions(path, executable ? std::filesystem::perms(0755)
                                                  : std::filesystem::perms(0644));
  }

  HandlerOptions Options(Millis timeout = Millis(10'000)) {
    HandlerOptions options;
    options.dir = dir();
    options.node = {2, "traefik3"};
    options.timeout = timeout;
    return options;
  }

  // Every handler of the event's kind, one after the other. Gives the failures, one a line.
  std::string Tell(std::stop_token stop = {}, Millis timeout = Millis(10'000)) {
    std::string failures;
    for (const auto& handler : FindHandlers(Options(timeout))) {
      if (handler->kinds() != store::Kinds{event_.name}) continue;
      try {
        handler->Deliver(std::span(&event_, 1), stop);
      } catch (const Error& error) {
        failures += handler->name() + ": " + error.what() + "\n";
        if (stop.stop_requested()) throw;
      }
    }
    return failures;
  }

  std::string Names() {
    std::string names;
    for (const auto& handler : FindHandlers(Options())) names += handler->name() + " ";
    return names;
  }

  model::Event event_{9, "certificate-changed", "issued", {"a.example.org"}, 1, 0, {}, 1};
  store::TempDir temp_;
};

TEST_F(HandlersTest, GetThePayloadAndTheEnvironment) {
  ::setenv("CERTWRIGHT_INHERITED", "yes", 1);
  ::setenv("NODE_ID", "77", 1);
  Script(place() / "one", R"(cat > $OUT
    echo " $AGENT_EVENT_NAME $AGENT_EVENT_SOURCE $NODE_ID $CERTWRIGHT_INHERITED" >> $OUT)");
  Tell();
  ::unsetenv("NODE_ID");
  EXPECT_EQ(Out(), PayloadJson(event_, 2, "traefik3") +
                       " certificate-changed module/traefik3 2 yes\n");
}

TEST_F(HandlersTest, CanOpenTheirInputByName) {
  Script(place() / "one", "cat /dev/stdin > $OUT");
  Tell();
  EXPECT_EQ(Out(), PayloadJson(event_, 2, "traefik3"));
}

TEST_F(HandlersTest, RunInTheOrderOfTheirNamesBytes) {
  for (const char* name : {"b", "a", "B", "10", "9", "_z"}) {
    Script(place() / name, "printf '%s ' ${0##*/} >> $OUT");
  }
  Tell();
  EXPECT_EQ(Out(), "10 9 B _z a b ");
}

TEST_F(HandlersTest, SkipWhatIsNoHandler) {
  Script(place() / "good", "printf good >> $OUT");
  Script(place() / "plain", "printf plain >> $OUT", false);
  Script(place() / ".hidden", "printf hidden >> $OUT");
  Script(place() / "good~", "printf backup >> $OUT");
  std::filesystem::create_directory(place() / "folder");
  std::filesystem::create_symlink("nowhere", place() / "dangling");
  std::filesystem::create_symlink("good", place() / "link");
  Tell();
  EXPECT_EQ(Out(), "goodgood") << "the file and the link to it";
}

TEST_F(HandlersTest, MayBeOneExecutableOfTheEventsName) {
  std::filesystem::remove(place());
  Script(place(), "printf single >> $OUT");
  Tell();
  EXPECT_EQ(Out(), "single");
}

TEST_F(HandlersTest, NeedNotBeThere) {
  std::filesystem::remove_all(dir());
  EXPECT_EQ(Names(), "");
}

TEST_F(HandlersTest, AreNamedByKindAndFile) {
  std::filesystem::create_directories(dir() / "certificate-failed");
  std::filesystem::create_directories(dir() / "No Kind");
  Script(place() / "20-b", "exit 0");
  Script(place() / "10 a", "exit 0");
  Script(dir() / "certificate-failed" / "20-b", "exit 0");
  Script(dir() / "hosts-changed", "exit 0");
  Script(dir() / "README.md", "exit 0");
  Script(dir() / "No Kind" / "one", "exit 0");
  EXPECT_EQ(Names(),
            "handler:certificate-changed/10 a handler:certificate-changed/20-b "
            "handler:certificate-failed/20-b handler:hosts-changed ");
}

TEST_F(HandlersTest, AFailedOneSaysWhyAndTheNextOnesRun) {
  Script(place() / "1", "echo first >&2; printf 'last\\033[2J \"words\"\\n' >&2; exit 3");
  Script(place() / "2", "kill -SEGV $$");
  Spill(place() / "3", "no program");
  std::filesystem::permissions(place() / "3", std::filesystem::perms(0755));
  Script(place() / "4", "printf ran >> $OUT");
  const std::string failures = Tell();
  EXPECT_EQ(Out(), "ran");
  const std::string name = "handler:certificate-changed/";
  EXPECT_NE(failures.find(name + "1: event 9: exit code 3: last?[2J \"words\"\n"),
            std::string::npos)
      << failures;
  EXPECT_EQ(failures.find("first"), std::string::npos) << failures;
  EXPECT_NE(failures.find(name + "2: event 9: ended by signal 11\n"), std::string::npos)
      << failures;
  EXPECT_NE(failures.find(name + "3: "), std::string::npos) << failures;
}

TEST_F(HandlersTest, AreToldAgainWhereDescriptorsRanOut) {
  Script(place() / "one", "cat > $OUT");
  const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(next, 0);
  ::close(next);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  // The folder can be listed and the input made, but no pipe.
  const rlimit few{static_cast<rlim_t>(next + 2), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const std::string failures = Tell();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_NE(failures, "");
  EXPECT_FALSE(std::filesystem::exists(out()));
  EXPECT_EQ(Tell(), "");
  EXPECT_EQ(Out(), PayloadJson(event_, 2, "traefik3"));
}

TEST_F(HandlersTest, NeedNotReadTheirInput) {
  for (int i = 0; i < 5000; ++i) {
    event_.names.push_back("host-number-" + std::to_string(i) + ".example.org");
  }
  Script(place() / "1", "exit 0");
  Script(place() / "2", "wc -c | tr -d ' \\n' > $OUT");
  Tell();
  EXPECT_EQ(Out(), std::to_string(PayloadJson(event_, 2, "traefik3").size()));
}

TEST_F(HandlersTest, MayWriteAsMuchAsTheyLike) {
  Script(place() / "1", "head -c 5000000 /dev/zero >&2; echo >&2; echo end >&2; exit 1");
  std::string failures;
  testing::internal::CaptureStderr();
  failures = Tell();
  testing::internal::GetCapturedStderr();
  EXPECT_NE(failures.find("exit code 1: end"), std::string::npos) << failures;
}

TEST_F(HandlersTest, AreEndedWithTheirWholeGroupAfterTheTimeOut) {
  // Deaf to SIGTERM, so that only SIGKILL ends them; the second one is a child of the first.
  Script(place() / "1",
         "trap '' TERM; (trap '' TERM; sleep 30; printf late >> $OUT) & echo $! > $OUT.pid; wait; "
         "sleep 30");
  Script(place() / "2", "printf next >> $OUT");
  const auto before = std::chrono::steady_clock::now();
  const std::string failures = Tell({}, Millis(200));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(8));
  EXPECT_NE(failures.find("/1: event 9: ended after 0.2 s"), std::string::npos) << failures;
  EXPECT_EQ(Out(), "next");
  const pid_t grandchild = std::stoi(Slurp(out().string() + ".pid"));
  std::string state = "gone";
  for (int i = 0; i < 100; ++i) {
    // A zombie that nobody reaps (no init in a container) is dead too.
    const std::string stat = Slurp("/proc/" + std::to_string(grandchild) + "/stat");
    state = stat.empty() ? "gone" : stat.substr(stat.rfind(')') + 2, 1);
    if (state == "gone" || state == "Z") break;
    std::this_thread::sleep_for(Millis(20));
  }
  EXPECT_TRUE(state == "gone" || state == "Z") << state;
}

TEST_F(HandlersTest, AreNotWaitedForInTheBackground) {
  Script(place() / "1", "sleep 5 & exit 0");  // keeps our pipe open
  const auto before = std::chrono::steady_clock::now();
  Tell();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(3));
}

TEST_F(HandlersTest, AreEndedByAStopAndToldAgain) {
  Script(place() / "1", "sleep 30");
  Script(place() / "2", "printf no >> $OUT");
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(Millis(100));
    stop.request_stop();
  });
  const auto before = std::chrono::steady_clock::now();
  const Failure failure = store::FailureOf([&] { Tell(stop.get_token()); });
  EXPECT_EQ(failure.code, FailureCode::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  EXPECT_EQ(Out(), "");
}

TEST_F(HandlersTest, InheritNeitherDescriptorsNorIgnoredSignals) {
  // Without close-on-exec, and far from the numbers that the shell takes for itself.
  const int leak = ::fcntl(STDERR_FILENO, F_DUPFD, 50);
  ASSERT_GE(leak, 50);
  ::signal(SIGPIPE, SIG_IGN);
  Script(place() / "1",
         "ls /proc/$$/fd | tr '\\n' ' ' > $OUT; grep SigIgn /proc/$$/status > $OUT.sig");
  Tell();
  ::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ((" " + Out()).find(" " + std::to_string(leak) + " "), std::string::npos) << Out();
  const std::string ignored = Slurp(out().string() + ".sig");  // "SigIgn:\t<hex>"
  ASSERT_GT(ignored.size(), 8u);
  EXPECT_EQ(std::stoull(ignored.substr(8), nullptr, 16) >> (SIGPIPE - 1) & 1, 0u) << ignored;
  ::close(leak);
}

}  // namespace
}  // namespace certwright::events
