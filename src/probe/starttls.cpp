// The dialogues before STARTTLS. What the server says is foreign text: it decides nothing but
// whether TLS begins, and reaches errors through Printable.
#include <algorithm>
#include <cctype>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/probe/endpoint.h"

namespace certwright::probe {
namespace {

[[noreturn]] void Refuse(std::string_view what, std::string_view said) {
  throw Error(FailureCode::kProtocol, Cat(what, ": \"", Printable(said, 200), "\""));
}

// A reply of SMTP or FTP: its lines begin with the code, the last one with a blank after it.
std::vector<std::string> ReadReply(http::PlainTalk& talk, std::string_view code) {
  std::vector<std::string> lines;
  for (;;) {
    lines.push_back(talk.ReadLine());
    const std::string& line = lines.back();
    // Of FTP's replies the lines in between may be anything (RFC 959 section 4.2).
    const bool coded = line.size() >= 3 && std::isdigit(static_cast<unsigned char>(line[0])) != 0;
    if (coded && (line.size() == 3 || line[3] == ' ')) break;
    if (coded && !line.starts_with(code)) break;
  }
  if (!lines.back().starts_with(code)) Refuse("the server answers", lines.back());
  return lines;
}

void Smtp(http::PlainTalk& talk) {
  ReadReply(talk, "220");
  talk.Send("EHLO [127.0.0.1]\r\n");  // an address literal is taken from anybody
  bool offered = false;
  for (const std::string& line : ReadReply(talk, "250")) {
    offered |= ToLower(Trim(line.size() > 4 ? line.substr(4) : "")) == "starttls";
  }
  if (!offered) Refuse("the server does not offer STARTTLS", "EHLO");
  talk.Send("STARTTLS\r\n");
  ReadReply(talk, "220");
}

void Ftp(http::PlainTalk& talk) {
  ReadReply(talk, "220");
  talk.Send("AUTH TLS\r\n");
  ReadReply(talk, "234");
}

void Pop3(http::PlainTalk& talk) {
  const auto expect_ok = [&] {
    const std::string line = talk.ReadLine();
    if (!line.starts_with("+OK")) Refuse("the server answers", line);
  };
  expect_ok();
  talk.Send("STLS\r\n");
  expect_ok();
}

void Imap(http::PlainTalk& talk) {
  const std::string greeting = talk.ReadLine();
  if (!ToLower(greeting).starts_with("* ok")) Refuse("the server answers", greeting);
  talk.Send("a1 STARTTLS\r\n");
  std::string line = talk.ReadLine();
  while (line.starts_with("* ")) line = talk.ReadLine();
  if (!ToLower(line).starts_with("a1 ok")) Refuse("the server answers", line);
}

// An ExtendedRequest with message id 1 and the OID of StartTLS, in BER; the answer is an
// ExtendedResponse (tag 0x78) whose first element is the result code, 0 for success.
void Ldap(http::PlainTalk& talk) {
  using namespace std::string_view_literals;
  talk.Send("\x30\x1d\x02\x01\x01\x77\x18\x80\x16" "1.3.6.1.4.1.1466.20037"sv);
  const auto octet = [](char c) { return static_cast<unsigned char>(c); };
  const std::string header = talk.ReadBytes(2);
  std::size_t length = octet(header[1]);
  if (octet(header[0]) != 0x30 || length == 0x80 || length > 0x84) {
    Refuse("the server does not answer in LDAP", header);
  }
  if (length > 0x80) {
    const std::string octets = talk.ReadBytes(length & 0x7f);
    length = 0;
    for (const char c : octets) length = length << 8 | octet(c);
  }
  const std::string message = talk.ReadBytes(length);
  // Message id 1, the response, whose own length has one octet or more, and the enumerated result.
  const std::size_t response = message.find("\x02\x01\x01\x78"sv);
  if (response != 0 || message.size() < 8) Refuse("the server does not answer in LDAP", message);
  const std::size_t more = octet(message[4]) > 0x80 ? octet(message[4]) & 0x7f : 0;
  const std::string_view result = std::string_view(message).substr(std::min(5 + more, message.size()));
  if (!result.starts_with("\x0a\x01"sv) || result.size() < 3) {
    Refuse("the server does not answer in LDAP", message);
  }
  if (result[2] != 0) {
    throw Error(FailureCode::kProtocol,
                Cat("the server refuses StartTLS with result ", int{octet(result[2])}));
  }
}

void Postgres(http::PlainTalk& talk) {
  using namespace std::string_view_literals;
  talk.Send("\x00\x00\x00\x08\x04\xd2\x16\x2f"sv);  // SSLRequest: length 8, code 80877103
  const std::string answer = talk.ReadBytes(1);
  if (answer != "S") Refuse("the server does not want TLS", answer);
}

}  // namespace

void AskForTls(StartTls starttls, http::PlainTalk& talk) {
  switch (starttls) {
    case StartTls::kNone: return;
    case StartTls::kSmtp: return Smtp(talk);
    case StartTls::kImap: return Imap(talk);
    case StartTls::kPop3: return Pop3(talk);
    case StartTls::kFtp: return Ftp(talk);
    case StartTls::kLdap: return Ldap(talk);
    case StartTls::kPostgres: return Postgres(talk);
  }
}

}  // namespace certwright::probe
