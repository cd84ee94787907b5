// Tasks and read-only resources over real UNIX sockets.
#include <gmock/gmock.h>

#include "../actions/fixture.h"
#include "../http/raw_connection.h"
#include "certwright/actions/tasks.h"
#include "certwright/api/server.h"
#include "certwright/http/local_socket.h"

namespace certwright::api {
namespace {

using testing::HasSubstr;

class DoorTest : public actions::ActionsTest {
 protected:
  DoorTest()
      : tasks_(*database_, clock_, SystemRandom(),
               [this](const actions::Call& call, const model::ProgressSink& progress,
                      std::stop_token stop) { return runner_->Run(call, progress, stop); }) {
    actions::Context context = MakeContext();
    context.tasks = &tasks_;
    runner_.emplace(context);
    server_ = std::make_unique<Server>(
        *runner_,
        std::vector<Socket>{{owner(), "owner", 0600, "", ""},
                            {app(), "fulladm", 0600, "", "module/app1"},
                            {reader(), "reader", 0600, "", ""}},
        "1.2.3");
  }
  Path owner() const { return temp_.path() / "owner.sock"; }
  Path app() const { return temp_.path() / "app.sock"; }
  Path reader() const { return temp_.path() / "reader.sock"; }

  struct Answer {
    int status = 0;
    std::string head;
    json::Value body;
  };
  Answer Ask(const Path& socket, const std::string& method, const std::string& target,
             const std::string& body = "") {
    http::test::RawConnection connection(socket);
    connection.Send(Cat(method, ' ', target, " HTTP/1.1\r\nHost: x\r\nContent-Length: ",
                        body.size(), "\r\n\r\n", body));
    const std::string all = connection.ReadAll();
    const std::size_t end = all.find("\r\n\r\n");
    Answer answer;
    answer.status = std::stoi(all.substr(9, 3));
    answer.head = all.substr(0, end);
    if (end + 4 < all.size()) answer.body = json::Parse(all.substr(end + 4), {1 << 24, 64});
    return answer;
  }
  Answer Get(const Path& socket, const std::string& target) { return Ask(socket, "GET", target); }
  std::string Submit(const Path& socket, const std::string& body) {
    const Answer answer = Ask(socket, "POST", "/v1/tasks", body);
    EXPECT_EQ(answer.status, 202) << json::Write(answer.body);
    const std::string id = answer.body.String("id");
    EXPECT_THAT(answer.head, HasSubstr(Cat("\r\nLocation: /v1/tasks/", id)));
    return id;
  }
  std::int64_t Audited() {
    return static_cast<std::int64_t>(Output("audit", "")["entries"].Items().size());
  }

  actions::Tasks tasks_;
  std::unique_ptr<Server> server_;
};

TEST_F(DoorTest, ResourcesAreTheOutputsOfTheirActions) {
  const std::string serial = Hold({{"a.example.org", "*.b.example.org"}}).current->serial_hex;
  Output("account-register", "");
  const struct {
    const char* target;
    const char* action;
    std::string input;
  } kTable[] = {
      {"/v1/certificates", "list", ""},
      {"/v1/certificates/a.example.org", "show", R"({"certificate":"a.example.org"})"},
      {"/v1/certificates/%2A.b.example.org,a.example.org", "show",
       R"({"certificate":"a.example.org"})"},
      {"/v1/plan", "plan", ""},
      {"/v1/ledger", "ledger", ""},
      {"/v1/account", "account-show", ""},
      {"/v1/audit?limit=5&after=0", "audit", R"({"limit":5,"after":0})"},
      {"/v1/tasks?status=pending&limit=7", "tasks", R"({"status":"pending","limit":7})"},
  };
  for (const auto& row : kTable) {
    const Answer answer = Get(owner(), row.target);
    EXPECT_EQ(answer.status, 200) << row.target << json::Write(answer.body);
    EXPECT_EQ(answer.body, Output(row.action, row.input)) << row.target;
    EXPECT_THAT(answer.head, HasSubstr("Content-Type: application/json")) << row.target;
  }
  EXPECT_EQ(Get(owner(), "/v1/certificates/" + serial).body.String("serial"), serial);
}

TEST_F(DoorTest, WhatIsAskedWronglyIsAProblem) {
  const struct {
    const char* target;
    int status;
    const char* words;
  } kTable[] = {
      {"/v1/certificates/x.example.org", 404, "x.example.org"},
      {"/v1/certificates/", 400, "certificate_string_gte"},
      {"/v1/certificates?x=1", 400, "parameter x"},
      {"/v1/certificates/a?certificate=b", 400, "parameter certificate"},
      {"/v1/plan?wait=1", 400, "parameter wait"},
      {"/v1/audit?limit=", 400, "integer"},
      {"/v1/audit?limit=1x", 400, "integer"},
      {"/v1/audit?limit=99999999999999999999", 400, "integer"},
      {"/v1/audit?limit=0", 400, "limit_number_gte"},
      {"/v1/audit?limit=1&limit=2", 400, "twice"},
      {"/v1/audit?limit=%", 400, "hexadecimal"},
      {"/v1/tasks?status=gone", 400, "status_enum"},
      {"/v1/tasks/none", 404, "none"},
      {"/v1/tasks/none?wait=60", 404, "none"},
      {"/v1/tasks/none?wait=61", 400, "60"},
      {"/v1/tasks/none?wait=-1", 400, "60"},
      {"/v1/health?x", 400, "parameters"},
      {"/v1/nothing", 404, "openapi"},
  };
  for (const auto& row : kTable) {
    const Answer answer = Get(owner(), row.target);
    EXPECT_EQ(answer.status, row.status) << row.target;
    EXPECT_EQ(answer.body.Int("status"), row.status) << row.target;
    EXPECT_THAT(json::Write(answer.body), HasSubstr(row.words)) << row.target;
    EXPECT_THAT(answer.head, HasSubstr("Content-Type: application/problem+json")) << row.target;
  }
}

TEST_F(DoorTest, RolesOfResourcesAreTheActions) {
  const struct {
    const char* target;
    bool reader, app;
  } kTable[] = {{"/v1/certificates", true, false}, {"/v1/plan", true, false},
                {"/v1/ledger", true, false},       {"/v1/audit", false, false},
                {"/v1/tasks", true, true},         {"/v1/actions", true, true},
                {"/v1/openapi.json", true, true}};
  for (const auto& row : kTable) {
    const Answer read = Get(reader(), row.target);
    EXPECT_EQ(read.status, row.reader ? 200 : 403) << row.target;
    if (!row.reader) {
      EXPECT_EQ(read.body.Int("exit_code"), 7);
    }
    EXPECT_EQ(Get(app(), row.target).status, row.app ? 200 : 403) << row.target;
  }
}

TEST_F(DoorTest, ATaskIsTakenAtOnceAndWaitedFor) {
  tasks_.Start();
  const std::string id = Submit(
      app(), R"({"action":"set-certificate","data":{"fqdn":"mail.example.org"},"parent":"p",)"
             R"("extra":{"title":"x"}})");
  const Answer answer = Get(app(), Cat("/v1/tasks/", id, "?wait=30"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body.String("status"), "completed") << json::Write(answer.body);
  EXPECT_EQ(json::Write(answer.body["output"]), R"({"obtained":true})");
  EXPECT_EQ(answer.body.Int("exit_code", -1), 0);
  EXPECT_EQ(answer.body.String("error", "?"), "");
  EXPECT_EQ(answer.body.String("user"), "module/app1");
  EXPECT_EQ(answer.body.String("role"), "fulladm");
  EXPECT_EQ(answer.body.String("parent"), "p");
  EXPECT_EQ(RequestOf("module/app1"), "mail.example.org");
  EXPECT_EQ(Get(reader(), "/v1/tasks/" + id).status, 404) << "another one's";
  EXPECT_EQ(Get(owner(), "/v1/tasks/" + id).status, 200);
}

TEST_F(DoorTest, ATaskThatIsNotTakenLeavesNothingButTheAudit) {
  const struct {
    const char* name;
    Path socket;
    const char* body;
    int status;
  } kTable[] = {
      {"denied", reader(), R"({"action":"get-certificate","data":{"fqdn":"a.example.org"}})", 403},
      {"denied to an application", app(), R"({"action":"issue"})", 403},
      {"no such action", owner(), R"({"action":"make-coffee"})", 404},
      {"no action", owner(), "{}", 400},
      {"no body", owner(), "", 400},
      {"no JSON", owner(), "{", 400},
      {"unknown key", owner(), R"({"action":"list","role":"owner"})", 400},
      {"key twice", owner(), R"({"action":"list","action":"plan"})", 400},
      {"extra is no object", owner(), R"({"action":"list","extra":1})", 400},
  };
  for (const auto& row : kTable) {
    const std::int64_t before = Audited();
    const Answer answer = Ask(row.socket, "POST", "/v1/tasks", row.body);
    EXPECT_EQ(answer.status, row.status) << row.name;
    EXPECT_THAT(answer.head, HasSubstr("application/problem+json")) << row.name;
    EXPECT_TRUE(Output("tasks", "")["tasks"].Items().empty()) << row.name;
    EXPECT_EQ(Audited() - before, row.status == 403 ? 1 : 0) << row.name;
  }
}

TEST_F(DoorTest, ATaskThatWaitsIsCancelled) {
  const std::string id = Submit(app(), R"({"action":"set-certificate","data":{}})");
  EXPECT_EQ(Ask(reader(), "DELETE", "/v1/tasks/" + id).status, 404);
  const Answer answer = Ask(app(), "DELETE", "/v1/tasks/" + id);
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body.Bool("cancelled"));
  EXPECT_EQ(answer.body.String("status"), "aborted");
  EXPECT_EQ(Ask(app(), "DELETE", "/v1/tasks/" + id).body["cancelled"], json::Value(false));
}

TEST_F(DoorTest, ALongPollEndsWhenTheServerStops) {
  const std::string id = Submit(owner(), R"({"action":"list"})");  // nothing runs it
  std::jthread poll([&] { EXPECT_EQ(Get(owner(), Cat("/v1/tasks/", id, "?wait=60")).status, 200); });
  std::this_thread::sleep_for(Millis(50));
  const auto begun = std::chrono::steady_clock::now();
  server_.reset();
  poll.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
}

TEST_F(DoorTest, ActionsAreDescribedWithTheirSchemas) {
  const Answer answer = Get(reader(), "/v1/actions");
  std::vector<std::string> names;
  for (const json::Value& action : answer.body["actions"].Items()) {
    names.push_back(action.String("name"));
    EXPECT_TRUE(action["input"].Has("$schema")) << names.back();
    EXPECT_TRUE(action["output"].IsNull() || action["output"].Has("$schema")) << names.back();
  }
  EXPECT_EQ(names, runner_->action_names());
}

}  // namespace
}  // namespace certwright::api
