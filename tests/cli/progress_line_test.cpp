#include "progress_line.h"

#include <gtest/gtest.h>

namespace certwright::cli {
namespace {

using Style = ProgressLine::Style;

std::string Shown(Style style, const std::vector<model::Progress>& steps) {
  testing::internal::CaptureStderr();
  {
    ProgressLine line(style);
    for (const model::Progress& step : steps) line.Show(step);
  }
  return testing::internal::GetCapturedStderr();
}

TEST(ProgressLine, PlainIsALineAStep) {
  EXPECT_EQ(Shown(Style::kPlain, {{"account", "account ready", 5}, {"order", "order created", 10}}),
            "account ready\norder created\n");
}

TEST(ProgressLine, SilentSaysNothing) {
  EXPECT_EQ(Shown(Style::kSilent, {{"account", "account ready", 5}}), "");
}

TEST(ProgressLine, LiveKeepsOneLineAndClearsItInTheEnd) {
  const std::string shown = Shown(Style::kLive, {{"order", "order created", 10},
                                                 {"wait", "waiting", 0},
                                                 {"long", std::string(200, 'x'), 100}});
  EXPECT_EQ(shown, "\r\x1b[K[ 10%] order created\r\x1b[K[ ...] waiting\r\x1b[K[100%] " +
                       std::string(70, 'x') + "\r\x1b[K");
  EXPECT_EQ(Shown(Style::kLive, {}), "") << "nothing was shown, nothing is cleared";
}

TEST(ProgressLine, TextsOfTheCaDoNothingToTheTerminal) {
  for (const Style style : {Style::kPlain, Style::kLive}) {
    const std::string shown = Shown(style, {{"order", "a\x1b[2Jb\nc\rd\x9b", 10}});
    EXPECT_EQ(shown.find("\x1b[2J"), std::string::npos);
    EXPECT_EQ(shown.find("b\nc"), std::string::npos);
    EXPECT_EQ(shown.find("c\rd"), std::string::npos);
    EXPECT_EQ(shown.find('\x9b'), std::string::npos);
  }
}

}  // namespace
}  // namespace certwright::cli
