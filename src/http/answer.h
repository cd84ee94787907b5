// Reads one HTTP/1.1 answer strictly (RFC 9112), within limits, from a peer that is not trusted.
//
// cpp-httplib's reader is not used for this: 0.11.4 takes a chunked body that was cut for a whole
// one, any number of headers, and its std::regex overflows the stack on a status line of 48 KB.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "certwright/http/transport.h"
#include "stream.h"

namespace certwright::http {

struct AnswerLimits {
  std::size_t header_bytes;
  std::size_t headers;
  std::size_t body;
};

class AnswerReader {
 public:
  AnswerReader(Stream& stream, Patience& patience, AnswerLimits limits)
      : stream_(stream), patience_(patience), limits_(limits) {}

  // With a sink the body goes there, piece by piece as it comes, and Response::body stays empty.
  using Sink = std::function<void(std::string_view)>;
  // Throws Error(kProtocol) on what breaks a limit or the grammar, kNetwork (transient) on a cut.
  Response Read(bool head_request, const Sink& sink = nullptr);
  // Whether anything of an answer has come.
  bool any() const { return any_; }
  // After Read: whether the connection can carry another exchange.
  bool reusable() const { return reusable_ && next_ == end_; }

 private:
  void Fill();  // throws kNetwork at the end
  char Next();
  std::string Line();  // without its end; counts against header_bytes
  void ReadStatus(Response& response);
  void ReadHeaders(Response& response);
  void ReadBody(const Response& response, const Sink& sink);
  void Pass(std::uint64_t count, const Sink& sink);
  void ReadChunks(const Sink& sink);
  void ReadToEnd(const Sink& sink);
  [[noreturn]] void Refuse(std::string_view what) const;
  [[noreturn]] void RefuseSize() const;

  Stream& stream_;
  Patience& patience_;
  const AnswerLimits limits_;
  char buffer_[16 * 1024];
  std::size_t next_ = 0;
  std::size_t end_ = 0;
  std::size_t header_bytes_ = 0;
  std::size_t body_bytes_ = 0;
  bool any_ = false;
  bool reusable_ = true;
};

}  // namespace certwright::http
