#include "certwright/base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <memory>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::log {
namespace {

struct LevelName {
  std::string_view name;
  Level level;
  spdlog::level::level_enum native;
};

constexpr std::array kLevels = {
    LevelName{"trace", Level::kTrace, spdlog::level::trace},
    LevelName{"debug", Level::kDebug, spdlog::level::debug},
    LevelName{"info", Level::kInfo, spdlog::level::info},
    LevelName{"warning", Level::kWarning, spdlog::level::warn},
    LevelName{"error", Level::kError, spdlog::level::err},
    LevelName{"off", Level::kOff, spdlog::level::off},
};

// Never destroyed: a thread that outlives main may still log.
spdlog::logger& Logger() {
  static spdlog::logger* const logger = [] {
    auto* made =
        new spdlog::logger("certwright", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%l: %v");
    made->set_level(spdlog::level::info);
    return made;
  }();
  return *logger;
}

// The text is an argument, never the format: braces in it mean nothing.
void Write(spdlog::level::level_enum level, std::string_view text) {
  Logger().log(level, spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace

Level LevelFromName(std::string_view name) {
  std::vector<std::string> names;
  for (const LevelName& entry : kLevels) {
    if (entry.name == name) return entry.level;
    names.emplace_back(entry.name);
  }
  throw certwright::Error(FailureCode::kConfig,
                          Cat("\"", Printable(name, 40), "\" is no log level"),
                          Cat("Use one of ", Join(names, ", "), "."));
}

void SetLevel(Level level) {
  for (const LevelName& entry : kLevels) {
    if (entry.level == level) Logger().set_level(entry.native);
  }
}

void Debug(std::string_view text) { Write(spdlog::level::debug, text); }
void Info(std::string_view text) { Write(spdlog::level::info, text); }
void Warning(std::string_view text) { Write(spdlog::level::warn, text); }
void Error(std::string_view text) { Write(spdlog::level::err, text); }

}  // namespace certwright::log
