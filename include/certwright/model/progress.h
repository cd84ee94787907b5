// What is told while an issuance is under way.
#pragma once

#include <functional>
#include <string>

namespace certwright::model {

struct Progress {
  std::string step;  // stable, for programs: account, order, challenge, fetched, validated ...
  std::string text;  // one line for people
  int percent = 0;   // 0..100
};

// Called from the thread that does the work; must not throw.
using ProgressSink = std::function<void(const Progress&)>;

}  // namespace certwright::model
