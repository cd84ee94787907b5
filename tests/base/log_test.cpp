#include "certwright/base/log.h"

#include <gtest/gtest.h>

#include <string>

#include "certwright/base/error.h"

namespace certwright {
namespace {

class Log : public testing::Test {
 protected:
  void TearDown() override { log::SetLevel(log::Level::kInfo); }

  static std::string AllLevels() {
    testing::internal::CaptureStderr();
    log::Debug("d");
    log::Info("i");
    log::Warning("w");
    log::Error("e");
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(Log, WritesOneLineWithTheLevelInFront) {
  EXPECT_EQ(AllLevels(), "info: i\nwarning: w\nerror: e\n");
}

TEST_F(Log, KeepsWhatTheLevelAllows) {
  log::SetLevel(log::Level::kDebug);
  EXPECT_EQ(AllLevels(), "debug: d\ninfo: i\nwarning: w\nerror: e\n");
  log::SetLevel(log::Level::kError);
  EXPECT_EQ(AllLevels(), "error: e\n");
  log::SetLevel(log::Level::kOff);
  EXPECT_EQ(AllLevels(), "");
}

TEST_F(Log, TakesBracesAndPercentAsText) {
  testing::internal::CaptureStderr();
  log::Info("{} {0} %s %v");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "info: {} {0} %s %v\n");
}

TEST_F(Log, KnowsItsLevelsByName) {
  EXPECT_EQ(log::LevelFromName("warning"), log::Level::kWarning);
  EXPECT_EQ(log::LevelFromName("off"), log::Level::kOff);
  try {
    log::LevelFromName("loud");
    FAIL();
  } catch (const certwright::Error& error) {
    EXPECT_EQ(error.failure().code, FailureCode::kConfig);
    EXPECT_NE(error.failure().advice.find("debug"), std::string::npos);
  }
}

}  // namespace
}  // namespace certwright
