// Independent jobs side by side.
#pragma once

#include <cstddef>
#include <functional>

namespace certwright {

// Calls job(0) .. job(count - 1) from at most `workers` threads (the caller's among them) and
// returns when all have ended. Jobs must not throw; an exception ends the program.
void RunSideBySide(std::size_t count, std::size_t workers,
                   const std::function<void(std::size_t)>& job);

}  // namespace certwright
