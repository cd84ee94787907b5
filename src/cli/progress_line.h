// Shows the steps of an issuance: one live line on a terminal, plain lines elsewhere.
#pragma once

#include "certwright/model/progress.h"

namespace certwright::cli {

class ProgressLine {
 public:
  enum class Style { kLive, kPlain, kSilent };
  explicit ProgressLine(Style style) : style_(style) {}
  ~ProgressLine();  // ends the live line

  void Show(const model::Progress& step);

 private:
  const Style style_;
  bool open_ = false;
};

}  // namespace certwright::cli
