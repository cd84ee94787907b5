// Bytes to and from one peer, plain or TLS, never longer than the exchange's patience.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "certwright/base/file.h"
#include "patience.h"
#include "tls.h"

namespace certwright::http {

class Stream {
 public:
  // Plain TCP.
  explicit Stream(Fd fd);
  // Shakes hands as a client. `tls` outlives the stream. Throws Error(kUntrusted | kNetwork |
  // kCancelled).
  Stream(Fd fd, const TlsContext& tls, const std::string& server_name, Patience& patience);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // At least one byte; 0 at the end. `clean` tells an end that the peer announced (TLS
  // close_notify, a FIN on plain TCP) from a cut one.
  std::size_t Read(char* data, std::size_t size, Patience& patience, bool& clean);
  void WriteAll(std::string_view data, Patience& patience);

  // Whether the connection can take another request: open, and with nothing unread. Whatever an
  // idle peer sends (a FIN, close_notify, an answer to nothing) ends the connection's use.
  bool Quiet() const;

  // Plain TCP: the socket, for a stream that goes on with TLS; this one is of no use then.
  Fd TakeSocket() { return std::move(fd_); }

  // The DER of the peer's own certificate, "" on plain TCP.
  std::string PeerCertificate() const;

 private:
  // Waits for what the TLS machine asks for; false where it cannot go on.
  bool WaitForTls(int result, Patience& patience);

  Fd fd_;
  std::unique_ptr<SSL, SslFree> ssl_;
};

}  // namespace certwright::http
