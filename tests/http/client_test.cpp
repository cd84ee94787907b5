#include "certwright/http/client.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <barrier>
#include <filesystem>
#include <fstream>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "test_server.h"

namespace certwright::http {
namespace {

using test::Identity;
using test::Issue;
using test::Peer;
using test::TestServer;

const Identity& Root() {
  static const Identity kRoot = Issue("test root", "");
  return kRoot;
}
const Identity& Leaf() {
  static const Identity kLeaf = Issue("leaf", "DNS:localhost,IP:127.0.0.1", &Root());
  return kLeaf;
}

// A PEM file of that root, gone at the end of the program.
Path Bundle(const Identity& root) {
  static struct Files {
    std::vector<Path> paths;
    ~Files() {
      for (const Path& path : paths) std::filesystem::remove(path);
    }
  } files;
  const Path path = std::filesystem::temp_directory_path() /
                    Cat("certwright-http-test-", getpid(), "-", files.paths.size(), ".pem");
  std::ofstream(path) << root.Pem();
  files.paths.push_back(path);
  return path;
}

ClientOptions Options() {
  ClientOptions options;
  static const Path kBundle = Bundle(Root());
  options.ca_bundle = kBundle;
  options.allow_http_loopback = true;
  options.exchange_timeout = Millis(5000);
  return options;
}

Request Get(const std::string& url) {
  Request request;
  request.url = url;
  return request;
}

Failure FailureOf(Client& client, const Request& request, std::stop_token stop = {}) {
  try {
    const Response response = client.Send(request, stop);
    ADD_FAILURE() << "answered " << response.status << " with " << response.body.size() << " bytes";
  } catch (const Error& error) {
    return error.failure();
  }
  return {};
}

std::string Ok(std::string_view body) {
  return Cat("HTTP/1.1 200 OK\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
}

void Echo(Peer& peer) {
  for (std::string request; !(request = peer.ReadRequest()).empty();) {
    if (!peer.Write(Ok(request))) return;
  }
}

double Seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(Client, SendsWhatItWasGivenAndItsDefaultHeaders) {
  TestServer server(Echo, &Leaf());
  ClientOptions options = Options();
  options.user_agent = "certwright/9";
  Client client(options);
  Request request = Get(server.Url("/a?b=c"));
  request.method = "POST";
  request.content_type = "application/jose+json";
  request.body = "{}";
  request.headers = {{"Accept-Language", "en"}};
  const Response response = client.Send(request, {});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, Cat("POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:", server.port(),
                               "\r\nUser-Agent: certwright/9\r\nAccept-Encoding: identity\r\n"
                               "Accept-Language: en\r\nContent-Type: application/jose+json\r\n"
                               "Content-Length: 2\r\n\r\n{}"));
}

TEST(Client, LowersHeaderNamesAndKeepsTheirOrder) {
  TestServer server(
      [](Peer& peer) {
        peer.ReadRequest();
        peer.Write(
            "HTTP/1.1 200 OK\r\nREPLAY-Nonce: A\r\nLink: <1>\r\nlink:  <2> \r\nContent-Length: "
            "0\r\n\r\n");
      },
      &Leaf());
  Client client(Options());
  const Response response = client.Send(Get(server.Url()), {});
  EXPECT_EQ(response.Header("replay-nonce"), "A");
  EXPECT_EQ(response.Header("absent"), "");
  EXPECT_EQ(response.All("link"), (std::vector<std::string>{"<1>", "<2>"}));
}

TEST(Client, VerifiesByDnsNameAndByIpAddress) {
  TestServer server(Echo, &Leaf());
  Client client(Options());
  EXPECT_EQ(client.Send(Get(server.Url("/", "localhost")), {}).status, 200);
  EXPECT_EQ(client.Send(Get(server.Url("/", "127.0.0.1")), {}).status, 200);
}

TEST(Client, ReadsBodiesOfEveryFraming) {
  struct Row {
    const char* name;
    std::string answer;
    std::string body;
  };
  const Row rows[] = {
      {"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"},
      {"same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
       "hi"},
      {"chunked",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
       "hello"},
      {"trailers",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n0\r\nA: b\r\n\r\n", "h"},
      {"to the end", "HTTP/1.1 200 OK\r\n\r\nhello", "hello"},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello", "hello"},
      {"no reason", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", "x"},
      {"interim",
       "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "x"},
      {"no content", "HTTP/1.1 204 No Content\r\n\r\n", ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    TestServer server(
        [&](Peer& peer) {
          peer.ReadRequest();
          peer.Write(row.answer);
          peer.CloseNotify();
        },
        &Leaf());
    Client client(Options());
    EXPECT_EQ(client.Send(Get(server.Url()), {}).body, row.body);
  }
}

TEST(Client, ReadsNoBodyAfterHead) {
  TestServer server(
      [](Peer& peer) {
        while (!peer.ReadRequest().empty())
          peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n");
      },
      &Leaf());
  Client client(Options());
  Request request = Get(server.Url());
  request.method = "HEAD";
  EXPECT_EQ(client.Send(request, {}).status, 200);
  EXPECT_EQ(client.Send(request, {}).status, 200);
  EXPECT_EQ(server.connections(), 1);
}

TEST(Client, DoesNotFollowRedirects) {
  TestServer server(
      [](Peer& peer) {
        peer.ReadRequest();
        peer.Write(
            "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n");
      },
      &Leaf());
  Client client(Options());
  EXPECT_EQ(client.Send(Get(server.Url()), {}).status, 302);
}

TEST(Client, RefusesAnswersThatBreakTheProtocolOrALimit) {
  struct Row {
    const char* name;
    std::string answer;
    const char* words;
  };
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  std::string many = ok;
  for (int i = 0; i < 101; ++i) many += Cat("H", i, ": x\r\n");
  const Row rows[] = {
      {"no http", "SSH-2.0-OpenSSH_9\r\n", "no status line"},
      {"http/2", "HTTP/2 200 OK\r\n\r\n", "no status line"},
      {"status", "HTTP/1.1 20x OK\r\n\r\n", "no status line"},
      {"switching", "HTTP/1.1 101 Switching\r\n\r\n", "switches protocols"},
      {"long status line", Cat("HTTP/1.1 200 ", std::string(49'000, 'A'), "\r\n\r\n"),
       "headers over 32768 bytes"},
      {"long header", Cat(ok, "A: ", std::string(40'000, 'A'), "\r\n\r\n"),
       "headers over 32768 bytes"},
      {"101 headers", many + "\r\n", "more than 100 headers"},
      {"no colon", ok + "Bad\r\n\r\n", "without a name"},
      {"folded", ok + "A: b\r\n c\r\n\r\n", "without a name"},
      {"blank before colon", ok + "Content-Length : 3\r\n\r\nabc", "without a name"},
      {"escape", ok + "A: \x1b[31m\r\n\r\n", "control character"},
      {"NUL", ok + std::string("A: b\0c\r\n\r\n", 10), "control character"},
      {"gzip", ok + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", "encoded as \"gzip\""},
      {"length no number", ok + "Content-Length: x10\r\n\r\nhello", "Content-Length is no number"},
      {"length negative", ok + "Content-Length: -1\r\n\r\nhello", "Content-Length is no number"},
      {"two lengths", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nhe", "two values"},
      {"smuggling", ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "at once"},
      {"gzip, chunked", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
       "Transfer-Encoding"},
      {"chunk size", ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk without a size"},
      {"chunk size overflow", ok + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
       "chunk without a size"},
      {"huge chunk", ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
       "over 1000 bytes"},
      {"chunk longer", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX\r\n0\r\n\r\n",
       "longer than its size"},
      {"length over limit", ok + "Content-Length: 1001\r\n\r\n", "over 1000 bytes"},
      {"length huge", ok + "Content-Length: 18446744073709551615\r\n\r\n", "over 1000 bytes"},
      {"to the end over limit", ok + "\r\n" + std::string(1001, 'x'), "over 1000 bytes"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    TestServer server(
        [&](Peer& peer) {
          peer.ReadRequest();
          peer.Write(row.answer);
          peer.CloseNotify();
        },
        &Leaf());
    Client client(Options());
    Request request = Get(server.Url());
    request.max_body = 1000;
    const Failure failure = FailureOf(client, request);
    EXPECT_EQ(FailureCodeName(failure.code), FailureCodeName(FailureCode::kProtocol));
    EXPECT_NE(failure.detail.find(row.words), std::string::npos) << failure.detail;
    EXPECT_FALSE(failure.transient);
  }
}

TEST(Client, CallsACutAnswerATransientNetworkError) {
  struct Row {
    const char* name;
    const char* answer;
  };
  const Row rows[] = {
      {"nothing", ""},
      {"in the status line", "HTTP/1.1 2"},
      {"in the headers", "HTTP/1.1 200 OK\r\nA: b\r\n"},
      {"in the body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"},
      {"between chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"},
      {"in a chunk's end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r"},
      {"after the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"},
      {"no length, no close_notify", "HTTP/1.1 200 OK\r\n\r\nhello"},
  };
  for (const Row& row : rows) {
    for (const bool reset : {false, true}) {
      SCOPED_TRACE(Cat(row.name, reset ? ", reset" : ", closed"));
      TestServer server(
          [&](Peer& peer) {
            peer.ReadRequest();
            peer.Write(row.answer);
            if (reset) peer.Reset();
          },
          &Leaf());
      Client client(Options());
      const Failure failure = FailureOf(client, Get(server.Url()));
      EXPECT_EQ(FailureCodeName(failure.code), "network");
      EXPECT_TRUE(failure.transient);
      EXPECT_NE(failure.detail.find(Cat("127.0.0.1:", server.port())), std::string::npos);
    }
  }
}

TEST(Client, EndsEveryKindOfSlownessAtTheDeadline) {
  struct Row {
    const char* name;
    std::function<void(Peer&)> script;
    bool tls;
  };
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
  const std::string endless(1000, 'a');
  const Row rows[] = {
      {"silence", [](Peer& peer) { peer.Pause(3000); }, true},
      {"no handshake", [](Peer& peer) { peer.Pause(3000); }, false},
      {"byte by byte headers",
       [&](Peer& peer) {
         peer.ReadRequest();
         peer.Drip("HTTP/1.1 200 OK\r\nA: " + endless, 20);
       },
       true},
      {"byte by byte body",
       [&](Peer& peer) {
         peer.ReadRequest();
         peer.Write(head);
         peer.Drip(endless, 20);
       },
       true},
      {"endless chunk extensions",
       [&](Peer& peer) {
         peer.ReadRequest();
         peer.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
         for (const std::string chunk = Cat("1;", std::string(8000, 'x'), "\r\na\r\n");
              peer.Write(chunk);) {
         }
       },
       true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    // "no handshake": a plain server that is spoken to with TLS.
    TestServer server(row.script, row.tls ? &Leaf() : nullptr);
    ClientOptions options = Options();
    options.exchange_timeout = Millis(300);
    Client client(options);
    Request request = Get(Cat("https://127.0.0.1:", server.port(), "/"));
    request.max_body = 1 << 30;
    Failure failure;
    const double took = Seconds([&] { failure = FailureOf(client, request); });
    EXPECT_EQ(FailureCodeName(failure.code), "network");
    EXPECT_TRUE(failure.transient);
    EXPECT_NE(failure.detail.find("no complete answer within 300 ms"), std::string::npos)
        << failure.detail;
    EXPECT_GT(took, 0.25);
    EXPECT_LT(took, 0.9);
  }
}

TEST(Client, EndsAPlainExchangeAtTheDeadlineToo) {
  TestServer server([](Peer& peer) {
    peer.ReadRequest();
    peer.Drip("HTTP/1.1 200 OK\r\n" + std::string(1000, 'a'), 20);
  });
  ClientOptions options = Options();
  options.exchange_timeout = Millis(300);
  Client client(options);
  EXPECT_EQ(FailureOf(client, Get(server.Url())).code, FailureCode::kNetwork);
}

TEST(Client, StopsAtOnceWhenToldTo) {
  TestServer silent([](Peer& peer) { peer.Pause(3000); });
  Client client(Options());
  for (const char* scheme : {"http", "https"}) {  // waiting for an answer, and in the handshake
    SCOPED_TRACE(scheme);
    std::stop_source source;
    std::jthread later([&] {
      std::this_thread::sleep_for(Millis(50));
      source.request_stop();
    });
    Failure failure;
    const double took = Seconds([&] {
      failure = FailureOf(client, Get(Cat(scheme, "://127.0.0.1:", silent.port(), "/")),
                          source.get_token());
    });
    EXPECT_EQ(failure.code, FailureCode::kCancelled);
    EXPECT_LT(took, 0.5);
    EXPECT_EQ(FailureOf(client, Get(silent.Url()), source.get_token()).code,
              FailureCode::kCancelled);
  }
}

long PeakRssKb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(Client, StaysSmallWhateverIsSent) {
  struct Row {
    const char* name;
    std::string start;
    std::string more;
  };
  const std::string block(64 * 1024, 'x');
  const Row rows[] = {
      {"200 MB of body", "HTTP/1.1 200 OK\r\nContent-Length: 209715200\r\n\r\n", block},
      {"endless chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
       Cat("10000\r\n", block, "\r\n")},
      {"endless body", "HTTP/1.1 200 OK\r\n\r\n", block},
      {"endless headers", "HTTP/1.1 200 OK\r\n", Cat("A: ", std::string(1000, 'b'), "\r\n")},
      {"endless header", "HTTP/1.1 200 OK\r\nA: ", block},
      {"endless interim answers", "", "HTTP/1.1 100 Continue\r\n\r\n"},
      {"endless trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
       Cat("A: ", std::string(1000, 'b'), "\r\n")},
  };
  for (const bool tls : {true, false}) {
    for (const Row& row : rows) {
      SCOPED_TRACE(row.name);
      TestServer server(
          [&](Peer& peer) {
            peer.ReadRequest();
            peer.Write(row.start);
            for (std::size_t sent = 0; sent < 200u << 20 && peer.Write(row.more);)
              sent += row.more.size();
          },
          tls ? &Leaf() : nullptr);
      Client client(Options());
      const long before = PeakRssKb();
      EXPECT_EQ(FailureOf(client, Get(server.Url())).code, FailureCode::kProtocol);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
      EXPECT_LT(PeakRssKb() - before, 8 * 1024);
#else
      (void)before;
#endif
    }
  }
}

TEST(Client, SaysWhyACertificateIsNotTrusted) {
  static const Identity stranger = Issue("stranger", "");
  static const Identity old_root = Issue("old root", "", nullptr, -7200, -3600);
  struct Row {
    const char* name;
    Identity leaf;
    const Identity* root;
    const char* host;
    const char* words;
    const char* advice;
  };
  const Row rows[] = {
      {"unknown root", Issue("x", "IP:127.0.0.1", &stranger), &Root(), "127.0.0.1",
       "unable to get local issuer", "acme.ca_bundle"},
      {"self-signed", Issue("x", "IP:127.0.0.1"), &Root(), "127.0.0.1", "self-signed certificate",
       "acme.ca_bundle"},
      {"other name", Issue("x", "DNS:example.org", &Root()), &Root(), "localhost",
       "hostname mismatch", "the name"},
      {"other address", Issue("x", "DNS:localhost,IP:127.0.0.2", &Root()), &Root(), "127.0.0.1",
       "IP address mismatch", "the name"},
      {"address as a DNS name", Issue("x", "DNS:127.0.0.1", &Root()), &Root(), "127.0.0.1",
       "IP address mismatch", "the name"},
      {"name in CN only", Issue("localhost", "DNS:example.org", &Root()), &Root(), "localhost",
       "hostname mismatch", "the name"},
      {"expired", Issue("x", "IP:127.0.0.1", &Root(), -7200, -3600), &Root(), "127.0.0.1",
       "has expired", "clock"},
      {"not yet valid", Issue("x", "IP:127.0.0.1", &Root(), 3600, 7200), &Root(), "127.0.0.1",
       "not yet valid", "clock"},
      {"expired root", Issue("x", "IP:127.0.0.1", &old_root), &old_root, "127.0.0.1", "has expired",
       "clock"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    std::atomic<int> requests{0};
    TestServer server(
        [&](Peer& peer) {
          if (!peer.ReadRequest().empty()) ++requests;
        },
        &row.leaf);
    ClientOptions options = Options();
    options.ca_bundle = Bundle(*row.root);
    Client client(options);
    const Failure failure = FailureOf(client, Get(server.Url("/", row.host)));
    EXPECT_EQ(FailureCodeName(failure.code), "untrusted");
    EXPECT_FALSE(failure.transient);
    EXPECT_NE(failure.detail.find(row.words), std::string::npos) << failure.detail;
    EXPECT_NE(failure.advice.find(row.advice), std::string::npos) << failure.advice;
    EXPECT_EQ(requests, 0);
  }
}

TEST(Client, SaysWhatIsWrongWithTheNetwork) {
  Client client(Options());
  int port = 0;
  { port = TestServer(Echo).port(); }
  Failure failure = FailureOf(client, Get(Cat("https://127.0.0.1:", port, "/")));
  EXPECT_EQ(failure.code, FailureCode::kNetwork);
  EXPECT_TRUE(failure.transient);
  EXPECT_EQ(failure.detail, Cat("127.0.0.1:", port, ": connection refused"));

  failure = FailureOf(client, Get("https://no-such-host.invalid/"));
  EXPECT_EQ(failure.code, FailureCode::kNetwork);
  EXPECT_NE(failure.detail.find("no-such-host.invalid:443"), std::string::npos) << failure.detail;
}

TEST(Client, RefusesUrlsThatAreNotHttps) {
  ClientOptions strict = Options();
  strict.allow_http_loopback = false;
  Client client(strict);
  for (const char* url : {"http://127.0.0.1/", "http://ca.example/", "ftp://ca.example/"}) {
    const Failure failure = FailureOf(client, Get(url));
    EXPECT_EQ(failure.code, FailureCode::kProtocol) << url;
    EXPECT_NE(failure.detail.find("URL is not https"), std::string::npos) << failure.detail;
  }
  Client lax(Options());
  EXPECT_EQ(FailureOf(lax, Get("http://ca.example/")).code, FailureCode::kProtocol);
  EXPECT_EQ(FailureOf(lax, Get("http://127.0.0.1.example/")).code, FailureCode::kProtocol);
}

TEST(Client, RefusesToSendAHeaderThatWouldBecomeTwo) {
  Client client(Options());
  Request request = Get("https://127.0.0.1:1/");
  request.headers = {{"A", "b\r\nC: d"}};
  EXPECT_EQ(FailureOf(client, request).code, FailureCode::kInternal);
}

TEST(Client, ReusesAConnection) {
  TestServer server(Echo, &Leaf());
  Client client(Options());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.Send(Get(server.Url()), {}).status, 200);
  EXPECT_EQ(server.connections(), 1);
}

TEST(Client, DoesNotReuseWhatMustNotBe) {
  struct Row {
    const char* name;
    std::string answer;
    bool close;
  };
  const Row rows[] = {
      {"Connection: close", "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n",
       false},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false},
      {"bytes after the answer", Ok("x") + Ok("smuggled"), false},
      {"closed while idle", Ok("x"), true},
  };
  for (const Row& row : rows) {
    for (const bool tls : {true, false}) {
      SCOPED_TRACE(row.name);
      TestServer server(
          [&](Peer& peer) {
            while (!peer.ReadRequest().empty()) {
              peer.Write(row.answer);
              if (!row.close) continue;
              peer.CloseNotify();
              return;
            }
          },
          tls ? &Leaf() : nullptr);
      Client client(Options());
      for (int i = 0; i < 3; ++i) {
        EXPECT_NE(client.Send(Get(server.Url()), {}).body, "smuggled");
        std::this_thread::sleep_for(Millis(20));
      }
      EXPECT_EQ(server.connections(), 3);
    }
  }
}

TEST(Client, NeverSendsARequestTwice) {
  // The connection dies when the second request has arrived: it may have been processed.
  std::atomic<int> requests{0};
  TestServer server(
      [&](Peer& peer) {
        while (!peer.ReadRequest().empty()) {
          if (++requests == 2) return peer.Reset();
          peer.Write(Ok("x"));
        }
      },
      &Leaf());
  Client client(Options());
  client.Send(Get(server.Url()), {});
  EXPECT_EQ(FailureOf(client, Get(server.Url())).code, FailureCode::kNetwork);
  EXPECT_EQ(requests, 2);
}

TEST(Client, SendsSideBySideOnConnectionsOfTheirOwn) {
  constexpr int kRequests = 16;
  std::barrier<> together(kRequests);  // nobody is answered before all have asked
  TestServer server(
      [&](Peer& peer) {
        for (std::string request; !(request = peer.ReadRequest()).empty();) {
          together.arrive_and_wait();
          peer.Write(Ok(request.substr(0, request.find('\r'))));
        }
      },
      &Leaf());
  ClientOptions options = Options();
  options.max_idle_connections = 4;
  Client client(options);
  const auto round = [&] {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kRequests; ++i) {
      threads.emplace_back([&, i] {
        const std::string target = Cat("/", i);
        EXPECT_EQ(client.Send(Get(server.Url(target)), {}).body, Cat("GET ", target, " HTTP/1.1"));
      });
    }
  };
  round();
  EXPECT_EQ(server.connections(), kRequests);
  round();
  EXPECT_EQ(server.connections(), 2 * kRequests - 4) << "four were kept";
}

TEST(Client, FirstRequestIsFast) {
  TestServer server(Echo, &Leaf());
  double best = 1;
  for (int i = 0; i < 5; ++i) {
    best = std::min(best, Seconds([&] {
                      Client client(Options());
                      client.Send(Get(server.Url()), {});
                    }));
  }
  RecordProperty("first_request_ms", std::to_string(best * 1000));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(best, 0.03);  // reading every system root costs more than this alone
#endif
}

TEST(Client, TrustsTheSystemsRoots) {
  TestServer server(Echo, &Leaf());
  const char* before = getenv("SSL_CERT_FILE");
  const std::string kept = before == nullptr ? "" : before;
  setenv("SSL_CERT_FILE", Options().ca_bundle.c_str(), 1);
  ClientOptions options = Options();
  options.ca_bundle.clear();
  Client client(options);
  EXPECT_EQ(client.Send(Get(server.Url()), {}).status, 200);
  before == nullptr ? unsetenv("SSL_CERT_FILE") : setenv("SSL_CERT_FILE", kept.c_str(), 1);
}

TEST(Client, RefusesABundleThatIsNone) {
  const Path empty = std::filesystem::temp_directory_path() / Cat("certwright-empty-", getpid());
  std::ofstream(empty) << "nothing here\n";
  const Path broken = std::filesystem::temp_directory_path() / Cat("certwright-broken-", getpid());
  std::ofstream(broken) << Root().Pem()
                        << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  for (const Path& path : {Path("/no/such/bundle.pem"), empty, broken}) {
    ClientOptions options;
    options.ca_bundle = path;
    try {
      Client client(options);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.failure().code, FailureCode::kConfig);
      EXPECT_NE(error.failure().detail.find(path.string()), std::string::npos) << error.what();
    }
  }
  std::filesystem::remove(empty);
  std::filesystem::remove(broken);
}

TEST(LookAt, AsksThisAddressForThatHostAndTrustsNothing) {
  static const Identity other = Issue("anything", "DNS:nobody.example");
  std::string head;
  const auto script = [&](Peer& peer) {
    head = peer.ReadRequest();
    peer.Write("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nhi");
  };
  for (const Identity* identity : {static_cast<const Identity*>(nullptr), &other}) {
    TestServer server(script, identity);
    Request request;
    request.url = server.Url("/path", "host.that.is.nowhere.example");
    const Response response = LookAt(request, "127.0.0.1", Millis(5000), {});
    EXPECT_EQ(response.status, 302) << "not followed";
    EXPECT_EQ(response.body, "hi");
    EXPECT_NE(head.find("Host: host.that.is.nowhere.example:"), std::string::npos) << head;
  }
}

TEST(LookAt, IsBoundInTimeAndSize) {
  TestServer silent([](Peer& peer) { peer.Pause(3000); });
  Request request;
  request.url = silent.Url("/");
  const double took =
      Seconds([&] { EXPECT_THROW(LookAt(request, "127.0.0.1", Millis(200), {}), Error); });
  EXPECT_LT(took, 0.8);
  TestServer large([](Peer& peer) {
    peer.ReadRequest();
    peer.Write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntoo large");
  });
  request.url = large.Url("/");
  request.max_body = 8;
  EXPECT_THROW(LookAt(request, "127.0.0.1", Millis(2000), {}), Error);
}

TEST(PeerCertificate, ShowsWhatTheEndpointShows) {
  static const Identity other = Issue("anything", "DNS:nobody.example");
  TestServer server(Echo, &other);
  EXPECT_EQ(PeerCertificate("127.0.0.1", server.port(), "", Millis(2000)), other.Der());
  EXPECT_EQ(PeerCertificate("localhost", server.port(), "a.example", Millis(2000)), other.Der());
}

TEST(PeerCertificate, EndsAtItsTimeout) {
  TestServer silent([](Peer& peer) { peer.Pause(3000); });
  const double took = Seconds([&] {
    EXPECT_THROW(PeerCertificate("127.0.0.1", silent.port(), "a.example", Millis(200)), Error);
  });
  EXPECT_LT(took, 0.8);
}

}  // namespace
}  // namespace certwright::http
