// Columns for people.
#pragma once

#include <string>
#include <vector>

namespace certwright::cli {

// Columns as wide as their widest cell; the last one is not padded. What a terminal would obey is
// made harmless.
std::string TextTable(std::vector<std::vector<std::string>> rows);

}  // namespace certwright::cli
