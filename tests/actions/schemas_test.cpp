// Every action's input and output is described, and what it really gives fits.
#include <fstream>
#include <sstream>

#include "certwright/actions/tasks.h"
#include "certwright/base/encoding.h"
#include "certwright/issue/housekeeping.h"
#include "certwright/json/failure.h"
#include "certwright/json/schema.h"
#include "certwright/model/event_kinds.h"
#include "fixture.h"
#include "handler.h"

namespace certwright::actions {
namespace {

json::Schema SchemaFile(const std::string& name) {
  std::ifstream in(Cat(CERTWRIGHT_SCHEMAS, "/", name));
  std::ostringstream text;
  text << in.rdbuf();
  return json::Schema(text.str());
}

std::string Violations(const json::Schema& schema, const json::Value& value) {
  std::string text;
  for (const auto& violation : schema.Check(value)) {
    text += Cat(violation.field, ": ", violation.error, "\n");
  }
  return text;
}

// An API of Traefik that knows everything.
class Traefik : public http::Transport {
 public:
  http::Response Send(const http::Request&, std::stop_token) override {
    http::Response response;
    response.status = 200;
    response.body = R"({"address":":8443/tcp"})";
    return response;
  }
};

class SchemasTest : public ActionsTest {
 protected:
  // One of each kind that another client may leave, good and bad.
  static std::string ImportInput() {
    const auto pair =
        crypto::SelfSigned(model::ParseIdentifiers({"import.example.org"}), kNow - 1, kNow + kDay);
    const json::Value good = json::Value::Object({{"from", "good"},
                                                  {"directory", "https://other.test/directory"},
                                                  {"chain", pair.chain_pem},
                                                  {"key", pair.key_pem.Reveal()}});
    json::Value bad = good;
    bad.Set("from", "bad").Set("key", "none");
    const json::Value route = json::Value::Object(
        {{"instance", "import1"}, {"url", "http://127.0.0.1:1"}, {"path", "/import"}});
    const auto list = [](std::initializer_list<json::Value> items) { return json::Array(items); };
    const json::Value no_route =
        json::Value::Object({{"from", "bad"}, {"route", json::Value::Object()}});
    return json::Write(json::Value::Object(
        {{"accounts", list({good, bad})},
         {"certificates", list({good, bad})},
         {"uploads", list({good, bad})},
         {"routes", list({json::Value::Object({{"from", "good"}, {"route", route}}), no_route})},
         {"settings", json::Parse(R"({"trusted_proxies":{"proxies":["192.0.2.1"],"depth":1},)"
                                  R"("default_names":["import.example.org"]})")},
         {"left_out", list({json::Value::Object({{"from", "f"}, {"why", "w"}})})}}));
  }

  // One that is well, one that waits and one that fails.
  template <typename CallFunction>
  void CallExports(const CallFunction& call) {
    const auto target = [&](const std::string& name, const std::string& host) {
      exports::Target made;
      made.name = name;
      made.names = {host};
      made.path = temp_.path() / name;
      return made;
    };
    exports::Target failing = target("failing", "own.example.org");
    failing.reload = {"false"};
    std::vector<std::unique_ptr<exports::Keeper>> keepers;
    for (const exports::Target& each : {target("well", "own.example.org"),
                                        target("waiting", "none.example.org"), failing}) {
      keepers.push_back(std::make_unique<exports::Keeper>(each, *database_, clock_));
    }
    Context context = MakeContext();
    context.exports = &keepers;
    runner_.emplace(context);
    call("list-exports", "");
    call("run-export", R"({"name":"well"})");
    Run("run-export", R"({"name":"failing"})");
    call("list-exports", "");
    served::Watch watch(
        [](std::stop_token) {
          return std::vector<served::Spot>{
              {"tls://x:1", "own.example.org", false, [](std::stop_token) -> probe::ShownLeaf {
                 throw Error(FailureCode::kNetwork, "nobody answers");
               }}};
        },
        *database_, feed_, clock_, {});
    context.watch = &watch;
    runner_.emplace(context);
    context.examine = [](const std::vector<model::Identifier>& names, std::stop_token) {
      using State = model::Finding::State;
      return std::vector<model::Finding>{{"disk", "/", State::kOk, "1 MB are free", ""},
                                         {"dns", names.at(0).value, State::kUnknown, "x", "y"},
                                         {"caa", names.at(0).value, State::kProblem, "x", "y"}};
    };
    runner_.emplace(context);
    call("doctor", "");
    call("doctor", R"({"names":["a.example.org"]})");
    call("check-served", "");
    call("list-served", "");
    call("status", "");
    runner_.emplace(MakeContext());
  }

  // The outputs of every action, in as many shapes as it has.
  std::vector<std::pair<std::string, json::Value>> Outputs() {
    std::vector<std::pair<std::string, json::Value>> all;
    const auto call = [&](const std::string& action, const std::string& input,
                          const std::string& caller = "") {
      all.emplace_back(action, Output(action, input, caller));
    };
    upload_.verify = "selfsign";
    runner_.emplace(MakeContext());
    issue::EnsureSelfSigned(*database_, clock_, "node.example.org");
    call("list", "");
    call("account-register", "");
    call("account-show", "");
    call("set-certificate", R"({"fqdn":"mail.example.org"})", "module/mail1");
    call("issue", R"({"names":["mail.example.org"]})");
    call("issue", R"({"names":["www.example.org","example.org"]})");
    call("issue", R"({"names":["dry.example.org"],"dry_run":true})");
    Hold({{"up.example.org"}, model::Origin::kUpload});
    ca_.mood = FakeCa::Mood::kRefusing;
    Run("set-certificate", R"({"fqdn":"no.example.org"})");
    call("list", "");
    call("show", R"({"certificate":"mail.example.org"})");
    call("show", R"({"certificate":"up.example.org"})");
    call("show", R"({"certificate":"no.example.org"})");
    for (const char* format : {"pem", "json", "der", "pkcs12", "chain"}) {
      call("export", Cat(R"({"certificate":"mail.example.org","format":")", format, "\"}"));
    }
    call("get-certificate", R"({"fqdn":"mail.example.org"})");
    call("get-certificate", R"({"fqdn":"up.example.org"})");
    call("get-certificate", R"({"fqdn":"no.example.org"})");
    call("audit", "");
    Tasks tasks(*database_, clock_, SystemRandom(),
                [this](const Call& task, const model::ProgressSink& progress,
                       std::stop_token stop) { return runner_->Run(task, progress, stop); });
    const std::string task = json::Write(json::Value::Object(
        {{"task", tasks.Submit({"show", R"({"certificate":"x.example.org"})", "owner", ""}, "",
                               json::Value::Object())}}));
    call("tasks", "");
    call("show-task", task);
    call("cancel-task", task);
    call("show-task", task);
    call("import", "{}");
    call("list-certificates", "");
    call("delete-certificate", R"({"type":"internal","obsolete":true})");
    call("get-acme-server", "");
    call("get-trusted-proxies", "");
    call("set-acme-server", R"({"url":"https://ca.test/directory"})");
    call("set-trusted-proxies", R"({"proxies":[]})");
    call("set-default-certificate", R"({"names":["mail.example.org"]})");
    const auto own = crypto::SelfSigned(model::ParseIdentifiers({"own.example.org"}), kNow - kDay,
                                        kNow + kDay);
    call("upload-certificate",
         json::Write(json::Value::Object({{"certFile", Base64(own.chain_pem)},
                                          {"keyFile", Base64(own.key_pem.Reveal())}})));
    const auto ack = [&](const std::string& more) {
      call("ack", Cat(R"({"name":"own.example.org","consumer":"mail1",)", more, "}"));
    };
    ack(Cat(R"("serial":")", own.serial_hex, "\""));
    call("show", R"({"certificate":"own.example.org"})");
    ack(R"("forget":true)");
    CallExports(call);
    call("plan", "{}");
    call("ledger", "");
    call("status", "");
    call("metrics", "");
    call("events", R"({"limit":5})");
    call("replay-events", R"({"from":1})");
    call("renew", R"({"dry_run":true})");
    call("renew", R"({"certificates":["mail.example.org"],"force":true})");
    call("renew", R"({"certificates":["no.example.org"]})");
    call("get-route", R"({"instance":"mail1"})");
    call("set-route", R"({"instance":"mail1","url":"http://127.0.0.1:1","host":"no.example.org",)"
                      R"("path":"/a","priority":5,"lets_encrypt":true,"ip_allowlist":["::1"],)"
                      R"("headers":{"request":{"X-A":"1"},"response":{"X-B":""}},)"
                      R"("forward_auth":{"address":"http://127.0.0.1:2/"}})");
    call("get-route", R"({"instance":"mail1"})");
    call("list-routes", "");
    call("list-routes", R"({"expand_list":true})");
    call("delete-route", R"({"instance":"mail1"})");
    call("module-removed", R"({"module":"mail1"})");
    call("import", ImportInput());
    call("import", ImportInput());
    call("backup", Cat(R"({"file":")", (temp_.path() / "backup.db").string(), "\"}"));
    const json::Value shown = Output("show", R"({"certificate":"mail.example.org"})");
    const json::Array versions = shown["versions"].Items();
    call("activate", Cat(R"({"serial":")", versions.front().String("serial"), "\"}"));
    call("activate", Cat(R"({"serial":")", versions.back().String("serial"), "\"}"));
    ca_.mood = FakeCa::Mood::kIssuing;
    call("revoke", R"({"certificate":"mail.example.org","replace":true})");
    call("show", R"({"certificate":"mail.example.org"})");
    call("revoke", R"({"certificate":"example.org,www.example.org"})");
    call("account-update", R"({"email":"admin@example.org"})");
    call("account-rollover", "");
    call("account-deactivate", R"({"ca":"https://ca.test/directory"})");
    call("delete", R"({"certificate":"up.example.org"})");
    call("set-certificate", R"({"fqdn":"mail.example.org","lets_encrypt":false})", "module/mail1");

    traefik::TraefikOptions options;
    options.dynamic_dir = temp_.path() / "dynamic";
    options.certificate_dir = temp_.path() / "pem";
    options.api = "http://127.0.0.1:8080";
    options.challenge_url = "http://127.0.0.1:9180";
    std::filesystem::create_directory(options.dynamic_dir);
    Traefik transport;
    traefik::Publisher publisher(options, *database_, transport, clock_,
                                 [](auto&&...) { return std::string("no certificate"); });
    Context context = MakeContext();
    context.traefik = &publisher;
    runner_.emplace(context);
    call("traefik-render", "");
    call("traefik-check", "");
    runner_.emplace(MakeContext());
    return all;
  }
};

// A schema of what never comes would fail a node's step (ns8: an empty output breaks it).
const std::set<std::string> kWithoutOutput = {"delete-route", "set-acme-server",
                                              "set-default-certificate", "set-route",
                                              "set-trusted-proxies", "upload-certificate"};

TEST_F(SchemasTest, EveryActionHasOneForInputAndOneForOutput) {
  for (const std::string& action : runner_->action_names()) {
    EXPECT_NE(FindSchema(action, "input"), nullptr) << action;
    EXPECT_EQ(FindSchema(action, "output") == nullptr, kWithoutOutput.contains(action)) << action;
  }
}

TEST_F(SchemasTest, OutputsFitAndNothingInThemIsUndescribed) {
  std::set<std::string> seen;
  for (const auto& [action, output] : Outputs()) {
    seen.insert(action);
    if (kWithoutOutput.contains(action)) {
      EXPECT_EQ(output, json::Value()) << action;
      continue;
    }
    const json::Schema* schema = FindSchema(action, "output");
    ASSERT_NE(schema, nullptr) << action;
    EXPECT_EQ(Violations(*schema, output), "") << action << ' ' << json::Write(output);
    json::Value more = output;
    if (more.IsArray()) {
      more.Append(json::Value::Object({{"undescribed", 1}}));
    } else {
      more.Set("undescribed", 1);
    }
    EXPECT_NE(Violations(*schema, more), "") << action;
  }
  for (const std::string& action : runner_->action_names()) {
    EXPECT_TRUE(seen.contains(action)) << action << " was not called";
  }
}

TEST_F(SchemasTest, OutputsWithoutAMemberDoNotFit) {
  // One that has to be there for each action.
  const std::map<std::string, std::string> kNeeded = {
      {"account-register", "url"}, {"account-show", "directory"}, {"delete", "deleted"},
      {"export", "content"},       {"get-certificate", "type"},   {"list", "certificates"},
      {"set-certificate", "obtained"}, {"show", "versions"},      {"traefik-check", "ok"},
      {"traefik-render", "configuration"}};
  for (const auto& [action, output] : Outputs()) {
    const auto needed = kNeeded.find(action);
    if (needed == kNeeded.end()) continue;
    json::Members members = output.Fields();
    std::erase_if(members, [&](const json::Member& m) { return m.first == needed->second; });
    const json::Value without = json::Value::FromMembers(members);
    EXPECT_NE(Violations(*FindSchema(action, "output"), without), "") << action;
  }
}

TEST(EventSchemas, ThereIsOneForEachKindAndAKindForEach) {
  std::set<std::string> described;
  for (const auto& file : std::filesystem::directory_iterator(CERTWRIGHT_SCHEMAS)) {
    const std::string name = file.path().filename();
    if (name.ends_with(".event.json")) described.insert(name.substr(0, name.find('.')));
  }
  EXPECT_EQ(described, std::set<std::string>(model::kEventKinds.begin(), model::kEventKinds.end()));
  for (const std::string& kind : described) EXPECT_TRUE(SchemaDocument(kind, "event")) << kind;
}

TEST(FailureSchema, FitsEveryFailure) {
  const json::Schema schema = SchemaFile("failure.json");
  Failure full;
  full.detail = "d";
  full.advice = "a";
  full.acme_type = "rejectedIdentifier";
  full.identifiers = {"a.example.org"};
  full.subproblems = {{"caa", "no", "a.example.org"}};
  full.transient = true;
  full.retry_at = kNow;
  for (int code = 0; code <= static_cast<int>(FailureCode::kInternal); ++code) {
    full.code = static_cast<FailureCode>(code);
    EXPECT_EQ(Violations(schema, json::ToJson(full)), "") << FailureCodeName(full.code);
  }
  EXPECT_EQ(Violations(schema, json::ToJson(Failure{})), "");
}

TEST(FailureSchema, RefusesWhatIsNone) {
  const json::Schema schema = SchemaFile("failure.json");
  const json::Value good = json::ToJson(Failure{});
  const struct {
    const char* key;
    json::Value value;
  } kTable[] = {{"code", "no_such_code"}, {"code", 1},          {"detail", json::Value()},
                {"retry_at", 5},          {"retry_at", "soon"}, {"identifiers", "a"},
                {"transient", "yes"},     {"more", 1},
                {"subproblems", json::Array{json::Value::Object({{"type", "caa"}})}}};
  for (const auto& row : kTable) {
    json::Value bad = good;
    bad.Set(row.key, row.value);
    EXPECT_NE(Violations(schema, bad), "") << row.key << ' ' << json::Write(row.value);
  }
  EXPECT_NE(Violations(schema, json::Value::Object()), "");
}

}  // namespace
}  // namespace certwright::actions
