// The bounded dialogue before STARTTLS.
#pragma once

#include "certwright/http/client.h"
#include "stream.h"

namespace certwright::http {

class BoundedTalk : public PlainTalk {
 public:
  // Both outlive it. `stream` is plain TCP.
  BoundedTalk(Stream& stream, Patience& patience) : stream_(stream), patience_(patience) {}

  std::string ReadLine() override;
  std::string ReadBytes(std::size_t count) override;
  void Send(std::string_view text) override;
  // Throws where the peer has said more than was read.
  void End() const;

 private:
  void ReadMore();

  Stream& stream_;
  Patience& patience_;
  std::string unread_;
  std::size_t bytes_ = 0;  // that came, in all
};

}  // namespace certwright::http
