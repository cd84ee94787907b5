#include <gtest/gtest.h>

#include "certwright/base/error.h"
#include "certwright/http/client.h"

namespace certwright::http {
namespace {

TEST(ParseUrl, TakesUrlsApart) {
  struct Row {
    const char* text;
    const char* scheme;
    const char* host;
    int port;
    const char* target;
  };
  const Row rows[] = {
      {"https://ca.example/directory", "https", "ca.example", 443, "/directory"},
      {"HTTPS://CA.Example", "https", "ca.example", 443, "/"},
      {"https://ca.example:14000/a?b=c&d", "https", "ca.example", 14000, "/a?b=c&d"},
      {"https://ca.example?x", "https", "ca.example", 443, "/?x"},
      {"https://ca.example./x", "https", "ca.example", 443, "/x"},
      {"http://[::1]:80/x", "http", "::1", 80, "/x"},
      {"http://[2001:DB8::1]", "http", "2001:db8::1", 80, "/"},
      {"https://under_score.example/%41:@/", "https", "under_score.example", 443, "/%41:@/"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const Url url = ParseUrl(row.text);
    EXPECT_EQ(url.scheme, row.scheme);
    EXPECT_EQ(url.host, row.host);
    EXPECT_EQ(url.port, row.port);
    EXPECT_EQ(url.target, row.target);
  }
}

TEST(ParseUrl, RefusesWhatIsNone) {
  using namespace std::string_literals;
  for (const std::string& text : {""s,
                                  "x"s,
                                  "/directory"s,
                                  "//ca.example/"s,
                                  "https:/ca.example"s,
                                  "file:///etc/passwd"s,
                                  "https://"s,
                                  "https:///x"s,
                                  "https://:443/"s,
                                  "https://user@ca.example/"s,
                                  "https://a:b@ca.example/"s,
                                  "https://ca.example/#x"s,
                                  "https://ca.example/a b"s,
                                  "https://ca.example/a\r\nHost: x"s,
                                  "https://ca.example/\0"s,
                                  "https://ca.example/\x7f"s,
                                  "https://m\xc3\xbc.example/"s,
                                  "https://ca.example:/"s,
                                  "https://ca.example:0/"s,
                                  "https://ca.example:65536/"s,
                                  "https://ca.example:4x/"s,
                                  "https://ca.example:-1/"s,
                                  "https://[::1/"s,
                                  "https://[::1]x/"s,
                                  "https://[1.2.3.4]/"s,
                                  "https://::1/"s,
                                  "https://ca%2eexample/"s,
                                  "https://ca.example\\@evil/"s,
                                  "https://" + std::string(254, 'a') + "/",
                                  "https://a/" + std::string(9000, 'a')}) {
    try {
      ParseUrl(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.failure().code, FailureCode::kProtocol) << text;
    }
  }
}

TEST(IsLoopback, KnowsTheOwnMachine) {
  for (const char* url :
       {"http://127.0.0.1/", "http://127.9.9.9:80/", "http://[::1]/", "http://localhost/"}) {
    EXPECT_TRUE(IsLoopback(ParseUrl(url))) << url;
  }
  for (const char* url : {"http://128.0.0.1/", "http://[::2]/", "http://localhost.example/",
                          "http://127.0.0.1.example/", "http://0.0.0.0/", "http://127.1/"}) {
    EXPECT_FALSE(IsLoopback(ParseUrl(url))) << url;
  }
}

}  // namespace
}  // namespace certwright::http
