// The target of a request, read strictly (RFC 3986): what is not exactly that is refused, for a
// lenient reading finds another thing than the one that was asked for.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace certwright::api {

struct Target {
  std::vector<std::string> segments;                          // decoded; "/v1/a" has two
  std::vector<std::pair<std::string, std::string>> query;  // decoded, "+" is a blank; no name twice
};

// Throws Error(kInput): no absolute path, a byte that has to be escaped, a broken escape, an escape
// that makes no UTF-8, a parameter without a name or given twice.
Target ParseTarget(std::string_view raw);

// What cannot stand in a path or a query as it is becomes %XX.
std::string Escaped(std::string_view text);

}  // namespace certwright::api
