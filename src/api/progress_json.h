// The wire form of a progress step.
#pragma once

#include "certwright/json/value.h"
#include "certwright/model/progress.h"

namespace certwright::api {

inline json::Value ToJson(const model::Progress& step) {
  return json::Value::Object({{"step", step.step}, {"text", step.text}, {"percent", step.percent}});
}

inline model::Progress ProgressFromJson(const json::Value& value) {
  return {value.String("step"), value.String("text"), static_cast<int>(value.Int("percent"))};
}

}  // namespace certwright::api
