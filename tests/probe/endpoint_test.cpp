// Against servers on loopback that speak a protocol, speak it badly, or do not speak.
#include "certwright/probe/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../http/test_server.h"
#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"

namespace certwright::probe {
namespace {

using namespace std::string_view_literals;
using http::test::Identity;
using http::test::Peer;
using http::test::TestServer;
using ::testing::HasSubstr;

const Identity& Shown() {
  static const Identity identity = http::test::Issue("mail.example.org", "DNS:mail.example.org");
  return identity;
}

// What a server says, and what it wants to hear after it ("" at the end: TLS begins).
struct Turn {
  std::string_view says;
  std::string_view hears;
};
TestServer::Script Speaks(std::vector<Turn> turns) {
  return [turns = std::move(turns)](Peer& peer) {
    for (const Turn& turn : turns) {
      peer.Write(turn.says);
      if (peer.ReadBytes(turn.hears.size()) != turn.hears) return;
    }
    peer.StartTls(Shown());
  };
}

constexpr auto kLdapRequest = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16" "1.3.6.1.4.1.1466.20037"sv;
constexpr auto kPostgresRequest = "\x00\x00\x00\x08\x04\xd2\x16\x2f"sv;

ShownLeaf Look(const TestServer& server, StartTls starttls, Millis timeout = Millis(5'000)) {
  return LookAtEndpoint({"127.0.0.1", server.port(), starttls}, "mail.example.org", timeout, {});
}

TEST(LookAtEndpoint, SpeaksEachProtocol) {
  struct Row {
    const char* name;
    StartTls starttls;
    std::vector<Turn> turns;
  };
  const Row rows[] = {
      {"TLS at once", StartTls::kNone, {}},
      {"SMTP",
       StartTls::kSmtp,
       {{"220-welcome\r\n220 mx ESMTP\r\n", "EHLO [127.0.0.1]\r\n"},
        {"250-mx\r\n250-starttls\r\n250 SIZE 1\r\n", "STARTTLS\r\n"},
        {"220 go\r\n", ""}}},
      {"SMTP with bare line feeds",
       StartTls::kSmtp,
       {{"220 mx\n", "EHLO [127.0.0.1]\r\n"}, {"250 STARTTLS\n", "STARTTLS\r\n"}, {"220 go\n", ""}}},
      {"IMAP",
       StartTls::kImap,
       {{"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n", "a1 STARTTLS\r\n"},
        {"* CAPABILITY x\r\na1 OK begin\r\n", ""}}},
      {"POP3", StartTls::kPop3, {{"+OK hello\r\n", "STLS\r\n"}, {"+OK begin\r\n", ""}}},
      {"FTP",
       StartTls::kFtp,
       {{"220-welcome\r\n 1 file\r\n220 ready\r\n", "AUTH TLS\r\n"}, {"234 go\r\n", ""}}},
      {"LDAP",
       StartTls::kLdap,
       {{"", kLdapRequest}, {"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"sv, ""}}},
      {"LDAP in long form",
       StartTls::kLdap,
       {{"", kLdapRequest},
        {"\x30\x84\x00\x00\x00\x10\x02\x01\x01\x78\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00"sv,
         ""}}},
      {"PostgreSQL", StartTls::kPostgres, {{"", kPostgresRequest}, {"S", ""}}},
  };
  const crypto::CertificateInfo info = crypto::Inspect(Shown().Der());
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const TestServer server(Speaks(row.turns));
    try {
      const ShownLeaf leaf = Look(server, row.starttls);
      EXPECT_EQ(leaf.serial_hex, info.serial_hex);
      EXPECT_EQ(leaf.fingerprint, info.fingerprint);
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

TEST(LookAtEndpoint, SaysWhatAServerRefuses) {
  struct Row {
    const char* name;
    StartTls starttls;
    std::vector<Turn> turns;
    const char* words;
  };
  const Row rows[] = {
      {"SMTP that does not offer it",
       StartTls::kSmtp,
       {{"220 mx\r\n", "EHLO [127.0.0.1]\r\n"}, {"250-mx\r\n250 STARTTLSX\r\n", "QUIT"}},
       "does not offer STARTTLS"},
      {"SMTP that refuses", StartTls::kSmtp, {{"554 go \x1b[31m away\r\n", "EHLO"}},
       "answers: \"554 go ?[31m away\""},
      {"SMTP with a code that changes", StartTls::kSmtp, {{"220-a\r\n554-b\r\n554 c\r\n", "E"}},
       "answers: \"554-b\""},
      {"IMAP that refuses", StartTls::kImap,
       {{"* OK\r\n", "a1 STARTTLS\r\n"}, {"a1 BAD no\r\n", "x"}}, "answers: \"a1 BAD no\""},
      {"IMAP that says BYE", StartTls::kImap, {{"* BYE\r\n", "x"}}, "answers: \"* BYE\""},
      {"POP3 that refuses", StartTls::kPop3, {{"+OK\r\n", "STLS\r\n"}, {"-ERR no\r\n", "x"}},
       "answers: \"-ERR no\""},
      {"FTP that refuses", StartTls::kFtp, {{"220 x\r\n", "AUTH TLS\r\n"}, {"500 what\r\n", "x"}},
       "answers: \"500 what\""},
      {"LDAP that refuses", StartTls::kLdap,
       {{"", kLdapRequest}, {"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00"sv, "x"}},
       "refuses StartTLS with result 52"},
      {"LDAP with a length that lies", StartTls::kLdap,
       {{"", kLdapRequest}, {"\x30\x84\xff\xff\xff\xff\x02\x01"sv, "x"}}, "wants to say too much"},
      {"LDAP that is cut inside", StartTls::kLdap,
       {{"", kLdapRequest}, {"\x30\x05\x02\x01\x01\x78\x07"sv, "x"}}, "does not answer in LDAP"},
      {"LDAP with a response that is empty", StartTls::kLdap,
       {{"", kLdapRequest}, {"\x30\x08\x02\x01\x01\x78\xff\xff\xff\xff"sv, "x"}},
       "does not answer in LDAP"},
      {"no LDAP at all", StartTls::kLdap, {{"220 mx\r\n", kLdapRequest}}, "does not answer in LDAP"},
      {"PostgreSQL without TLS", StartTls::kPostgres, {{"", kPostgresRequest}, {"N", "x"}},
       "does not want TLS: \"N\""},
      {"plain text where TLS should begin", StartTls::kPop3,
       {{"+OK\r\n", "STLS\r\n"}, {"+OK\r\n+OK injected\r\n", "x"}}, "goes on in plain text"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const TestServer server(Speaks(row.turns));
    try {
      Look(server, row.starttls);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.failure().code, FailureCode::kProtocol);
      EXPECT_THAT(error.what(), HasSubstr(row.words));
    }
  }
}

TEST(LookAtEndpoint, EndsWithAServerThatDoesNot) {
  struct Row {
    const char* name;
    TestServer::Script script;
    FailureCode code;
  };
  const Row rows[] = {
      {"says nothing", [](Peer& peer) { peer.Pause(60'000); }, FailureCode::kNetwork},
      {"a byte at a time", [](Peer& peer) { peer.Drip(std::string(5'000, 'x'), 20); },
       FailureCode::kNetwork},
      {"a line without an end",
       [](Peer& peer) {
         while (peer.Write(std::string(1'000, 'x'))) {
         }
       },
       FailureCode::kProtocol},
      {"lines without an end",
       [](Peer& peer) {
         while (peer.Write("220-x\r\n")) {
         }
       },
       FailureCode::kProtocol},
      {"hangs up", [](Peer&) {}, FailureCode::kNetwork},
      {"hangs up instead of TLS",
       [](Peer& peer) {
         peer.Write("220 mx\r\n");
         peer.ReadLine();
         peer.Write("250 STARTTLS\r\n");
         peer.ReadLine();
         peer.Write("220 go\r\n");
       },
       FailureCode::kNetwork},
      {"speaks no TLS",
       [](Peer& peer) {
         peer.Write("220 mx\r\n");
         peer.ReadLine();
         peer.Write("250 STARTTLS\r\n");
         peer.ReadLine();
         peer.Write("220 go\r\n");
         peer.ReadBytes(1);
         peer.Write("500 what?\r\n");
       },
       FailureCode::kNetwork},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const TestServer server(row.script);
    const Steady begun = SystemClock().SteadyNow();
    try {
      Look(server, StartTls::kSmtp, Millis(300));
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.failure().code, row.code) << error.what();
    }
    EXPECT_LT(SystemClock().SteadyNow() - begun, Millis(4'000));
  }
}

TEST(LookAtEndpoint, EndsWhereItIsStopped) {
  const TestServer server([](Peer& peer) { peer.Pause(60'000); });
  std::stop_source source;
  source.request_stop();
  try {
    LookAtEndpoint({"127.0.0.1", server.port(), StartTls::kPop3}, "", Millis(60'000),
                   source.get_token());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().code, FailureCode::kCancelled);
  }
}

TEST(StartTls, HasNamesAndPorts) {
  for (const std::string& name : StartTlsNames()) {
    const auto starttls = StartTlsFromName(name);
    ASSERT_TRUE(starttls) << name;
    EXPECT_EQ(StartTlsName(*starttls), name);
  }
  EXPECT_EQ(StartTlsFromName("xmpp"), std::nullopt);
  EXPECT_EQ(UsualPort(StartTls::kLdap), 389);
  EXPECT_EQ(EndpointText({"mail.example.org", 25, StartTls::kSmtp}), "smtp://mail.example.org:25");
  EXPECT_EQ(EndpointText({"::1", 443, StartTls::kNone}), "tls://[::1]:443");
}

}  // namespace
}  // namespace certwright::probe
