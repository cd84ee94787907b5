#include "certwright/probe/endpoint.h"

#include <array>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"

namespace certwright::probe {
namespace {

struct Row {
  StartTls starttls;
  std::string_view name;
  int port;
};
constexpr std::array kProtocols = {
    Row{StartTls::kNone, "none", 443},  Row{StartTls::kSmtp, "smtp", 25},
    Row{StartTls::kImap, "imap", 143},  Row{StartTls::kPop3, "pop3", 110},
    Row{StartTls::kFtp, "ftp", 21},     Row{StartTls::kLdap, "ldap", 389},
    Row{StartTls::kPostgres, "postgres", 5432},
};

const Row& RowOf(StartTls starttls) {
  for (const Row& row : kProtocols) {
    if (row.starttls == starttls) return row;
  }
  throw Error(FailureCode::kInternal, "a protocol without a row");
}

ShownLeaf LeafOf(const std::string& der, const std::string& shown_by) {
  try {
    const crypto::CertificateInfo info = crypto::Inspect(der);
    return {info.serial_hex, info.fingerprint};
  } catch (const Error& error) {
    throw Error(FailureCode::kProtocol,
                Cat(shown_by, " shows something that is no certificate: ", error.failure().detail));
  }
}

}  // namespace

std::string_view StartTlsName(StartTls starttls) { return RowOf(starttls).name; }

std::optional<StartTls> StartTlsFromName(std::string_view name) {
  for (const Row& row : kProtocols) {
    if (row.name == name) return row.starttls;
  }
  return std::nullopt;
}

std::vector<std::string> StartTlsNames() {
  std::vector<std::string> names;
  for (const Row& row : kProtocols) names.emplace_back(row.name);
  return names;
}

int UsualPort(StartTls starttls) { return RowOf(starttls).port; }

std::string EndpointText(const Endpoint& endpoint) {
  const bool six = endpoint.host.find(':') != std::string::npos;
  const std::string_view scheme =
      endpoint.starttls == StartTls::kNone ? "tls" : StartTlsName(endpoint.starttls);
  return Cat(scheme, "://", six ? "[" : "", endpoint.host, six ? "]" : "", ":", endpoint.port);
}

ShownLeaf LookAtEndpoint(const Endpoint& endpoint, const std::string& name, Millis timeout,
                         std::stop_token stop) {
  const std::string der = http::PeerCertificateAfter(
      endpoint.host, endpoint.port, name,
      [&](http::PlainTalk& talk) { AskForTls(endpoint.starttls, talk); }, timeout, std::move(stop));
  return LeafOf(der, EndpointText(endpoint));
}

ShownLeaf LookAtWeb(const std::string& host, int port, const std::string& name, Millis timeout,
                    std::stop_token stop) {
  return LeafOf(http::PeerCertificateAfter(host, port, name, nullptr, timeout, std::move(stop)),
                EndpointText({host, port, StartTls::kNone}));
}

}  // namespace certwright::probe
