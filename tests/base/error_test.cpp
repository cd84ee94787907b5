#include "certwright/base/error.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace certwright {
namespace {

using std::string_literals::operator""s;

Failure FullFailure() {
  Failure failure;
  failure.code = FailureCode::kRateLimited;
  failure.detail = "the CA said: \"too many\" 5:a,b;\nfailure/1;";
  failure.advice = "wait \xe2\x82\xac";
  failure.acme_type = "rateLimited";
  failure.identifiers = {"a.example.org", "", "3:abc,"};
  failure.subproblems = {{"caa", "no, never", "a.example.org"}, {"", "", ""}};
  failure.transient = true;
  failure.retry_at = 1795514400;
  return failure;
}

TEST(Failure, EveryCodeHasANameOfItsOwn) {
  for (int i = 0; i <= static_cast<int>(FailureCode::kInternal); ++i) {
    const auto code = static_cast<FailureCode>(i);
    EXPECT_EQ(FailureCodeFromName(FailureCodeName(code)), code) << FailureCodeName(code);
  }
  EXPECT_EQ(FailureCodeName(FailureCode::kRateLimited), "rate_limited");
  EXPECT_EQ(FailureCodeFromName("something newer"), FailureCode::kInternal);
}

TEST(Failure, SurvivesItsTextForm) {
  EXPECT_EQ(ParseFailure(SerializeFailure(FullFailure())), FullFailure());
  EXPECT_EQ(ParseFailure(SerializeFailure(Failure{})), Failure{});
  Failure odd;
  odd.detail = "\0\xff"s;
  odd.retry_at = -1;
  EXPECT_EQ(ParseFailure(SerializeFailure(odd)), odd);
}

TEST(Failure, SkipsFieldsOfANewerVersion) {
  const std::string text = SerializeFailure(FullFailure()) + "4:mood,4:grim,";
  EXPECT_EQ(ParseFailure(text), FullFailure());
}

TEST(Failure, RefusesDamagedText) {
  const std::string good = SerializeFailure(FullFailure());
  // Cut anywhere but between two pairs it is damaged; it never reads past its end.
  int refused = 0;
  for (std::size_t size = 0; size < good.size(); ++size) {
    try {
      ParseFailure(std::string_view(good).substr(0, size));
    } catch (const Error& error) {
      EXPECT_EQ(error.failure().code, FailureCode::kDamaged);
      ++refused;
    }
  }
  EXPECT_GE(refused, static_cast<int>(good.size()) - 8);  // eight pairs
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"no version", "4:code,5:input,"},
      {"another version", "failure/2;4:code,5:input,"},
      {"a key alone", "failure/1;4:code,"},
      {"length without end", "failure/1;99999999999999999999999:a,"},
      {"length too large", "failure/1;18446744073709551615:a,1:b,"},
      {"negative length", "failure/1;-1:a,1:b,"},
      {"no comma", "failure/1;4:code;5:input,"},
      {"time that is no number", "failure/1;8:retry_at,4:soon,"},
      {"two thirds of a subproblem", "failure/1;11:subproblems,8:1:a,1:b,,"},
      {"JSON", "{}"},
  };
  for (const auto& [name, text] : rows) EXPECT_THROW(ParseFailure(text), Error) << name;
}

template <typename Thrown>
Failure Caught(const Thrown& thrown) {
  try {
    throw thrown;
  } catch (...) {
    return CurrentFailure();
  }
}

TEST(Failure, IsTakenFromWhateverWasThrown) {
  EXPECT_EQ(Caught(Error(FullFailure())), FullFailure());
  EXPECT_EQ(Caught(std::runtime_error("line\nline")).code, FailureCode::kInternal);
  EXPECT_EQ(Caught(std::runtime_error("line\nline")).detail, "line line");
  EXPECT_EQ(Caught(42).code, FailureCode::kInternal);
  EXPECT_FALSE(Caught(42).detail.empty());
}

TEST(Error, SaysItsDetail) {
  const Error error(FailureCode::kDisk, "full", "make room");
  EXPECT_STREQ(error.what(), "full");
  EXPECT_EQ(error.failure().advice, "make room");
  EXPECT_FALSE(error.failure().transient);
}

}  // namespace
}  // namespace certwright
