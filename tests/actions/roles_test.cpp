// contract.md, "Roles": who may call what, and what the others are told.
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

TEST_F(RolesTest, DeniedAndKeyReleasingCallsGoToTheLog) {
  Hold({{"mail.example.org"}});
  const struct {
    const char* name;
    Call call;
    std::vector<std::string> words;
  } kTable[] = {
      {"denied",
       {"get-certificate", R"({"fqdn":"mail.example.org"})", "reader", "module/spy1"},
       {"audit", "denied", "get-certificate", "reader", "module/spy1"}},
      {"key by get-certificate",
       {"get-certificate", R"({"fqdn":"mail.example.org"})", "certadm", "module/mail1"},
       {"audit", "key", "get-certificate", "mail.example.org", "certadm", "module/mail1"}},
      {"key by export",
       {"export", R"({"certificate":"mail.example.org","format":"key"})", "owner", ""},
       {"audit", "key", "export", "mail.example.org", "owner"}},
  };
  for (const auto& row : kTable) {
    testing::internal::CaptureStderr();
    runner_->Run(row.call, nullptr, {});
    const std::string log = testing::internal::GetCapturedStderr();
    for (const std::string& word : row.words) EXPECT_THAT(log, HasSubstr(word)) << row.name;
    EXPECT_THAT(log, testing::Not(HasSubstr("PRIVATE KEY"))) << row.name;
  }
  testing::internal::CaptureStderr();
  Run("export", R"({"certificate":"mail.example.org","format":"fullchain"})");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::Not(HasSubstr("audit")))
      << "no key went out";
}

}  // namespace
}  // namespace certwright::actions
