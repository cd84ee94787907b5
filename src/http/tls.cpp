#include "tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <mutex>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::http {
namespace {

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a peer that is gone would end the program.
int SocketOf(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int BioRead(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t count = recv(SocketOf(bio), data, static_cast<std::size_t>(size), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(count);
}

int BioWrite(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t count = send(SocketOf(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(count);
}

long BioControl(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* SocketMethod() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_read(method, BioRead);
    BIO_meth_set_write(method, BioWrite);
    BIO_meth_set_ctrl(method, BioControl);
    return method;
  }();
  return kMethod;
}

std::string EnvironmentOr(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : fallback;
}

// Whether c_rehash has been here: names like "5ed36f99.0".
bool IsHashed(const std::string& dir) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(dir, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.size() == 10 && name.ends_with(".0") &&
        name.find_first_not_of("0123456789abcdef") == 8) {
      return true;
    }
  }
  return false;
}

// Parsing the system's file, a hundred and more roots, costs 50 ms: it is put off until a
// certificate's issuer is found nowhere else. (Not for each: OpenSSL asks for intermediates here
// too.)
struct LateRoots {
  std::once_flag once;
};

int LateRootsIndex() {
  static const int kIndex = X509_STORE_get_ex_new_index(
      0, nullptr, nullptr, nullptr, [](void*, void* late, CRYPTO_EX_DATA*, int, long, void*) {
        delete static_cast<LateRoots*>(late);
      });
  return kIndex;
}

int GetIssuerLate(X509** issuer, X509_STORE_CTX* context, X509* certificate) {
  const int found = X509_STORE_CTX_get1_issuer(issuer, context, certificate);
  if (found != 0) return found;
  X509_STORE* store = X509_STORE_CTX_get0_store(context);
  auto* late = static_cast<LateRoots*>(X509_STORE_get_ex_data(store, LateRootsIndex()));
  std::call_once(late->once, [&] {
    ERR_set_mark();
    X509_STORE_set_default_paths(store);
    ERR_pop_to_mark();  // no system roots at all is legal where a bundle is given
  });
  return X509_STORE_CTX_get1_issuer(issuer, context, certificate);
}

// The hashed directory is asked for one root at a time. The file only where it was named, or where
// there is no such directory.
void TrustSystem(X509_STORE* store) {
  const std::string dir =
      EnvironmentOr(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
  const bool file_named = !EnvironmentOr(X509_get_default_cert_file_env(), "").empty();
  if (!file_named && IsHashed(dir)) {
    X509_LOOKUP* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
    if (lookup != nullptr) X509_LOOKUP_add_dir(lookup, dir.c_str(), X509_FILETYPE_PEM);
  } else {
    X509_STORE_set_ex_data(store, LateRootsIndex(), new LateRoots);
    X509_STORE_set_get_issuer(store, GetIssuerLate);
  }
  ERR_clear_error();
}

void TrustBundle(X509_STORE* store, const Path& path) {
  constexpr const char* kAdvice = "set acme.ca_bundle to a PEM file with the CA's root certificate";
  std::string text;
  try {
    text = ReadFile(path);
  } catch (const Error& error) {
    throw Error(FailureCode::kConfig, Cat("acme.ca_bundle: ", error.what()), kAdvice);
  }
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  int count = 0;
  while (X509* root = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    X509_STORE_add_cert(store, root);  // twice the same is fine
    X509_free(root);
    ++count;
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = TlsReason();
  if (count == 0 || !at_end) {
    throw Error(FailureCode::kConfig,
                count == 0 && at_end
                    ? Cat("acme.ca_bundle: ", path.string(), " holds no certificate")
                    : Cat("acme.ca_bundle: certificate ", count + 1, " of ", path.string(),
                          " cannot be read: ", reason),
                kAdvice);
  }
}

}  // namespace

std::string TlsReason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "unknown reason" : reason;
}

TlsContext::TlsContext(bool verifies)
    : context_(SSL_CTX_new(TLS_client_method())), verifies_(verifies) {
  if (!context_) throw Error(FailureCode::kInternal, Cat("TLS: ", TlsReason()));
  SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context_.get(), kHttp11, sizeof kHttp11 - 1);
}

TlsContext TlsContext::Verifying(const Path& ca_bundle) {
  TlsContext tls(true);
  SSL_CTX* context = tls.context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  // What somebody put into the bundle is trusted for itself, intermediate or root.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  TrustSystem(store);
  if (!ca_bundle.empty()) TrustBundle(store, ca_bundle);
  return tls;
}

TlsContext TlsContext::Looking() {
  TlsContext tls(false);
  SSL_CTX_set_verify(tls.context_.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_security_level(tls.context_.get(),
                             0);  // an old server's certificate is worth a look too
  return tls;
}

TlsContext TlsContext::LookingAtAnything() {
  TlsContext tls = Looking();
  SSL_CTX_set_alpn_protos(tls.context_.get(), nullptr, 0);
  return tls;
}

std::unique_ptr<SSL, SslFree> TlsContext::NewClient(int fd, const std::string& host) const {
  std::unique_ptr<SSL, SslFree> ssl(SSL_new(context_.get()));
  BIO* bio = ssl ? BIO_new(SocketMethod()) : nullptr;
  if (bio == nullptr) throw Error(FailureCode::kInternal, Cat("TLS: ", TlsReason()));
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl.get(), bio, bio);
  SSL_set_connect_state(ssl.get());

  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl.get());
  // RFC 6066 section 3: no IP addresses in SNI. They are matched with the certificate's IP SANs.
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1) return ssl;
  ERR_clear_error();
  if (!host.empty()) SSL_set_tlsext_host_name(ssl.get(), host.c_str());
  if (verifies_) {
    X509_VERIFY_PARAM_set_hostflags(
        parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (host.empty() || X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size()) != 1) {
      throw Error(FailureCode::kInternal, "TLS: no host name to verify");
    }
  }
  return ssl;
}

}  // namespace certwright::http
