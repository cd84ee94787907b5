#include "certwright/challenge/http01_responder.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/http/client.h"

namespace certwright::challenge {
namespace {

constexpr const char* kToken = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";
constexpr const char* kPrefix = "/.well-known/acme-challenge/";

class Http01ResponderTest : public ::testing::Test {
 protected:
  Http01ResponderTest() : responder_({{"127.0.0.1", 0}, 16, Millis(1000)}, SystemClock()) {
    http::ClientOptions options;
    options.allow_http_loopback = true;
    client_ = std::make_unique<http::Client>(options);
  }
  http::Response Fetch(const std::string& target, const std::string& method = "GET") {
    http::Request request;
    request.method = method;
    request.url = Cat("http://127.0.0.1:", responder_.port(), target);
    return client_->Send(request, {});
  }
  static double Seconds(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  // `after` runs when the answer was handed over, which the caller may see before.
  void WaitForFetches(int count) {
    for (int i = 0; i < 200 && responder_.Fetches(kToken) < count; ++i) {
      std::this_thread::sleep_for(Millis(5));
    }
    EXPECT_EQ(responder_.Fetches(kToken), count);
  }
  Http01Responder responder_;
  std::unique_ptr<http::Client> client_;
};

TEST_F(Http01ResponderTest, OpensItsPortWhenThereIsSomethingToAnswer) {
  EXPECT_EQ(responder_.port(), 0);
  responder_.Present(kToken, "key");
  const int port = responder_.port();
  EXPECT_NE(port, 0);
  responder_.Listen();
  EXPECT_EQ(responder_.port(), port);
}

TEST_F(Http01ResponderTest, AnswersALiveTokenWithItsKeyAuthorization) {
  responder_.Present(kToken, Cat(kToken, ".thumb"));
  const http::Response response = Fetch(Cat(kPrefix, kToken));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, Cat(kToken, ".thumb"));
  EXPECT_EQ(response.Header("content-type"), "application/octet-stream");  // RFC 8555 section 8.3
  responder_.Withdraw(kToken);
  responder_.Withdraw("unknown");
  EXPECT_EQ(Fetch(Cat(kPrefix, kToken)).status, 404);
}

TEST_F(Http01ResponderTest, AnswersATokenAsLongAsOneOrderNeedsIt) {
  responder_.Present(kToken, "key");
  responder_.Present(kToken, "key");
  responder_.Withdraw(kToken);
  EXPECT_EQ(Fetch(Cat(kPrefix, kToken)).status, 200);
  responder_.Withdraw(kToken);
  EXPECT_EQ(Fetch(Cat(kPrefix, kToken)).status, 404);
}

TEST_F(Http01ResponderTest, AnswersNothingElse) {
  responder_.Present(kToken, "SECRET");
  responder_.Present("", "SECRET");
  std::string other_case = kToken;
  other_case[0] = 'l';
  struct Row {
    const char* name;
    std::string target;
  };
  const Row rows[] = {
      {"root", "/"},
      {"empty token", kPrefix},
      {"no slash", "/.well-known/acme-challenge"},
      {"beginning of a token", Cat(kPrefix, std::string(kToken).substr(0, 20))},
      {"token and more", Cat(kPrefix, kToken, "x")},
      {"token and slash", Cat(kPrefix, kToken, "/")},
      {"dots", Cat(kPrefix, "../acme-challenge/", kToken)},
      {"dots to the root", Cat(kPrefix, "../../etc/passwd")},
      {"double slash", Cat("//.well-known/acme-challenge/", kToken)},
      {"encoded", Cat(kPrefix, "%4coqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0")},
      {"other case of the path", Cat("/.Well-Known/acme-challenge/", kToken)},
      {"other case of the token", Cat(kPrefix, other_case)},
      {"other directory", Cat("/x", kPrefix, kToken)},
      {"token in the query", Cat(kPrefix, "?", kToken)},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const http::Response response = Fetch(row.target);
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.body.find("SECRET"), std::string::npos);
  }
  EXPECT_EQ(Fetch(Cat(kPrefix, kToken), "POST").status, 405);
  EXPECT_EQ(responder_.Fetches(kToken), 0);
}

TEST_F(Http01ResponderTest, CountsFetchesOfWholeAnswersOnly) {
  responder_.Present(kToken, "key");
  Fetch(Cat(kPrefix, kToken), "HEAD");
  Fetch(Cat(kPrefix, kToken));
  Fetch(Cat(kPrefix, kToken));
  WaitForFetches(2);
  responder_.Present(kToken, "key");  // the same order carried on
  EXPECT_EQ(responder_.Fetches(kToken), 2);
  responder_.Present(kToken, "another key");
  EXPECT_EQ(responder_.Fetches(kToken), 0);
  EXPECT_EQ(responder_.Fetches("unknown"), 0);
}

TEST_F(Http01ResponderTest, WakesWhenAllTokensWereFetchedAndAllIsQuiet) {
  responder_.Present(kToken, "key");
  responder_.Present("second-token-0000", "key");
  std::jthread ca([&] {
    std::this_thread::sleep_for(Millis(30));
    Fetch(Cat(kPrefix, kToken));
    std::this_thread::sleep_for(Millis(30));
    Fetch(Cat(kPrefix, "second-token-0000"));
    std::this_thread::sleep_for(Millis(50));
    Fetch(Cat(kPrefix, kToken));  // from another place, within the quiet time
  });
  const double took = Seconds([&] {
    EXPECT_TRUE(
        responder_.WaitFetched({kToken, "second-token-0000"}, Millis(100), Millis(5000), {}));
  });
  EXPECT_GT(took, 0.20);  // 110 ms and the quiet after the last
  EXPECT_LT(took, 1.0);
}

TEST_F(Http01ResponderTest, DoesNotWaitForWhatHasHappened) {
  responder_.Present(kToken, "key");
  Fetch(Cat(kPrefix, kToken));
  WaitForFetches(1);
  std::this_thread::sleep_for(Millis(50));
  EXPECT_LT(
      Seconds([&] { EXPECT_TRUE(responder_.WaitFetched({kToken}, Millis(40), Millis(5000), {})); }),
      0.03);
}

TEST_F(Http01ResponderTest, TellsEachFetchOnce) {
  const std::vector<std::string> both = {kToken, "second-token-0000"};
  for (const std::string& token : both) responder_.Present(token, "key");
  for (const std::string& token : both) Fetch(Cat(kPrefix, token));
  EXPECT_TRUE(responder_.WaitFetched(both, Millis(10), Millis(5000), {}));
  EXPECT_FALSE(responder_.WaitFetched(both, Millis(10), Millis(50), {})) << "that is known";
  std::jthread ca([&] {
    std::this_thread::sleep_for(Millis(50));
    Fetch(Cat(kPrefix, kToken));  // from another place, later
  });
  EXPECT_LT(Seconds([&] {
              EXPECT_TRUE(responder_.WaitFetched(both, Millis(10), Millis(5000), {}));
            }),
            1.0);
  EXPECT_FALSE(responder_.WaitFetched(both, Millis(10), Millis(50), {}));
}

TEST_F(Http01ResponderTest, GivesUpAtTheTimeout) {
  responder_.Present(kToken, "key");
  for (const std::vector<std::string>& tokens :
       {std::vector<std::string>{kToken}, {kToken, "unknown"}}) {
    const double took =
        Seconds([&] { EXPECT_FALSE(responder_.WaitFetched(tokens, Millis(50), Millis(100), {})); });
    EXPECT_GE(took, 0.1);
    EXPECT_LT(took, 0.5);
  }
}

TEST_F(Http01ResponderTest, StopsWaitingWhenToldTo) {
  responder_.Present(kToken, "key");
  std::stop_source source;
  std::jthread later([&] {
    std::this_thread::sleep_for(Millis(30));
    source.request_stop();
  });
  EXPECT_LT(Seconds([&] {
              EXPECT_FALSE(
                  responder_.WaitFetched({kToken}, Millis(50), Millis(5000), source.get_token()));
            }),
            0.5);
}

TEST_F(Http01ResponderTest, EndsWhileItIsAsked) {
  for (int i = 0; i < 20; ++i) {
    Http01Responder responder({{"127.0.0.1", 0}, 16, Millis(1000)}, SystemClock());
    responder.Present(kToken, "key");
    std::jthread caller([&, port = responder.port()] {
      http::Request request;
      request.url = Cat("http://127.0.0.1:", port, kPrefix, kToken);
      try {
        client_->Send(request, {});
      } catch (const Error&) {
      }
    });
    std::this_thread::sleep_for(std::chrono::microseconds(i * 50));
  }
}

}  // namespace
}  // namespace certwright::challenge
