// The log: one line an event on standard error (journald adds the time).
//
// Every text that came from outside must have gone through Printable (base/text.h) first; nothing
// secret may be passed at all.
#pragma once

#include <string>
#include <string_view>

namespace certwright::log {

enum class Level { kTrace, kDebug, kInfo, kWarning, kError, kOff };

// nullopt-free: throws Error(kConfig) for an unknown name. Names: trace debug info warning error
// off.
Level LevelFromName(std::string_view name);
void SetLevel(Level level);

void Debug(std::string_view text);
void Info(std::string_view text);
void Warning(std::string_view text);
void Error(std::string_view text);

}  // namespace certwright::log
