// OpenSSL, as far as the client needs it.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "certwright/base/file.h"

namespace certwright::http {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

// What to trust. One context serves all connections of a client: the roots are read once, and the
// system's only when a certificate asks for them (OpenSSL's hashed directory) where that is
// possible.
class TlsContext {
 public:
  // Verifies against the system's roots (SSL_CERT_FILE and SSL_CERT_DIR are honoured) and those of
  // a PEM file beside them. Throws Error(kConfig) where that cannot be read or holds no
  // certificate.
  static TlsContext Verifying(const Path& ca_bundle);
  // Looks at whatever is shown, and trusts nothing by it.
  static TlsContext Looking();
  // The same without a word of HTTP (ALPN): some servers of other protocols hang up at it.
  static TlsContext LookingAtAnything();

  // A client's SSL for a host name or IP address. "" sends no SNI (only where nothing is verified).
  std::unique_ptr<SSL, SslFree> NewClient(int fd, const std::string& host) const;

 private:
  explicit TlsContext(bool verifies);
  std::unique_ptr<SSL_CTX, SslFree> context_;
  bool verifies_;
};

// The newest reason in OpenSSL's error queue in words; empties the queue.
std::string TlsReason();

}  // namespace certwright::http
