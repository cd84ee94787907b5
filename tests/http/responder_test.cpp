#include "certwright/http/responder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <list>
#include <thread>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "raw_connection.h"

namespace certwright::http {
namespace {

using test::RawConnection;

class ResponderTest : public ::testing::Test {
 protected:
  Responder Make(std::size_t connections = 256, Millis timeout = Millis(2000)) {
    ResponderOptions options;
    options.listen = {"127.0.0.1", 0};
    options.max_connections = connections;
    options.connection_timeout = timeout;
    return Responder(options, [this](const std::string& path) {
      paths_.push_back(path);
      Responder::Reply reply;
      if (path == "/throw") throw std::runtime_error("x");
      if (path == "/large") reply.answer = {200, "text/plain", std::string(4097, 'x')};
      if (path == "/good") reply.answer = {200, "text/plain", "body"};
      reply.after = [this] { ++afters_; };
      return reply;
    });
  }
  static std::string Ask(const Responder& responder, std::string_view request) {
    RawConnection connection(responder.port());
    connection.Send(request);
    return connection.ReadAll();
  }
  std::vector<std::string> paths_;  // written by the responder's thread, read after its answer
  std::atomic<int> afters_{0};
};

TEST_F(ResponderTest, AnswersAGoodRequest) {
  const Responder responder = Make();
  EXPECT_EQ(Ask(responder, "GET /good?x=y HTTP/1.1\r\nHost: x\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n"
            "Connection: close\r\n\r\nbody");
  EXPECT_EQ(paths_, std::vector<std::string>{"/good"});
  EXPECT_EQ(afters_, 1);
}

TEST_F(ResponderTest, SendsNoBodyAfterHeadAndCountsNoFetch) {
  const Responder responder = Make();
  const std::string answer = Ask(responder, "HEAD /good HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("Content-Length: 4\r\nConnection: close\r\n\r\n")) << answer;
  EXPECT_EQ(afters_, 0);
}

TEST_F(ResponderTest, RefusesWhatIsNoPlainRequest) {
  struct Row {
    const char* name;
    std::string request;
    int status;
  };
  const Row rows[] = {
      {"POST", "POST /good HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 405},
      {"unknown method", "BREW /good HTTP/1.1\r\n\r\n", 405},
      {"lower case", "get /good HTTP/1.1\r\n\r\n", 400},
      {"HTTP/0.9", "GET /good\r\n", 400},
      {"HTTP/2", "GET /good HTTP/2.0\r\n\r\n", 400},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"absolute form", "GET http://x/good HTTP/1.1\r\n\r\n", 400},
      {"asterisk", "GET * HTTP/1.1\r\n\r\n", 400},
      {"blank in the target", "GET /a b HTTP/1.1\r\n\r\n", 400},
      {"NUL in the target", std::string("GET /a\0 HTTP/1.1\r\n\r\n", 20), 400},
      {"control character", "GET /\x1b HTTP/1.1\r\n\r\n", 400},
      {"bare CR", "GET /a\rb HTTP/1.1\r\n\r\n", 400},
      {"empty line", "\r\n\r\n", 400},
      {"TLS hello", "\x16\x03\x01\x02\r\n", 400},
      {"unknown path", "GET /other HTTP/1.1\r\n\r\n", 404},
      {"handler throws", "GET /throw HTTP/1.1\r\n\r\n", 500},
      {"answer over 4 KiB", "GET /large HTTP/1.1\r\n\r\n", 500},
      {"1 MB request line", Cat("GET /", std::string(1 << 20, 'a')), 414},
      {"1 MB header", Cat("GET /good HTTP/1.1\r\nA: ", std::string(1 << 20, 'a')), 431},
      {"many headers", Cat("GET /good HTTP/1.1\r\n", std::string(8192, '\r'), "A:\r\n\r\n"), 431},
  };
  const Responder responder = Make();
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string answer = Ask(responder, row.request);
    // A megabyte is not read to its end: a reset may overtake the answer.
    if (row.request.size() < 10'000 || !answer.empty()) {
      EXPECT_TRUE(answer.starts_with(Cat("HTTP/1.1 ", row.status, " "))) << answer;
    }
  }
  EXPECT_TRUE(Ask(responder, "POST / HTTP/1.1\r\n\r\n").find("Allow: GET, HEAD") !=
              std::string::npos);
}

TEST_F(ResponderTest, AnswersOneRequestAndLooksAtNothingBehindIt) {
  const Responder responder = Make();
  const std::string answer =
      Ask(responder, "GET /good HTTP/1.1\r\n\r\nGET /good HTTP/1.1\r\n\r\n\x01garbage\r\n");
  EXPECT_EQ(answer.find("HTTP/1.1", 8), std::string::npos);
  EXPECT_TRUE(answer.ends_with("body"));
  EXPECT_EQ(paths_.size(), 1u);
}

TEST_F(ResponderTest, TakesARequestInSinglePieces) {
  const Responder responder = Make();
  RawConnection connection(responder.port());
  for (const char c : std::string("GET /good HTTP/1.1\r\nA: b\r\n\r\n")) {
    connection.Send({&c, 1});
    std::this_thread::sleep_for(Millis(1));
  }
  EXPECT_TRUE(connection.ReadAll().ends_with("body"));
}

TEST_F(ResponderTest, IsNotBlockedByIdleConnections) {
  const Responder responder = Make(64);
  std::list<RawConnection> idle;
  for (int i = 0; i < 300; ++i) idle.emplace_back(responder.port());
  EXPECT_TRUE(Ask(responder, "GET /good HTTP/1.1\r\n\r\n").ends_with("body"));
  idle.front().ReadAll(1000);
  EXPECT_TRUE(idle.front().closed());  // the oldest made room
  idle.back().Send("GET /good HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(idle.back().ReadAll().ends_with("body"));  // the youngest did not
}

TEST_F(ResponderTest, CutsASlowSenderAtTheDeadline) {
  const Responder responder = Make(256, Millis(200));
  RawConnection connection(responder.port());
  const auto start = std::chrono::steady_clock::now();
  std::string text = "GET /good HTTP/1.1\r\nA: ";
  while (connection.Send("a")) {
    std::this_thread::sleep_for(Millis(10));
    ASSERT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  }
  EXPECT_GT(std::chrono::steady_clock::now() - start, Millis(150));
}

TEST_F(ResponderTest, CutsACallerThatNeverHangsUp) {
  const Responder responder = Make(256, Millis(200));
  RawConnection connection(responder.port());
  connection.Send("GET /good HTTP/1.1\r\n\r\n");
  connection.ReadAll();
  std::this_thread::sleep_for(Millis(300));
  connection.Send("x");
  std::this_thread::sleep_for(Millis(20));
  EXPECT_FALSE(connection.Send("x"));
}

TEST_F(ResponderTest, SaysWhyItCannotListen) {
  const Responder responder = Make();
  ResponderOptions options;
  options.listen = {"127.0.0.1", responder.port()};
  try {
    const Responder second(options, nullptr);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().code, FailureCode::kConfig);
    EXPECT_EQ(error.failure().detail,
              Cat("cannot listen on 127.0.0.1:", responder.port(), ": address already in use"));
    EXPECT_NE(error.failure().advice.find("http01.listen"), std::string::npos);
  }
  options.listen = {"192.0.2.1", 0};
  EXPECT_THROW(Responder(options, nullptr), Error);
}

TEST_F(ResponderTest, ListensOnBothFamilies) {
  ResponderOptions options;
  options.listen = ParseEndpoint(":0");
  const Responder responder(options, [](const std::string&) { return Responder::Reply{}; });
  EXPECT_TRUE(Ask(responder, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
}

TEST(ParseEndpoint, TakesAddressesWithPorts) {
  struct Row {
    const char* text;
    const char* host;
    int port;
  };
  for (const Row& row :
       {Row{"127.0.0.1:9180", "127.0.0.1", 9180}, Row{"[::]:80", "::", 80},
        Row{"[::1]:0", "::1", 0}, Row{":80", "::", 80}, Row{"0.0.0.0:65535", "0.0.0.0", 65535}}) {
    const Endpoint endpoint = ParseEndpoint(row.text);
    EXPECT_EQ(endpoint.host, row.host);
    EXPECT_EQ(endpoint.port, row.port);
  }
  for (const char* text :
       {"", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:80", "[::1]",
        "[127.0.0.1]:80", "localhost:80", "127.0.0.1:-1", "127.0.0.1: 80"}) {
    EXPECT_THROW(ParseEndpoint(text), Error) << text;
  }
}

}  // namespace
}  // namespace certwright::http
