#include "progress_line.h"

#include <cstdio>

#include "certwright/base/text.h"

namespace certwright::cli {

namespace {

constexpr char kClearLine[] = "\r\x1b[K";

}  // namespace

ProgressLine::~ProgressLine() {
  if (open_) std::fputs(kClearLine, stderr);
}

void ProgressLine::Show(const model::Progress& step) {
  if (style_ == Style::kSilent) return;
  const std::string text = Printable(step.text, 300);
  if (style_ == Style::kPlain) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return;
  }
  // Cut to what every terminal has: a line that wraps cannot be cleared.
  if (step.percent > 0) {
    std::fprintf(stderr, "%s[%3d%%] %.70s", kClearLine, step.percent, text.c_str());
  } else {
    std::fprintf(stderr, "%s[ ...] %.70s", kClearLine, text.c_str());
  }
  std::fflush(stderr);
  open_ = true;
}

}  // namespace certwright::cli
