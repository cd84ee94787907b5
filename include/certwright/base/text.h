// Small text helpers, and the one door through which foreign text reaches logs and terminals.
#pragma once

#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace certwright {

// Joins anything that streams into one string.
template <typename... Parts>
std::string Cat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return std::move(out).str();
}

// Foreign text made safe to print on one line: control characters (C0, C1, DEL), invalid UTF-8 and
// bidirectional overrides become '?', newlines and tabs a blank; cut at `max_bytes` with "...".
std::string Printable(std::string_view text, std::size_t max_bytes = 400);

bool IsUtf8(std::string_view text);
// Takes the first character of a text that is not empty (RFC 3629): nullopt where it is no UTF-8,
// then one byte was taken.
std::optional<char32_t> TakeCodePoint(std::string_view& text);
std::string ToLower(std::string_view text);  // ASCII only
std::string_view Trim(std::string_view text);
std::vector<std::string> Split(std::string_view text, char separator);
std::string Join(const std::vector<std::string>& parts, std::string_view separator);

// The candidate nearest to `word` by edit distance, or "" where none is near (typing errors).
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace certwright
