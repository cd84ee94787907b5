// The certificate that an endpoint shows: of TLS from the first byte, or after STARTTLS.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/http/client.h"

namespace certwright::probe {

enum class StartTls { kNone, kSmtp, kImap, kPop3, kFtp, kLdap, kPostgres };

// "none", "smtp" and so on, and back: nullopt where it is none.
std::string_view StartTlsName(StartTls starttls);
std::optional<StartTls> StartTlsFromName(std::string_view name);
std::vector<std::string> StartTlsNames();
// 443 without STARTTLS.
int UsualPort(StartTls starttls);

struct Endpoint {
  std::string host;  // name or IP address
  int port = 443;
  StartTls starttls = StartTls::kNone;

  bool operator==(const Endpoint&) const = default;
};
// "smtp://mail.example.org:25", "tls://[::1]:443".
std::string EndpointText(const Endpoint& endpoint);

// The dialogue that brings a server to speak TLS: RFC 3207 (SMTP), RFC 9051 section 6.2.1 (IMAP),
// RFC 2595 section 4 (POP3), RFC 4217 (FTP), RFC 4511 section 4.14 (LDAP), PostgreSQL's SSLRequest;
// nothing for kNone. Throws Error as PlainTalk, and kProtocol where the server does not offer it,
// refuses, or speaks another language.
void AskForTls(StartTls starttls, http::PlainTalk& talk);

// A leaf as it was shown.
struct ShownLeaf {
  std::string serial_hex;   // as CertificateVersion::serial_hex
  std::string fingerprint;  // SHA-256 of the DER, hex
};

// What is shown for the server name `name` (no verification: it is looked at, not trusted). Throws
// Error: kNetwork, kCancelled, and kProtocol where it does not speak TLS or shows no certificate.
ShownLeaf LookAtEndpoint(const Endpoint& endpoint, const std::string& name, Millis timeout,
                         std::stop_token stop);

// The same of a web server.
ShownLeaf LookAtWeb(const std::string& host, int port, const std::string& name, Millis timeout,
                    std::stop_token stop);

}  // namespace certwright::probe
