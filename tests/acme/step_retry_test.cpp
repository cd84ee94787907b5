#include <gtest/gtest.h>

#include "bent_ca.h"
#include "certwright/acme/retry.h"

namespace certwright::acme {
namespace {

struct Row {
  const char* name;
  FailureCode code;
  bool transient;
  int attempts;
  UnixSeconds retry_in;  // 0: none was said
  std::optional<Millis> pause;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class StepRetry : public testing::TestWithParam<Row> {};

TEST_P(StepRetry, Pauses) {
  const Row& row = GetParam();
  Failure failure;
  failure.code = row.code;
  failure.transient = row.transient;
  failure.retry_at = row.retry_in == 0 ? 0 : kStart + row.retry_in;
  EXPECT_EQ(StepRetryDelay(failure, row.attempts, kStart), row.pause);
}

INSTANTIATE_TEST_SUITE_P(
    All, StepRetry,
    testing::Values(
        Row{"first", FailureCode::kNetwork, true, 1, 0, Millis(250)},
        Row{"grows", FailureCode::kNetwork, true, 3, 0, Millis(1'000)},
        Row{"ends", FailureCode::kNetwork, true, 5, 0, std::nullopt},
        Row{"never shifts too far", FailureCode::kNetwork, true, 1'000'000, 0, std::nullopt},
        Row{"not transient", FailureCode::kRefused, false, 1, 0, std::nullopt},
        Row{"malformed ends sooner", FailureCode::kProtocol, true, 3, 0, std::nullopt},
        Row{"short Retry-After", FailureCode::kServer, true, 1, 7, Millis(7'000)},
        Row{"long Retry-After", FailureCode::kServer, true, 1, 61, std::nullopt},
        Row{"Retry-After in the past", FailureCode::kServer, true, 1, -5, Millis(250)},
        Row{"rate limit without a date", FailureCode::kRateLimited, true, 1, 0, std::nullopt},
        Row{"rate limit for a second", FailureCode::kRateLimited, true, 1, 1, Millis(1'000)}));

TEST(WithRetries, TellsEachFailureAndThrowsTheLast) {
  FakeClock clock;
  int told = 0;
  int tried = 0;
  Failure failure;
  failure.code = FailureCode::kNetwork;
  failure.transient = true;
  EXPECT_THROW(
      WithRetries(
          clock, {}, [&] { ++tried, throw Error(failure); }, [&](const Failure&) { ++told; }),
      Error);
  EXPECT_EQ(tried, 5);
  EXPECT_EQ(told, 4);
}

}  // namespace
}  // namespace certwright::acme
