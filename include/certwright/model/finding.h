// What a look at something found: by the doctor, for a person.
#pragma once

#include <string>
#include <string_view>

namespace certwright::model {

struct Finding {
  enum class State {
    kOk,
    kProblem,
    kUnknown,  // it cannot be told from here
  };
  std::string check;    // what was looked at: "ca", "dns", "traefik" ...
  std::string subject;  // of what: a name, a URL, a folder
  State state = State::kOk;
  std::string saw;     // one sentence, safe to print
  std::string advice;  // what somebody can do about it; "" where it is well
};

constexpr std::string_view StateName(Finding::State state) {
  switch (state) {
    case Finding::State::kOk: return "ok";
    case Finding::State::kProblem: return "problem";
    case Finding::State::kUnknown: return "unknown";
  }
  return "unknown";
}

}  // namespace certwright::model
