// Files of the source tree inside the binary (made by tools/embed.py).
#pragma once

#include <cstddef>
#include <string_view>

namespace certwright {

struct EmbeddedFile {
  std::string_view name;  // "0001_first.sql"
  std::string_view text;
};

}  // namespace certwright
