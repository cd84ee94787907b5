#include "stream.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::http {
namespace {

const char* AdviceFor(long verify_result) {
  switch (verify_result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "check this machine's clock; if it is right, the server's operator must renew";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "use the URL with the name that the server's certificate is for";
    default: return "set acme.ca_bundle to the CA's root certificate, if it is a private CA";
  }
}

}  // namespace

Stream::Stream(Fd fd) : fd_(std::move(fd)) {}

Stream::Stream(Fd fd, const TlsContext& tls, const std::string& server_name, Patience& patience)
    : fd_(std::move(fd)), ssl_(tls.NewClient(fd_.get(), server_name)) {
  for (;;) {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) return;
    if (WaitForTls(result, patience)) continue;
    const int cause = errno;
    const long verified = SSL_get_verify_result(ssl_.get());
    if (verified != X509_V_OK && (SSL_get_verify_mode(ssl_.get()) & SSL_VERIFY_PEER) != 0) {
      throw Error(FailureCode::kUntrusted,
                  Cat(patience.peer(), ": its TLS certificate is not trusted: ",
                      X509_verify_cert_error_string(verified)),
                  AdviceFor(verified));
    }
    if (ERR_peek_error() != 0) patience.ThrowNetwork(Cat("TLS handshake failed: ", TlsReason()));
    patience.ThrowNetwork(cause == 0 ? "connection cut during the TLS handshake"
                                     : Cat(ErrnoWords(cause), " during the TLS handshake"));
  }
}

Stream::~Stream() {
  // One close_notify as a courtesy, never waiting; after a failure OpenSSL refuses it by itself.
  if (ssl_ && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

bool Stream::WaitForTls(int result, Patience& patience) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: patience.Wait(fd_.get(), POLLIN); return true;
    case SSL_ERROR_WANT_WRITE: patience.Wait(fd_.get(), POLLOUT); return true;
    default: return false;
  }
}

std::size_t Stream::Read(char* data, std::size_t size, Patience& patience, bool& clean) {
  // A peer that is always ready must not outlast the deadline either.
  if (patience.Left() == Millis(0)) patience.ThrowTimeout();
  if (patience.stop().stop_requested()) patience.ThrowStopped();
  clean = false;
  for (;;) {
    if (!ssl_) {
      const ssize_t count = recv(fd_.get(), data, size, 0);
      clean = count == 0;
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EAGAIN && errno != EINTR) patience.ThrowNetwork(ErrnoWords(errno));
      patience.Wait(fd_.get(), POLLIN);
      continue;
    }
    ERR_clear_error();
    errno = 0;
    const int count = SSL_read(ssl_.get(), data, static_cast<int>(size));
    if (count > 0) return static_cast<std::size_t>(count);
    if (WaitForTls(count, patience)) continue;
    const int cause = errno;
    clean = SSL_get_error(ssl_.get(), count) == SSL_ERROR_ZERO_RETURN;
    if (clean || ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
      ERR_clear_error();
      return 0;
    }
    if (ERR_peek_error() != 0) patience.ThrowNetwork(Cat("TLS: ", TlsReason()));
    if (cause == 0) return 0;
    patience.ThrowNetwork(ErrnoWords(cause));
  }
}

void Stream::WriteAll(std::string_view data, Patience& patience) {
  while (!data.empty()) {
    ERR_clear_error();
    errno = 0;
    const ssize_t count = ssl_ ? SSL_write(ssl_.get(), data.data(), static_cast<int>(data.size()))
                               : send(fd_.get(), data.data(), data.size(), MSG_NOSIGNAL);
    if (count > 0) {
      data.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (ssl_ && WaitForTls(static_cast<int>(count), patience)) continue;
    if (!ssl_ && (errno == EAGAIN || errno == EINTR)) {
      patience.Wait(fd_.get(), POLLOUT);
      continue;
    }
    const int cause = errno;
    patience.ThrowNetwork(cause == 0 ? Cat("cut while the request was sent: ", TlsReason())
                                     : Cat(ErrnoWords(cause), " while the request was sent"));
  }
}

bool Stream::Quiet() const {
  if (ssl_ && SSL_pending(ssl_.get()) > 0) return false;
  pollfd one{fd_.get(), POLLIN | POLLRDHUP, 0};
  return poll(&one, 1, 0) == 0;
}

std::string Stream::PeerCertificate() const {
  if (!ssl_) return {};
  X509* certificate = SSL_get1_peer_certificate(ssl_.get());
  unsigned char* der = nullptr;
  const int size = certificate == nullptr ? 0 : i2d_X509(certificate, &der);
  X509_free(certificate);
  if (size <= 0) return {};
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

}  // namespace certwright::http
