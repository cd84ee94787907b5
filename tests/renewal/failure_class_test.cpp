#include "certwright/renewal/failure_class.h"

#include <gtest/gtest.h>

#include "fixture.h"

namespace certwright::renewal {
namespace {

using namespace testing;
using enum FailureCode;

TEST(ClassOf, FollowsTheTable) {
  struct Row {
    FailureCode code;
    const char* type;
    const char* name;
  };
  const Row rows[] = {
      {kInput, "", "input"},
      {kDenied, "", "input"},
      {kRefused, "rejectedIdentifier", "input"},
      {kRefused, "caa", "input"},
      {kRefused, "malformed", "input"},
      {kRefused, "userActionRequired", "input"},
      {kRefused, "unauthorized", "validation"},
      {kRefused, "connection", "validation"},
      {kRefused, "dns", "validation"},
      {kRefused, "incorrectResponse", "validation"},
      {kRefused, "tls", "validation"},
      {kRefused, "orderNotReady", "ca"},
      {kRefused, "", "ca"},
      {kServer, "serverInternal", "ca"},
      {kUntrusted, "", "ca"},
      {kProtocol, "", "ca"},
      {kNetwork, "", "network"},
      {kTimeout, "", "network"},
      {kRateLimited, "rateLimited", "rate-limit"},
      {kFuse, "", "rate-limit"},
      {kDisk, "", "ours"},
      {kConfig, "", "ours"},
      {kTraefik, "", "ours"},
      {kInternal, "", "ours"},
      {kNetwork, "unauthorized", "network"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(FailureClassName(ClassOf(FailureWith(row.code, row.type))), row.name)
        << FailureCodeName(row.code) << " " << row.type;
  }
}

TEST(ClassOf, IsThatOfTheWorstSubproblem) {
  Failure failure = FailureWith(kRefused, "compound");
  failure.subproblems = {{"connection", "", "a.example.org"}};
  EXPECT_EQ(ClassOf(failure), FailureClass::kValidation);
  failure.subproblems.push_back({"caa", "", "b.example.org"});
  EXPECT_EQ(ClassOf(failure), FailureClass::kInput);
}

}  // namespace
}  // namespace certwright::renewal
