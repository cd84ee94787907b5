#include "certwright/http/local_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "raw_connection.h"

namespace certwright::http {
namespace {

using test::RawConnection;

class LocalSocketTest : public ::testing::Test {
 protected:
  LocalSocketTest() {
    char name[] = "/tmp/certwright-socket-XXXXXX";
    dir_ = mkdtemp(name);
    path_ = dir_ / "api.sock";
  }
  ~LocalSocketTest() override { std::filesystem::remove_all(dir_); }

  SocketServerOptions Options() const {
    SocketServerOptions options;
    options.path = path_;
    options.max_body = 1000;
    options.threads = 8;
    return options;
  }
  int Send(const Request& request) {
    lines_.clear();
    return SendToSocket(path_, request, [&](std::string_view line) { lines_.emplace_back(line); });
  }
  static Request Post(const std::string& url, const std::string& body) {
    Request request;
    request.method = "POST";
    request.url = url;
    request.body = body;
    request.content_type = "application/json";
    return request;
  }
  std::string Raw(std::string_view request) {
    RawConnection connection(path_);
    connection.Send(request);
    return connection.ReadAll();
  }
  mode_t Mode() const {
    struct stat info {};
    return lstat(path_.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  }

  Path dir_;
  Path path_;
  std::vector<std::string> lines_;
};

void EchoHandler(const ServerRequest& request, ServerReply& reply) {
  std::string text =
      Cat(request.method, " ", request.target, " ", request.Header("x-test"), " ", request.body);
  for (const auto& [name, value] : request.headers) {
    if (name.find("addr") != std::string::npos) text += " " + name;
  }
  reply.Whole(201, "application/json", text, {{"X-Echo", "yes"}});
}

TEST_F(LocalSocketTest, CarriesARequestAndItsAnswer) {
  const SocketServer server(Options(), EchoHandler);
  Request request = Post("http://unix/v1/do?a=b%20c", "{\"x\":1}\n2");
  request.headers = {{"X-Test", "yes"}};
  EXPECT_EQ(Send(request), 201);
  EXPECT_EQ(lines_, (std::vector<std::string>{"POST /v1/do?a=b%20c yes {\"x\":1}", "2"}));
  Request get;
  get.url = "/only/a/path";
  EXPECT_EQ(Send(get), 201);
  EXPECT_EQ(lines_, std::vector<std::string>{"GET /only/a/path  "});
}

TEST_F(LocalSocketTest, EveryMethodReachesTheHandlerAndItsHeadersTheCaller) {
  const SocketServer server(Options(), EchoHandler);
  for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"}) {
    const std::string answer =
        Raw(Cat(method, " /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 201")) << answer;
    EXPECT_NE(answer.find("X-Echo: yes\r\n"), answer.npos) << answer;
    EXPECT_NE(answer.find(Cat(method, " /x")), answer.npos) << answer;
  }
  const std::string head = Raw("HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 201")) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << "no body: " << head;
}

TEST_F(LocalSocketTest, SendsEachLineWhileTheWorkGoesOn) {
  std::atomic<int> seen{0};
  const SocketServer server(Options(), [&](const ServerRequest&, ServerReply& reply) {
    reply.StartLines(202, "application/x-ndjson");
    for (int i = 0; i < 5; ++i) {
      EXPECT_TRUE(reply.Line(Cat("{\"step\":", i, "}")));
      // The next line is made only when this one has arrived.
      for (int wait = 0; wait < 400 && seen <= i; ++wait) std::this_thread::sleep_for(Millis(5));
      EXPECT_EQ(seen, i + 1);
    }
  });
  Request request = Post("/stream", "");
  std::vector<std::string> lines;
  EXPECT_EQ(SendToSocket(path_, request,
                         [&](std::string_view line) {
                           lines.emplace_back(line);
                           ++seen;
                         }),
            202);
  EXPECT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[4], "{\"step\":4}");
}

TEST_F(LocalSocketTest, TellsTheHandlerThatTheCallerIsGone) {
  std::atomic<int> sent{0};
  std::atomic<bool> told{false};
  {
    const SocketServer server(Options(), [&](const ServerRequest&, ServerReply& reply) {
      reply.StartLines(200, "application/x-ndjson");
      for (; sent < 500; ++sent) {
        if (!reply.Line("x")) break;
        std::this_thread::sleep_for(Millis(2));
      }
      told = sent < 500;
    });
    RawConnection connection(path_);
    connection.Send("GET / HTTP/1.1\r\n\r\n");
    while (sent < 3) std::this_thread::sleep_for(Millis(2));
    connection.Close();
  }
  EXPECT_TRUE(told);
}

TEST_F(LocalSocketTest, ReportsAnAnswerThatEndsEarly) {
  const SocketServer server(Options(), [](const ServerRequest&, ServerReply& reply) {
    reply.StartLines(200, "application/x-ndjson");
    reply.Line("one");
    throw std::runtime_error("secret text");
  });
  try {
    Send(Post("/", ""));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().code, FailureCode::kNetwork);
  }
  EXPECT_EQ(lines_, std::vector<std::string>{"one"});
}

TEST_F(LocalSocketTest, KeepsAnExceptionsTextToItself) {
  const SocketServer server(Options(), [](const ServerRequest& request, ServerReply&) {
    if (request.target == "/throw") throw std::runtime_error("secret text");
  });
  for (const char* path : {"/throw", "/no-answer"}) {
    const std::string answer = Raw(Cat("GET ", path, " HTTP/1.1\r\n\r\n"));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 500")) << answer;
    EXPECT_EQ(answer.find("secret"), std::string::npos) << answer;
  }
}

TEST_F(LocalSocketTest, RefusesBodiesThatAreNotBounded) {
  std::atomic<int> calls{0};
  const SocketServer server(Options(), [&](const ServerRequest&, ServerReply& reply) {
    ++calls;
    reply.Whole(200, "text/plain", "");
  });
  struct Row {
    const char* name;
    std::string request;
    int status;
  };
  const Row rows[] = {
      {"chunked", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 501},
      {"gzip", "POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\na", 415},
      {"no length", "POST / HTTP/1.1\r\n\r\n", 411},
      {"two lengths", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 411},
      {"no number", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
      {"too long", Cat("POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", std::string(1001, 'a')),
       413},
      {"long path", Cat("GET /", std::string(8100, 'a'), " HTTP/1.1\r\n\r\n"), 414},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string answer = Raw(row.request);
    EXPECT_TRUE(answer.starts_with(Cat("HTTP/1.1 ", row.status))) << answer;
  }
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(Send(Post("/", std::string(1000, 'a'))), 200);
}

// What curl calls a body that nobody named.
TEST_F(LocalSocketTest, ABodyThatIsSaidToBeAFormIsABodyLikeAnother) {
  SocketServerOptions options = Options();
  options.max_body = 100'000;
  const SocketServer server(options, EchoHandler);
  Request request = Post("/form", std::string(50'000, 'a'));
  request.content_type = "application/x-www-form-urlencoded";
  EXPECT_EQ(Send(request), 201);
  request.content_type = "multipart/form-data; boundary=x";
  EXPECT_EQ(Send(request), 201);
}

TEST_F(LocalSocketTest, SaysWhatItIsToldOfWhatItRefuses) {
  SocketServerOptions options = Options();
  options.refusal = [](int status) { return SocketRefusal{"text/x-test", Cat("no: ", status)}; };
  const SocketServer server(options, EchoHandler);
  const std::string answer =
      Raw(Cat("POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", std::string(1001, 'a')));
  EXPECT_NE(answer.find("Content-Type: text/x-test"), answer.npos) << answer;
  EXPECT_TRUE(answer.ends_with("no: 413")) << answer;
}

TEST_F(LocalSocketTest, ServesOneRequestAConnection) {
  const SocketServer server(Options(), EchoHandler);
  const std::string answer = Raw("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
  EXPECT_NE(answer.find("GET /a"), std::string::npos);
  EXPECT_EQ(answer.find("GET /b"), std::string::npos);
}

TEST_F(LocalSocketTest, HasExactlyItsModeWhateverTheUmask) {
  for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{077}}) {
    const mode_t before = umask(mask);
    for (const mode_t mode : {mode_t{0600}, mode_t{0660}, mode_t{0666}}) {
      SocketServerOptions options = Options();
      options.mode = mode;
      const SocketServer server(options, EchoHandler);
      EXPECT_EQ(Mode(), mode);
    }
    umask(before);
  }
}

TEST_F(LocalSocketTest, NamesAGroupThatIsNotThere) {
  SocketServerOptions options = Options();
  options.group = "no-such-group-here";
  try {
    const SocketServer server(options, EchoHandler);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().code, FailureCode::kConfig);
    EXPECT_NE(error.failure().detail.find("no-such-group-here"), std::string::npos);
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(LocalSocketTest, RemovesItsFileAtTheEndAndAStaleOneAtTheStart) {
  { const SocketServer server(Options(), EchoHandler); }
  EXPECT_FALSE(std::filesystem::exists(path_));
  {
    Fd stale(socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.c_str(), path_.native().size());
    ASSERT_EQ(bind(stale.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  EXPECT_FALSE(SocketAnswers(path_));
  const SocketServer server(Options(), EchoHandler);
  EXPECT_TRUE(SocketAnswers(path_));
}

TEST_F(LocalSocketTest, LeavesAnotherProcessesSocketAlone) {
  const SocketServer first(Options(), EchoHandler);
  try {
    const SocketServer second(Options(), EchoHandler);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().code, FailureCode::kBusy);
  }
  EXPECT_EQ(Send(Post("/", "x")), 201);
}

TEST_F(LocalSocketTest, DoesNotRemoveAFileThatIsNoSocket) {
  std::ofstream(path_) << "precious";
  EXPECT_THROW(SocketServer(Options(), EchoHandler), Error);
  EXPECT_EQ(ReadFile(path_), "precious");
}

TEST_F(LocalSocketTest, SaysThatNobodyAnswers) {
  EXPECT_FALSE(SocketAnswers(path_));
  try {
    Send(Post("/", ""));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.failure().code, FailureCode::kNetwork);
    EXPECT_TRUE(error.failure().transient);
    EXPECT_NE(error.failure().detail.find(path_.string()), std::string::npos);
  }
}

// What may be sent once more without harm: that of which nobody can have done anything.
TEST_F(LocalSocketTest, SaysWhetherAnythingOfAnAnswerCame) {
  const struct {
    const char* name;
    const char* answer;
    bool stays;
    bool transient;
  } kTable[] = {
      {"closed at once", "", false, true},
      {"silent for too long", "", true, false},
      {"cut in the status line", "HTT", false, false},
      {"cut after the headers", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", false, false},
      {"no HTTP", "hello\r\n\r\n", false, false},
  };
  for (const auto& row : kTable) {
    Fd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.string().copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(listen(listener.get(), 1), 0);
    std::jthread peer([&](std::stop_token stop) {
      Fd caller(accept(listener.get(), nullptr, nullptr));
      char request[4096];
      recv(caller.get(), request, sizeof request, 0);
      send(caller.get(), row.answer, std::strlen(row.answer), MSG_NOSIGNAL);
      while (row.stays && !stop.stop_requested()) std::this_thread::sleep_for(Millis(5));
    });
    try {
      SendToSocket(path_, Post("/", "x"), [](std::string_view) {}, Millis(row.stays ? 100 : 5'000));
      ADD_FAILURE() << row.name;
    } catch (const Error& error) {
      EXPECT_EQ(error.failure().transient, row.transient) << row.name << ": " << error.what();
    }
    std::filesystem::remove(path_);
  }
}

TEST_F(LocalSocketTest, AnswersManyAtOnceAndWaitsForThemAtItsEnd) {
  std::atomic<int> done{0};
  std::vector<std::jthread> callers;
  {
    const SocketServer server(Options(), [&](const ServerRequest&, ServerReply& reply) {
      std::this_thread::sleep_for(Millis(20));
      ++done;
      reply.Whole(200, "text/plain", "ok");
    });
    std::atomic<int> answered{0};
    for (int i = 0; i < 40; ++i) {
      callers.emplace_back(
          [&] { answered += SendToSocket(path_, Post("/", "x"), [](std::string_view) {}) == 200; });
    }
    for (auto& caller : callers) caller.join();
    EXPECT_EQ(answered, 40);
  }
  EXPECT_EQ(done, 40);
}

TEST_F(LocalSocketTest, FinishesAnAnswerUnderWayAtItsEnd) {
  // Again and again: the end must also come between the choice of lines and the first of them.
  for (int round = 0; round < 100; ++round) {
    std::atomic<bool> started{false};
    std::vector<std::string> lines;
    std::jthread caller;
    {
      const SocketServer server(Options(), [&](const ServerRequest&, ServerReply& reply) {
        reply.StartLines(200, "application/x-ndjson");
        started = true;
        for (int i = 0; i < 3; ++i) reply.Line("x");
      });
      caller = std::jthread([&] {
        try {
          SendToSocket(path_, Post("/", ""),
                       [&](std::string_view line) { lines.emplace_back(line); });
        } catch (const Error& error) {
          ADD_FAILURE() << error.what();
        }
      });
      while (!started) std::this_thread::yield();
    }
    caller.join();
    ASSERT_EQ(lines.size(), 3u);
  }
}

}  // namespace
}  // namespace certwright::http
