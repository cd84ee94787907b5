#include "request_parser.h"

#include <algorithm>

namespace certwright::http {

bool RequestParser::Refuse(int status) {
  status_ = status;
  return true;
}

bool RequestParser::Feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (++bytes_ > kMaxBytes) return Refuse(in_headers_ ? 431 : 414);
    if (in_headers_) {
      if (c == '\n') {
        if (header_length_ == 0) return true;
        header_length_ = 0;
      } else if (c != '\r') {
        ++header_length_;
      }
    } else if (c != '\n') {
      line_.push_back(c);
    } else if (ParseLine()) {
      in_headers_ = true;
    } else {
      return true;
    }
  }
  return false;
}

// RFC 9112 section 3: method SP request-target SP HTTP-version, in origin form.
bool RequestParser::ParseLine() {
  std::string_view line = line_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  const auto bad = [this](int status) { return !Refuse(status); };
  if (first == line.npos || first == 0 || last == first) return bad(400);
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  const auto visible = [](char c) { return c > ' ' && c < 0x7f; };
  if (!std::ranges::all_of(method, [](char c) { return c >= 'A' && c <= 'Z'; })) return bad(400);
  if (!target.starts_with('/') || !std::ranges::all_of(target, visible)) return bad(400);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return bad(400);
  if (method != "GET" && method != "HEAD") return bad(405);
  head_ = method == "HEAD";
  path_ = target.substr(0, target.find('?'));
  return true;
}

}  // namespace certwright::http
