#include "certwright/json/failure.h"

#include <gtest/gtest.h>

namespace certwright::json {
namespace {

Failure FullFailure() {
  Failure failure;
  failure.code = FailureCode::kRefused;
  failure.detail = "the CA said \"no\"";
  failure.advice = "look at the DNS";
  failure.acme_type = "unauthorized";
  failure.identifiers = {"a.org", "b.org"};
  failure.subproblems = {{"caa", "forbidden", "a.org"}};
  failure.transient = true;
  failure.retry_at = 1795514400;
  return failure;
}

TEST(FailureJson, HasTheFieldsOfTheApi) {
  EXPECT_EQ(Write(ToJson(FullFailure())),
            R"({"code":"refused","detail":"the CA said \"no\"","advice":"look at the DNS",)"
            R"("acme_type":"unauthorized","identifiers":["a.org","b.org"],)"
            R"("subproblems":[{"type":"caa","detail":"forbidden","identifier":"a.org"}],)"
            R"("transient":true,"retry_at":"2026-11-24T10:00:00Z"})");
  EXPECT_TRUE(ToJson(Failure{})["retry_at"].IsNull());
  EXPECT_TRUE(ToJson(Failure{})["identifiers"].IsArray());
}

TEST(FailureJson, GoesThereAndBack) {
  EXPECT_EQ(FailureFromJson(ToJson(FullFailure())), FullFailure());
  EXPECT_EQ(FailureFromJson(Parse(Write(ToJson(FullFailure())))), FullFailure());
  EXPECT_EQ(FailureFromJson(ToJson(Failure{})), Failure{});
}

TEST(FailureJson, NeverThrowsOnOtherShapes) {
  for (const char* text :
       {"null", "[]", "3", R"({"code":7,"identifiers":"a","subproblems":[1,[]]})",
        R"({"retry_at":"soon"})", R"({"code":"unheard of"})"}) {
    const Failure failure = FailureFromJson(Parse(text));
    EXPECT_EQ(failure.code, FailureCode::kInternal) << text;
    EXPECT_EQ(failure.retry_at, 0) << text;
  }
}

}  // namespace
}  // namespace certwright::json
