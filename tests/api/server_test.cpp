// The API over real UNIX sockets, with a runner over a real store.
#include "certwright/api/server.h"

#include <sys/stat.h>

#include <future>
#include <thread>

#include "../actions/fixture.h"
#include "../http/raw_connection.h"
#include "certwright/http/local_socket.h"

namespace certwright::api {
namespace {

using actions::Call;
using actions::FakeCa;
using actions::Given;
using actions::Result;
using testing::HasSubstr;

constexpr char kMail[] = R"({"fqdn":"mail.example.org"})";

class ServerTest : public actions::ActionsTest {
 protected:
  ServerTest() {
    server_ = std::make_unique<Server>(*runner_,
                                       std::vector<Socket>{
                                           {owner(), "owner", 0600, "", ""},
                                           {app(), "fulladm", 0660, "", "module/app1"},
                                           {reader(), "reader", 0666, "", ""},
                                           {fixed(), "owner", 0600, "", "module/fixed1"},
                                       },
                                       "1.2.3");
  }
  Path owner() const { return temp_.path() / "owner.sock"; }
  Path app() const { return temp_.path() / "app.sock"; }
  Path reader() const { return temp_.path() / "reader.sock"; }
  Path fixed() const { return temp_.path() / "fixed.sock"; }

  struct Answer {
    int status = 0;
    std::vector<json::Value> lines;
  };
  Answer Send(const Path& socket, const std::string& method, const std::string& path,
              const std::string& body = "", http::Headers headers = {}) {
    http::Request request;
    request.method = method;
    request.url = path;
    request.body = body;
    request.content_type = "application/json";
    request.headers = std::move(headers);
    Answer answer;
    answer.status = http::SendToSocket(socket, request, [&](std::string_view line) {
      if (!Trim(line).empty()) answer.lines.push_back(json::Parse(line, {1 << 24, 32}));
    });
    return answer;
  }
  Answer Post(const Path& socket, const std::string& action, const std::string& body,
              http::Headers headers = {}) {
    return Send(socket, "POST", "/v1/actions/" + action, body, std::move(headers));
  }

  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, HealthIsOpenToEveryRole) {
  for (const Path& socket : {owner(), app(), reader()}) {
    const Answer answer = Send(socket, "GET", "/v1/health");
    EXPECT_EQ(answer.status, 200);
    ASSERT_EQ(answer.lines.size(), 1u);
    EXPECT_EQ(json::Write(answer.lines[0]),
              R"({"status":"ok","version":"1.2.3","node_id":1,"module_id":"traefik1"})");
  }
}

TEST_F(ServerTest, SocketsHaveTheirModes) {
  const std::pair<Path, mode_t> kTable[] = {{owner(), 0600}, {app(), 0660}, {reader(), 0666}};
  for (const auto& [path, mode] : kTable) {
    struct stat info {};
    ASSERT_EQ(lstat(path.c_str(), &info), 0) << path;
    EXPECT_EQ(info.st_mode & 07777, mode) << path;
  }
}

TEST_F(ServerTest, WrongMethodsAndPathsAreRefused) {
  const struct {
    const char* method;
    const char* path;
    int status;
  } kTable[] = {
      {"GET", "/v1/actions/list", 405},  {"PUT", "/v1/actions/list", 405},
      {"DELETE", "/v1/actions/list", 405}, {"PATCH", "/v1/actions/list", 405},
      {"POST", "/v1/health", 405},       {"DELETE", "/v1/health", 405},
      {"GET", "/", 404},                 {"GET", "/v1", 404},
      {"POST", "/v2/actions/list", 404}, {"POST", "/v1/actions", 405},
      {"GET", "/v1/healthy", 404},       {"POST", "/V1/actions/list", 404},
      {"POST", "/v1/actions/", 404},     {"POST", "/v1/actions/list/x", 404},
      {"POST", "/v1/actions/../health", 404}, {"OPTIONS", "/v1/plan", 405},
      {"TRACE", "/v1/health", 405},      {"DELETE", "/v1/tasks", 405},
      {"GET", "/v1/plan?", 200},         {"HEAD", "/v1/plan", 200},
  };
  for (const auto& row : kTable) {
    http::test::RawConnection connection(owner());
    connection.Send(Cat(row.method, ' ', row.path,
                        " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"));
    const std::string answer = connection.ReadAll();
    EXPECT_TRUE(answer.starts_with(Cat("HTTP/1.1 ", row.status, ' ')))
        << row.method << ' ' << row.path << ": " << answer;
    if (row.status == 200) continue;
    const bool by_action = answer.find("\"exit_code\":8") != answer.npos;
    EXPECT_TRUE(by_action || answer.find("application/problem+json") != answer.npos) << answer;
    EXPECT_EQ(answer.find("\r\nAllow: ") != answer.npos, row.status == 405) << answer;
  }
}

TEST_F(ServerTest, StatusSaysHowItEnded) {
  Hold({{"mail.example.org"}});
  ca_.mood = FakeCa::Mood::kRefusing;
  const struct {
    const char* name;
    Path socket;
    const char* action;
    const char* body;
    int status;
    int exit_code;
  } kTable[] = {
      {"done", owner(), "list", "", 200, 0},
      {"schema", owner(), "set-certificate", "{}", 400, 10},
      {"no JSON", owner(), "set-certificate", "{", 400, 10},
      {"check of its own", owner(), "set-certificate", R"({"fqdn":"x.example.org"})", 400, 3},
      {"the CA's no", owner(), "issue", R"({"names":["x.example.org"]})", 502, 3},
      {"bad name", owner(), "issue", R"({"names":["x"]})", 400, 64},
      {"not there", owner(), "show", R"({"certificate":"x.example.com"})", 404, 2},
      {"unknown action", owner(), "make-coffee", "{}", 404, 8},
      {"denied", reader(), "get-certificate", kMail, 403, 7},
      {"no Traefik", owner(), "traefik-check", "", 500, 78},
  };
  for (const auto& row : kTable) {
    const Answer answer = Post(row.socket, row.action, row.body);
    EXPECT_EQ(answer.status, row.status) << row.name;
    ASSERT_EQ(answer.lines.size(), 1u) << row.name;
    EXPECT_EQ(answer.lines[0].Int("exit_code", -1), row.exit_code) << row.name;
  }
}

TEST_F(ServerTest, LinesAreProgressAndThenTheResult) {
  const Answer answer = Post(owner(), "issue", R"({"names":["a.example.org"]})",
                             {{"Accept", "application/x-ndjson"}});
  EXPECT_EQ(answer.status, 200);
  ASSERT_GT(answer.lines.size(), 2u);
  for (std::size_t i = 0; i + 1 < answer.lines.size(); ++i) {
    const json::Value& step = answer.lines[i]["progress"];
    EXPECT_FALSE(step.String("step").empty()) << json::Write(answer.lines[i]);
    EXPECT_FALSE(step.String("text").empty()) << json::Write(answer.lines[i]);
    EXPECT_GE(step.Int("percent", -1), 0);
    EXPECT_LE(step.Int("percent", -1), 100);
  }
  const json::Value& result = answer.lines.back()["result"];
  EXPECT_EQ(result.Int("exit_code", -1), 0);
  EXPECT_TRUE(result["output"].Bool("issued"));
}

TEST_F(ServerTest, WhatIsRefusedAtOnceHasTheSameStatusInLines) {
  const struct {
    Path socket;
    const char* action;
    const char* input;
    int status;
  } kTable[] = {
      {app(), "set-acme-server", "{}", 403},
      {owner(), "make-coffee", "{}", 404},
      {owner(), "set-certificate", "{}", 400},
      {owner(), "list", "{}", 200},
  };
  for (const auto& row : kTable) {
    const int whole = Post(row.socket, row.action, row.input).status;
    EXPECT_EQ(whole, row.status) << row.action;
    const Answer lines =
        Post(row.socket, row.action, row.input, {{"Accept", "application/x-ndjson"}});
    EXPECT_EQ(lines.status, whole) << row.action;
    EXPECT_TRUE(lines.lines.at(0).Has("result")) << row.action;
  }
}

TEST_F(ServerTest, WholeAndLinesCarryTheSameResult) {
  Hold({{"mail.example.org"}});
  for (const char* action : {"list", "get-certificate", "make-coffee"}) {
    const Answer whole = Post(owner(), action, kMail);
    const Answer lines = Post(owner(), action, kMail, {{"Accept", "application/x-ndjson"}});
    ASSERT_EQ(whole.lines.size(), 1u);
    ASSERT_EQ(lines.lines.size(), 1u);
    EXPECT_EQ(lines.lines[0]["result"], whole.lines[0]) << action;
  }
}

TEST_F(ServerTest, ContentTypesTellTheFormApart) {
  const auto raw = [&](const std::string& accept) {
    http::test::RawConnection connection(owner());
    connection.Send(Cat("POST /v1/actions/list HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n",
                        accept, "\r\n{}"));
    return connection.ReadAll();
  };
  EXPECT_THAT(raw(""), HasSubstr("Content-Type: application/json"));
  EXPECT_THAT(raw("Accept: application/x-ndjson\r\n"),
              HasSubstr("Content-Type: application/x-ndjson"));
}

TEST_F(ServerTest, CallerIsTheOwnersToNameOnly) {
  const struct {
    const char* name;
    Path socket;
    std::string header;
    std::string caller;  // whose request it becomes
  } kTable[] = {
      {"owner, named", owner(), "module/mail1", "module/mail1"},
      {"owner, not named", owner(), "", ""},
      {"the socket's", app(), "", "module/app1"},
      {"the socket's, whatever is said", app(), "module/mail2", "module/app1"},
      {"owner's socket with a caller", fixed(), "", "module/fixed1"},
      {"owner's socket with a caller, named", fixed(), "module/mail3", "module/mail3"},
  };
  int number = 0;
  for (const auto& row : kTable) {
    const std::string fqdn = Cat("n", ++number, ".example.org");
    http::Headers headers;
    if (!row.header.empty()) headers.emplace_back("Agent-Task-User", row.header);
    const Answer answer = Post(row.socket, "set-certificate",
                               json::Write(json::Value::Object({{"fqdn", fqdn}})), headers);
    EXPECT_EQ(answer.status, 200) << row.name;
    EXPECT_EQ(RequestOf(row.caller), row.caller.empty() ? "" : fqdn) << row.name;
    if (row.header != row.caller) {
      EXPECT_EQ(RequestOf(row.header), "") << row.name;
    }
  }
}

TEST_F(ServerTest, RoleIsTheSocketsWhateverIsSaid) {
  Hold({{"mail.example.org"}});
  for (const char* header : {"Agent-Task-User", "Role", "X-Role"}) {
    EXPECT_EQ(Post(reader(), "get-certificate", kMail, {{header, "owner"}}).status, 403) << header;
  }
  EXPECT_EQ(Post(reader(), "list", "").status, 200);
  EXPECT_EQ(Post(app(), "get-certificate", kMail).status, 200);
  EXPECT_EQ(Post(app(), "export", R"({"certificate":"mail.example.org"})").status, 403);
}

TEST_F(ServerTest, CallDaemonGivesWhatTheRunnerGives) {
  Hold({{"mail.example.org"}});
  const struct {
    const char* name;
    std::string action, input;
  } kTable[] = {
      {"output", "list", "{}"},
      {"no input", "list", ""},
      {"null", "list", "null"},
      {"with a key", "get-certificate", kMail},
      {"schema", "set-certificate", R"({"fqdn":1,"x":"\u00e9\u0000"})"},
      {"no JSON", "set-certificate", "{\n\n"},
      {"not UTF-8", "set-certificate", "{\"fqdn\":\"\xff\"}"},
      {"failure", "show", R"({"certificate":"nobody.example.org"})"},
      {"unknown", "make-coffee", "{}"},
      {"no name", "", "{}"},
      {"a blank in the name", "make coffee", "{}"},
      {"a query in the name", "list?x=1", "{}"},
      {"a fragment in the name", "list#x", "{}"},
      {"a path in the name", "../health", "{}"},
      {"a slash in the name", "list/", "{}"},
      {"percent signs in the name", "%6cist", "{}"},
      {"plus in the name", "a+b", "{}"},
      {"lines in the name", "list HTTP/1.1\r\nX: y\r\n\r\n", "{}"},
      {"a long name", std::string(300, 'a'), "{}"},
      {"a name in UTF-8", "caf\xc3\xa9", "{}"},
  };
  for (const auto& row : kTable) {
    Call call;
    call.action = row.action;
    call.input = row.input;
    const Result here = runner_->Run(call, nullptr, {});
    try {
      const Result there = CallDaemon(owner(), call, nullptr);
      EXPECT_EQ(json::Write(there.ToJson()), json::Write(here.ToJson())) << row.name;
    } catch (const Error& error) {
      ADD_FAILURE() << row.name << ": " << error.what();
    }
  }
}

TEST_F(ServerTest, CallDaemonTellsEveryStepAndNamesTheCaller) {
  Call call;
  call.action = "set-certificate";
  call.input = kMail;
  call.caller = "module/mail1";
  std::vector<model::Progress> steps;
  const Result result =
      CallDaemon(owner(), call, [&](const model::Progress& step) { steps.push_back(step); });
  EXPECT_EQ(result.exit_code, 0) << result.error;
  ASSERT_FALSE(steps.empty());
  EXPECT_EQ(steps.front().step, "account");
  EXPECT_GT(steps.back().percent, steps.front().percent);
  EXPECT_EQ(RequestOf("module/mail1"), "mail.example.org");
}

TEST_F(ServerTest, CallerCannotAddHeaders) {
  Call call;
  call.action = "set-certificate";
  call.input = kMail;
  call.caller = "module/mail1\r\nAccept: text/plain\r\nX: y";
  try {
    CallDaemon(owner(), call, nullptr);
  } catch (const Error&) {
    // Refused is fine.
  }
  EXPECT_EQ(RequestOf("module/mail1"), "");
}

TEST_F(ServerTest, ALongListComesThroughWhole) {
  database_->Write([&](store::Session& session) {
    for (int i = 0; i < 2000; ++i) {
      model::ManagedCertificate wanted;
      wanted.names = {{model::IdentifierType::kDns, Cat("n", i, ".example.org")}};
      store::EnsureManaged(session, wanted, actions::kNow);
    }
  });
  Call call;
  call.action = "list";
  const Result result = CallDaemon(owner(), call, nullptr);
  ASSERT_TRUE(result.output);
  EXPECT_EQ((*result.output)["missing"].Items().size(), 2000u);
}

TEST_F(ServerTest, ManyCallsAtOnceEachGetTheirAnswer) {
  for (int i = 0; i < 8; ++i) Hold({{Cat("h", i, ".example.org")}});
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < 64; ++i) {
    answers.push_back(std::async(std::launch::async, [this, i] {
      Call call;
      call.action = "show";
      call.input = Cat(R"({"certificate":"h)", i % 8, R"(.example.org"})");
      const Result result = CallDaemon(owner(), call, nullptr);
      return result.output ? result.output->Strings("names").front() : result.error;
    }));
  }
  for (int i = 0; i < 64; ++i) EXPECT_EQ(answers[i].get(), Cat("h", i % 8, ".example.org"));
}

TEST_F(ServerTest, StopEndsALongActionWithAnAnswer) {
  ca_.mood = FakeCa::Mood::kSilent;
  for (const bool lines : {true, false}) {
    if (!server_) {
      const std::vector<Socket> one{{owner(), "owner", 0600, "", ""}};
      server_ = std::make_unique<Server>(*runner_, one, "1.2.3");
    }
    auto answer = std::async(std::launch::async, [&] {
      http::Headers headers;
      if (lines) headers.emplace_back("Accept", "application/x-ndjson");
      return Post(owner(), "set-certificate",
                  R"({"fqdn":"mail.example.org","sync_timeout":3600})", headers);
    });
    for (int i = 0; i < 5000 && !jobs_->IsUnderWay("mail.example.org"); ++i) {
      std::this_thread::sleep_for(Millis(1));
    }
    std::this_thread::sleep_for(Millis(50));  // into the wait for the job
    const auto started = std::chrono::steady_clock::now();
    server_.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5));
    const Answer got = answer.get();
    ASSERT_FALSE(got.lines.empty());
    const json::Value& last = got.lines.back();
    const json::Value& result = lines ? last["result"] : last;
    EXPECT_EQ(result.Int("exit_code", -1), 3) << json::Write(last);
    EXPECT_EQ(result["failure"].String("code"), "cancelled") << json::Write(last);
    EXPECT_TRUE(jobs_->IsUnderWay("mail.example.org")) << "the order is not the server's";
  }
}

TEST_F(ServerTest, CallsThatWaitLeaveRoomForThoseThatDoNot) {
  ca_.mood = FakeCa::Mood::kSilent;
  std::vector<std::future<Answer>> waiting;
  for (int i = 0; i < 60; ++i) {
    waiting.push_back(std::async(std::launch::async, [&, i] {
      return Post(owner(), "issue", Cat(R"({"names":["n)", i, R"(.example.org"],"timeout":600})"));
    }));
  }
  int refused = 0;
  while (refused < 12) {
    for (auto& answer : waiting) {
      if (!answer.valid() || answer.wait_for(Millis(1)) != std::future_status::ready) continue;
      const Answer got = answer.get();
      ASSERT_EQ(got.status, 503) << "nothing else can have ended yet";
      EXPECT_EQ(got.lines.at(0).Int("exit_code"), 75);
      ++refused;
    }
  }
  EXPECT_EQ(Post(reader(), "list", "{}").status, 200);
  EXPECT_EQ(Post(owner(), "list", "{}").status, 200);
  Call one_more;
  one_more.action = "issue";
  one_more.input = R"({"names":["n61.example.org"]})";
  EXPECT_EQ(CallDaemon(owner(), one_more, nullptr).exit_code, 75);
  server_.reset();  // ends the others
}

TEST_F(ServerTest, NobodyThereIsANetworkFailure) {
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(owner()));
  Call call;
  call.action = "list";
  try {
    CallDaemon(owner(), call, nullptr);
    FAIL() << "no daemon, and an answer";
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().code, FailureCode::kNetwork);
    EXPECT_TRUE(error.failure().transient);
  }
}

TEST_F(ServerTest, AServerThatStopsSaysSoUntilItIsGone) {
  ca_.mood = FakeCa::Mood::kSilent;
  std::atomic<bool> gone{false};
  auto long_call = std::async(std::launch::async, [&] {
    return Post(owner(), "set-certificate", kMail, {{"Accept", "application/x-ndjson"}});
  });
  for (int i = 0; i < 5000 && !jobs_->IsUnderWay("mail.example.org"); ++i) {
    std::this_thread::sleep_for(Millis(1));
  }
  std::jthread stopping([&] {
    server_.reset();
    gone = true;
  });
  do {
    try {
      CheckDaemon(owner());
    } catch (const Error& error) {
      EXPECT_EQ(error.failure().code, FailureCode::kNetwork) << error.what();
      EXPECT_TRUE(error.failure().transient) << error.what();
    }
  } while (!gone);
  EXPECT_THROW(CheckDaemon(owner()), Error);
}

TEST_F(ServerTest, SecondServerOnTheSameSocketIsBusyAndLeavesTheFirst) {
  try {
    Server second(*runner_, {{owner(), "owner", 0600, "", ""}}, "x");
    FAIL() << "two servers on one socket";
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().code, FailureCode::kBusy);
  }
  EXPECT_EQ(Send(owner(), "GET", "/v1/health").status, 200);
}

}  // namespace
}  // namespace certwright::api
