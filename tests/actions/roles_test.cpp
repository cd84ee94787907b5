// contract.md, "Roles": who may call what, and what the others are told.
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>

#include "fixture.h"

namespace certwright::actions {
namespace {

using testing::HasSubstr;

constexpr const char* kRoles[] = {"owner", "fulladm", "certadm", "routeadm", "reader"};

TEST(Roles, EachActionIsOpenToTheRolesOfTheContract) {
  const struct {
    const char* action;
    std::vector<std::string> roles;
  } kTable[] = {
      {"set-certificate", {"owner", "fulladm", "certadm"}},
      {"set-default-certificate", {"owner", "fulladm", "certadm"}},
      {"get-certificate", {"owner", "fulladm", "certadm"}},
      {"delete-certificate", {"owner", "fulladm", "certadm"}},
      {"list-certificates", {"owner", "fulladm", "certadm", "reader"}},
      {"set-route", {"owner", "fulladm", "routeadm"}},
      {"get-route", {"owner", "fulladm", "routeadm", "reader"}},
      {"delete-route", {"owner", "fulladm", "routeadm"}},
      {"list-routes", {"owner", "fulladm", "routeadm", "reader"}},
      {"upload-certificate", {"owner"}},
      {"set-acme-server", {"owner"}},
      {"get-acme-server", {"owner", "reader"}},
      {"set-trusted-proxies", {"owner"}},
      {"get-trusted-proxies", {"owner", "reader"}},
      {"issue", {"owner"}},
      {"delete", {"owner"}},
      {"export", {"owner"}},
      {"account-register", {"owner"}},
      {"list", {"owner", "reader"}},
      {"show", {"owner", "reader"}},
      {"ledger", {"owner", "reader"}},
      {"account-show", {"owner", "reader"}},
      {"traefik-render", {"owner", "reader"}},
      {"traefik-check", {"owner", "reader"}},
      {"status", {"owner", "reader"}},
      {"metrics", {"owner", "reader"}},
      {"events", {"owner", "fulladm", "certadm", "routeadm", "reader"}},
      {"replay-events", {"owner"}},
  };
  for (const auto& row : kTable) {
    for (const char* role : kRoles) {
      const bool expected =
          std::find(row.roles.begin(), row.roles.end(), role) != row.roles.end();
      EXPECT_EQ(IsAllowed(role, row.action), expected) << role << " and " << row.action;
    }
  }
}

TEST(Roles, WhatIsNoRoleMayNothing) {
  for (const char* role : {"", "Owner", "admin", "owner ", "fulladm,owner"}) {
    EXPECT_FALSE(IsRole(role)) << role;
    EXPECT_FALSE(IsAllowed(role, "list")) << role;
    EXPECT_FALSE(IsAllowed(role, "get-certificate")) << role;
  }
  for (const char* role : kRoles) EXPECT_TRUE(IsRole(role)) << role;
}

class RolesTest : public ActionsTest {};

TEST_F(RolesTest, DeniedIsSevenAndNamesTheRolesThatMay) {
  const struct {
    const char* role;
    const char* action;
    const char* needed;
  } kTable[] = {
      {"reader", "get-certificate", "certadm, fulladm or owner"},
      {"reader", "set-certificate", "certadm, fulladm or owner"},
      {"routeadm", "get-certificate", "certadm, fulladm or owner"},
      {"certadm", "list", "reader or owner"},
      {"certadm", "issue", "role owner"},
      {"fulladm", "export", "role owner"},
      {"reader", "delete", "role owner"},
  };
  Hold({{"mail.example.org"}});
  for (const auto& row : kTable) {
    const Result result = Run(row.action, R"({"fqdn":"mail.example.org"})", "", row.role);
    EXPECT_EQ(result.exit_code, 7) << row.role << ' ' << row.action;
    EXPECT_FALSE(result.output) << row.action;
    EXPECT_EQ(result.status, "aborted");
    ASSERT_TRUE(result.failure);
    EXPECT_EQ(result.failure->code, FailureCode::kDenied);
    EXPECT_THAT(result.failure->advice, HasSubstr(row.needed)) << row.role << ' ' << row.action;
    EXPECT_THAT(result.failure->detail, HasSubstr(row.role));
  }
}

TEST_F(RolesTest, AnApplicationWithFulladmSetsAndGets) {
  EXPECT_EQ(Run("set-certificate", R"({"fqdn":"mail.example.org"})", "module/mail1", "fulladm")
                .exit_code,
            0);
  const Result got =
      Run("get-certificate", R"({"fqdn":"mail.example.org"})", "module/mail1", "fulladm");
  EXPECT_EQ(got.exit_code, 0);
  EXPECT_TRUE(got.output && got.output->Bool("obtained"));
}

TEST_F(RolesTest, DeniedAndKeyReleasingCallsGoToTheAuditLog) {
  Hold({{"mail.example.org"}});
  const std::string backup = (temp_.path() / "backup.db").string();
  const struct {
    const char* name;
    Call call;
    std::vector<std::string> words;  // action, subject, role, caller, outcome
  } kTable[] = {
      {"denied",
       {"get-certificate", R"({"fqdn":"mail.example.org"})", "reader", "module/spy1"},
       {"get-certificate", "mail.example.org", "reader", "module/spy1", "denied"}},
      {"denied, no input", {"issue", "", "fulladm", ""}, {"issue", "", "fulladm", "", "denied"}},
      {"denied, no JSON", {"issue", "{{", "fulladm", ""}, {"issue", "", "fulladm", "", "denied"}},
      {"denied, names",
       {"issue", R"({"names":["a","b\n"]})", "reader", ""},
       {"issue", "a,b ", "reader", "", "denied"}},
      {"denied, with a key in it",
       {"upload-certificate", R"({"fqdn":"-----BEGIN PRIVATE KEY-----"})", "reader", ""},
       {"upload-certificate", "XXX", "reader", "", "denied"}},
      {"key by get-certificate",
       {"get-certificate", R"({"fqdn":"mail.example.org"})", "certadm", "module/mail1"},
       {"get-certificate", "mail.example.org", "certadm", "module/mail1", "released"}},
      {"key by export",
       {"export", R"({"certificate":"mail.example.org","format":"key"})", "owner", ""},
       {"export", "mail.example.org", "owner", "", "released"}},
      {"no key by export",
       {"export", R"({"certificate":"mail.example.org","format":"fullchain"})", "owner", ""},
       {}},
      {"not there", {"export", R"({"certificate":"x.example.org"})", "owner", ""}, {}},
      {"breaks the schema", {"get-certificate", "{}", "certadm", ""}, {}},
      {"all keys by backup",
       {"backup", Cat(R"({"file":")", backup, "\"}"), "owner", ""},
       {"backup", backup, "owner", "", "released"}},
      {"no key at all", {"list", "", "reader", ""}, {}},
  };
  std::int64_t seen = 0;
  for (const auto& row : kTable) {
    testing::internal::CaptureStderr();
    runner_->Run(row.call, nullptr, {});
    const std::string log = testing::internal::GetCapturedStderr();
    const json::Value entries =
        Output("audit", json::Write(json::Value::Object({{"after", seen}})))["entries"];
    if (row.words.empty()) {
      EXPECT_TRUE(entries.Items().empty()) << row.name << ": " << json::Write(entries);
      EXPECT_THAT(log, testing::Not(HasSubstr("audit"))) << row.name;
      continue;
    }
    EXPECT_THAT(json::Write(entries) + log, testing::Not(HasSubstr("PRIVATE KEY"))) << row.name;
    ASSERT_EQ(entries.Items().size(), 1u) << row.name;
    const json::Value& entry = entries.Items()[0];
    seen = entry.Int("seq");
    EXPECT_EQ(entry.String("time"), FormatUtc(kNow));
    const std::vector<std::string> words{entry.String("action"), entry.String("subject"),
                                         entry.String("role"), entry.String("caller"),
                                         entry.String("outcome")};
    EXPECT_EQ(words, row.words) << row.name;
    for (const std::string& word : row.words) EXPECT_THAT(log, HasSubstr(word)) << row.name;
    EXPECT_THAT(log, HasSubstr("audit: ")) << row.name;
  }
}

// Fills the store: what is to be appended finds no room.
class FullStore {
 public:
  explicit FullStore(const Path& file) {
    struct rlimit limit {};
    getrlimit(RLIMIT_FSIZE, &before_);
    limit = before_;
    limit.rlim_cur = std::filesystem::file_size(file) / 4;
    former_ = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FullStore(const FullStore&) = delete;
  ~FullStore() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, former_);
  }

 private:
  struct rlimit before_ {};
  sighandler_t former_ = nullptr;
};

TEST_F(RolesTest, NoKeyIsGivenThatCannotBeWrittenDown) {
  Hold({{"mail.example.org"}});
  // The log of the store may not grow; what it holds is read all the same.
  const std::string input = R"({"fqdn":"mail.example.org"})";
  Result result;
  Result denied;
  {
    const FullStore full(temp_.path() / "state" / "certwright.db");
    result = Run("get-certificate", input, "", "certadm");
    denied = Run("get-certificate", input, "", "reader");
  }
  EXPECT_EQ(result.exit_code, 74) << result.error;
  EXPECT_FALSE(result.output);
  EXPECT_EQ(denied.exit_code, 7) << "refused all the same";
  EXPECT_EQ(Run("get-certificate", input, "", "certadm").exit_code, 0);
}

}  // namespace
}  // namespace certwright::actions
