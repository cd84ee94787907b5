// The request of a Responder, byte by byte, in constant memory.
#pragma once

#include <string>
#include <string_view>

namespace certwright::http {

// Keeps the request line only; headers are passed over. Whatever follows the blank line is not
// looked at.
class RequestParser {
 public:
  static constexpr std::size_t kMaxBytes = 8 * 1024;  // of the request in all

  // True when the answer can be given: the request is whole, or is refused (status() says why).
  bool Feed(std::string_view bytes);

  int status() const { return status_; }  // 0: a good request
  bool head() const { return head_; }
  const std::string& path() const { return path_; }  // without the query

 private:
  bool Refuse(int status);
  bool ParseLine();  // false where it is refused

  std::string line_;
  std::string path_;
  std::size_t bytes_ = 0;
  std::size_t header_length_ = 0;  // of the header line at hand, without CR
  bool in_headers_ = false;
  bool head_ = false;
  int status_ = 0;
};

}  // namespace certwright::http
