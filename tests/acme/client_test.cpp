#include "certwright/acme/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certwright/crypto/jws.h"
#include "fake_ca.h"

namespace certwright::acme {
namespace {

using testing::FailureOf;
using testing::FakeCa;
using testing::JsonAnswer;
using testing::kNow;
using testing::NetworkFailure;
using testing::ProblemAnswer;
using testing::Seen;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kUrl[] = "https://ca.test/thing";

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() {
    ca_.before = [this](const Seen& seen) -> std::optional<http::Response> {
      if (seen.kind != "thing" || !thing) return std::nullopt;
      return thing(seen);
    };
  }
  Answer Ask() { return client_.Post(signer_, kUrl, R"({"a":1})", {}); }
  // What the CA answers to a thing next, and ever after.
  void Answers(int status, http::Headers headers, std::string body = "{}") {
    thing = [=](const Seen&) { return http::Response{status, headers, body}; };
  }

  testing::FakeClock clock_;
  FakeCa ca_;
  Client client_{testing::kDirectoryUrl, ca_, clock_};
  Signer signer_{crypto::PrivateKey::Generate(model::KeyType::kEc256), "https://ca.test/account/1"};
  std::function<http::Response(const Seen&)> thing = [](const Seen&) {
    return JsonAnswer(200, json::Value::Object());
  };
};

TEST_F(ClientTest, SignsWithTheAccountsUrlAndTheUrlOfTheRequest) {
  Ask();
  const Seen seen = ca_.Of("thing").at(0);
  EXPECT_EQ(seen.request.method, "POST");
  EXPECT_EQ(seen.request.content_type, "application/jose+json");
  EXPECT_EQ(seen.header.String("alg"), "ES256");
  EXPECT_EQ(seen.header.String("url"), kUrl);
  EXPECT_EQ(seen.header.String("kid"), "https://ca.test/account/1");
  EXPECT_FALSE(seen.header.Has("jwk"));
  EXPECT_EQ(seen.header.String("nonce"), "nonce-1");
  EXPECT_EQ(json::Write(seen.payload), R"({"a":1})");
}

TEST_F(ClientTest, SignsWithTheKeyWhereNoAccountIsKnown) {
  signer_.account_url.clear();
  Ask();
  const Seen seen = ca_.Of("thing").at(0);
  EXPECT_EQ(json::Write(seen.header["jwk"]), crypto::Jwk(signer_.key));
  EXPECT_FALSE(seen.header.Has("kid"));
}

TEST_F(ClientTest, PostAsGetHasAnEmptyPayload) {
  client_.PostAsGet(signer_, kUrl, {}, 1234);
  const Seen seen = ca_.Of("thing").at(0);
  EXPECT_EQ(json::Parse(seen.request.body).String("payload", "none"), "");
  EXPECT_EQ(seen.request.max_body, 1234u);
}

TEST_F(ClientTest, AsksInEnglish) {
  Ask();
  for (const Seen& seen : {ca_.Of("thing").at(0), ca_.Of("directory").at(0)}) {
    EXPECT_THAT(seen.request.headers,
                ::testing::Contains(std::pair<std::string, std::string>("Accept-Language", "en")));
  }
}

TEST_F(ClientTest, FetchesANonceOnlyWhenItHasNone) {
  for (int i = 0; i < 5; ++i) Ask();
  EXPECT_EQ(ca_.Count("nonce"), 1);
  EXPECT_EQ(ca_.Of("nonce").at(0).request.method, "HEAD");
  std::set<std::string> used;
  for (const Seen& seen : ca_.Of("thing")) used.insert(seen.header.String("nonce"));
  EXPECT_EQ(used.size(), 5u) << "each nonce once";
}

TEST_F(ClientTest, TakesTheNonceOfTheDirectorysAnswer) {
  ca_.after = [](const Seen& seen, http::Response& response) {
    if (seen.kind == "directory") response.headers.emplace_back("replay-nonce", "from-directory");
  };
  client_.GetDirectory({});
  Ask();
  EXPECT_EQ(ca_.Count("nonce"), 0);
  EXPECT_EQ(ca_.Of("thing").at(0).header.String("nonce"), "from-directory");
}

TEST_F(ClientTest, TakesTheNonceOfAnAnswerThatRefuses) {
  thing = [](const Seen&) { return ProblemAnswer(403, "caa", "no"); };
  FailureOf([&] { Ask(); });
  FailureOf([&] { Ask(); });
  EXPECT_EQ(ca_.Count("nonce"), 1);
}

TEST_F(ClientTest, UsesTheFreshestNonceAndKeepsAtMost64) {
  // A hundred nonces that nobody uses: the directory is asked for again and again.
  int directories = 0;
  ca_.after = [&](const Seen& seen, http::Response& response) {
    if (seen.kind == "directory") {
      response.headers.emplace_back("replay-nonce", Cat("d", ++directories));
    }
  };
  for (int i = 0; i < 100; ++i) {
    client_.GetDirectory({});
    clock_.Pass(std::chrono::hours(1));
  }
  ASSERT_EQ(directories, 100);
  Answers(200, {{"replay-nonce", "not base64url!"}});  // gives none back
  for (int i = 0; i < 65; ++i) Ask();
  const std::vector<Seen> things = ca_.Of("thing");
  EXPECT_EQ(things.at(0).header.String("nonce"), "d100");
  EXPECT_EQ(things.at(62).header.String("nonce"), "d38");
  EXPECT_EQ(ca_.Count("nonce"), 1) << "the 64 newest, then a new one";
}

TEST_F(ClientTest, IgnoresWhatIsNoNonce) {
  for (const std::string& bad : {std::string("a b"), std::string("a+/="), std::string(1025, 'a'),
                                 std::string("\x1b[31m")}) {
    SCOPED_TRACE(bad.substr(0, 10));
    ca_.Forget();
    Answers(200, {{"replay-nonce", bad}});
    Ask();
    Ask();
    EXPECT_GE(ca_.Count("nonce"), 1) << "not taken from the answer";
    for (const Seen& seen : ca_.Of("thing")) EXPECT_NE(seen.header.String("nonce"), bad);
  }
}

TEST_F(ClientTest, SaysSoWhereTheCaHasNoNonce) {
  struct Row {
    const char* name;
    std::string nonce;
    const char* says;
  };
  for (const Row& row : {Row{"none", "", "no nonce"}, Row{"bad", "a b", "not base64url"},
                         Row{"huge", std::string(5000, 'a'), "not base64url"}}) {
    SCOPED_TRACE(row.name);
    ca_.after = [&](const Seen& seen, http::Response& response) {
      if (seen.kind == "nonce") response.headers = {{"replay-nonce", row.nonce}};
    };
    const Failure failure = FailureOf([&] { Ask(); });
    EXPECT_EQ(failure.code, FailureCode::kProtocol);
    EXPECT_THAT(failure.detail, HasSubstr(row.says));
    EXPECT_EQ(failure.transient, row.nonce.empty()) << "a page of a proxy carries none";
  }
}

TEST_F(ClientTest, RepeatsBadNonceAtOnceWithTheNonceOfThatAnswer) {
  int answers = 0;
  thing = [&](const Seen&) {
    if (++answers <= 3) {
      return ProblemAnswer(400, "badNonce", "old", {{"replay-nonce", Cat("fresh", answers)}});
    }
    return JsonAnswer(200, json::Value::Object({{"ok", true}}));
  };
  EXPECT_TRUE(Ask().Json().Bool("ok"));
  std::vector<std::string> nonces;
  for (const Seen& seen : ca_.Of("thing")) nonces.push_back(seen.header.String("nonce"));
  EXPECT_THAT(nonces, ElementsAre("nonce-1", "fresh1", "fresh2", "fresh3"));
  EXPECT_EQ(ca_.Count("nonce"), 1);
  EXPECT_THAT(clock_.Sleeps(), IsEmpty());
}

TEST_F(ClientTest, GivesUpAfterTenRepeatedNonces) {
  thing = [](const Seen&) { return ProblemAnswer(400, "badNonce", "never"); };
  const Failure failure = FailureOf([&] { Ask(); });
  EXPECT_EQ(ca_.Count("thing"), 11);
  EXPECT_EQ(failure.code, FailureCode::kServer);
  EXPECT_EQ(failure.acme_type, "badNonce");
  EXPECT_TRUE(failure.transient);
}

TEST_F(ClientTest, RepeatsNothingElse) {
  struct Row {
    const char* name;
    int status;
    const char* type;
  };
  for (const Row& row : {Row{"500", 500, "serverInternal"}, Row{"503", 503, ""},
                         Row{"429", 429, "rateLimited"}, Row{"403", 403, "caa"},
                         Row{"409", 409, "conflict"}}) {
    SCOPED_TRACE(row.name);
    ca_.Forget();
    thing = [&](const Seen&) { return ProblemAnswer(row.status, row.type, "no"); };
    FailureOf([&] { Ask(); });
    EXPECT_EQ(ca_.Count("thing"), 1);
  }
  ca_.Forget();
  thing = [](const Seen&) -> http::Response { throw Error(NetworkFailure()); };
  const Failure failure = FailureOf([&] { Ask(); });
  EXPECT_EQ(failure.code, FailureCode::kNetwork);
  EXPECT_TRUE(failure.transient);
  EXPECT_THAT(failure.detail, HasSubstr("the connection was cut"));
  EXPECT_EQ(ca_.Count("thing"), 1);
}

TEST_F(ClientTest, RefusesRedirects) {
  for (const int status : {301, 302, 303, 307, 308, 304, 199}) {
    SCOPED_TRACE(status);
    ca_.Forget();
    Answers(status, {{"location", "https://elsewhere.test/"}});
    const Failure failure = FailureOf([&] { Ask(); });
    EXPECT_EQ(failure.code, FailureCode::kProtocol);
    EXPECT_THAT(failure.detail, HasSubstr(Cat(status)));
    EXPECT_EQ(ca_.Requests().back().kind, "thing");
  }
}

TEST_F(ClientTest, RefusesARedirectOfTheDirectory) {
  ca_.before = [](const Seen&) {
    return http::Response{302, {{"location", "https://elsewhere.test/"}}, ""};
  };
  EXPECT_THAT(FailureOf([&] { client_.GetDirectory({}); }).advice, HasSubstr("acme.directory"));
  EXPECT_EQ(ca_.Requests().size(), 1u);
}

TEST_F(ClientTest, ReadsEveryFormOfRetryAfter) {
  struct Row {
    const char* name;
    std::string value;
    std::int64_t seconds;  // -1: none
  };
  const Row rows[] = {
      {"none", "", -1},
      {"seconds", "5", 5},
      {"blanks around", "  7 ", 7},
      {"zero", "0", 0},
      {"a day", "86400", 86400},
      {"more than a day", "86401", 86400},
      {"huge", "99999999999999999999999999", 86400},
      {"date", "Fri, 15 Jan 2027 08:01:40 GMT", 100},
      {"date gone by", "Thu, 01 Jan 1970 00:00:00 GMT", 0},
      {"date far away", "Fri, 15 Jan 2100 08:00:00 GMT", 86400},
      {"negative", "-5", -1},
      {"plus", "+5", -1},
      {"fraction", "1.5", -1},
      {"words", "soon", -1},
      {"hex", "0x10", -1},
      {"two", "1, 2", -1},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Answers(200, {{"retry-after", row.value}});
    const auto retry_after = Ask().retry_after;
    EXPECT_EQ(retry_after ? retry_after->count() : -1000, row.seconds * 1000);
  }
}

TEST_F(ClientTest, TellsWhenARefusedRequestMayComeAgain) {
  thing = [](const Seen&) {
    return ProblemAnswer(429, "rateLimited", "too many", {{"retry-after", "3600"}});
  };
  const Failure failure = FailureOf([&] { Ask(); });
  EXPECT_EQ(failure.code, FailureCode::kRateLimited);
  EXPECT_EQ(failure.retry_at, kNow + 3600);
  EXPECT_THAT(failure.detail, HasSubstr("too many"));
}

TEST_F(ClientTest, SaysTheStatusWhereNoProblemIsSent) {
  for (const std::string& body : {std::string("<html>502</html>"), std::string(), std::string("["),
                                  std::string(100, '[')}) {
    Answers(502, {}, body);
    const Failure failure = FailureOf([&] { Ask(); });
    EXPECT_EQ(failure.code, FailureCode::kServer);
    EXPECT_TRUE(failure.transient);
    EXPECT_THAT(failure.detail, HasSubstr("502 without a problem document at https://ca.test/"));
    EXPECT_THAT(failure.advice, HasSubstr("try again later"));
  }
}

TEST_F(ClientTest, FindsAlternateChainsInLinkHeaders) {
  struct Row {
    const char* name;
    std::vector<std::string> fields;
    std::vector<std::string> urls;
  };
  const Row rows[] = {
      {"none", {}, {}},
      {"index only", {R"(<https://ca.test/directory>;rel="index")"}, {}},
      {"one", {R"(<https://ca.test/1>;rel="alternate")"}, {"https://ca.test/1"}},
      {"without quotes", {R"(<https://ca.test/1>; rel=alternate)"}, {"https://ca.test/1"}},
      {"two fields",
       {R"(<https://ca.test/1>;rel="alternate")", R"(<https://ca.test/2>;rel="alternate")"},
       {"https://ca.test/1", "https://ca.test/2"}},
      {"two in one field",
       {R"(<https://ca.test/1>;rel="alternate", <https://ca.test/d>;rel="index",)"
        R"( <https://ca.test/2>; title="x"; rel="alternate")"},
       {"https://ca.test/1", "https://ca.test/2"}},
      {"no end", {"<https://ca.test/1"}, {}},
      {"garbage", {";;;rel=\"alternate\"", "", "<>"}, {}},
      // Odd, but no reason to be without a certificate that was issued.
      {"relative", {R"(</cert/1>;rel="alternate")"}, {}},
      {"http", {R"(<http://ca.test/1>;rel="alternate", <https://ca.test/2>;rel="alternate")"},
       {"https://ca.test/2"}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    http::Headers headers;
    for (const std::string& field : row.fields) headers.emplace_back("link", field);
    Answers(200, headers);
    EXPECT_EQ(Ask().alternates, row.urls);
  }
}

TEST_F(ClientTest, TakesNoMoreThanTenAlternates) {
  http::Headers headers;
  for (int i = 0; i < 50; ++i) {
    headers.emplace_back("link", Cat("<https://ca.test/", i, ">;rel=\"alternate\""));
  }
  Answers(200, headers);
  EXPECT_EQ(Ask().alternates.size(), 10u);
}

TEST_F(ClientTest, ChecksTheUrlInLocation) {
  Answers(201, {{"location", "https://other.test/order/1"}});
  EXPECT_EQ(Ask().location, "https://other.test/order/1");
  for (const char* bad : {"http://ca.test/order/1", "/order/1", "https://ca.test/\n"}) {
    Answers(201, {{"location", bad}});
    EXPECT_EQ(FailureOf([&] { Ask(); }).code, FailureCode::kProtocol) << bad;
  }
}

TEST_F(ClientTest, KeepsTheDirectoryForAnHour) {
  client_.GetDirectory({});
  clock_.Pass(std::chrono::minutes(59));
  client_.GetDirectory({});
  EXPECT_EQ(ca_.Count("directory"), 1);
  clock_.Pass(std::chrono::minutes(2));
  client_.GetDirectory({});
  EXPECT_EQ(ca_.Count("directory"), 2);
  EXPECT_EQ(ca_.Of("directory").at(0).request.method, "GET");
}

TEST_F(ClientTest, AsksAgainForADirectoryThatCouldNotBeRead) {
  bool broken = true;
  ca_.before = [&](const Seen&) -> std::optional<http::Response> {
    if (broken) return testing::HtmlAnswer();
    return std::nullopt;
  };
  const Failure failure = FailureOf([&] { client_.GetDirectory({}); });
  EXPECT_EQ(failure.code, FailureCode::kProtocol);
  EXPECT_TRUE(failure.transient);
  EXPECT_THAT(failure.detail, HasSubstr("an HTML page"));
  broken = false;
  EXPECT_EQ(client_.GetDirectory({}).new_order, "https://ca.test/new-order");
}

TEST_F(ClientTest, TellsWhichAnswerRefused) {
  thing = [](const Seen&) { return ProblemAnswer(409, "conflict", "no"); };
  try {
    Ask();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const AnswerError& error) {
    EXPECT_EQ(error.status(), 409);
    EXPECT_EQ(error.url(), kUrl);
    EXPECT_EQ(error.failure().acme_type, "conflict");
  }
}

class RenewalWindowTest : public ClientTest {
 protected:
  RenewalWindowTest() { ca_.renewal_info = true; }
  std::optional<model::RenewalWindow> Window() { return client_.GetRenewalWindow(kCertId, {}); }
  void Instead(std::function<http::Response()> answer) {
    ca_.before = [answer](const Seen& seen) -> std::optional<http::Response> {
      if (seen.kind != "renewalInfo") return std::nullopt;
      return answer();
    };
  }

  // RFC 9773 section 4.1.
  const std::string kCertId = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
};

TEST_F(RenewalWindowTest, IsAskedForWithoutAnAccount) {
  ca_.explanation_url = "https://ca.test/why";
  ca_.renewal_retry_after = "21600";
  const auto window = Window();
  ASSERT_TRUE(window.has_value());
  EXPECT_EQ(FormatUtc(window->start), "2027-03-01T00:00:00Z");
  EXPECT_EQ(FormatUtc(window->end), "2027-03-03T00:00:00Z");
  EXPECT_EQ(window->explanation_url, "https://ca.test/why");
  EXPECT_EQ(window->retry_after, std::chrono::hours(6));

  const http::Request request = ca_.Of("renewalInfo").at(0).request;
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.url, "https://ca.test/renewal-info/aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
  EXPECT_EQ(request.body, "");
  EXPECT_EQ(request.content_type, "");
  EXPECT_EQ(request.max_body, 64u * 1024);
  EXPECT_THAT(request.headers,
              ElementsAre(std::pair<std::string, std::string>("Accept-Language", "en")));
  EXPECT_EQ(ca_.Count("nonce"), 0);
  EXPECT_EQ(ca_.Requests().size(), 2u);
}

TEST_F(RenewalWindowTest, IsNoneWhereTheCaHasNoRenewalInfo) {
  ca_.renewal_info = false;
  EXPECT_FALSE(Window().has_value());
  EXPECT_EQ(ca_.Count("renewalInfo"), 0);
}

TEST_F(RenewalWindowTest, IsAskedForAtTheDirectorysUrlAsItStands) {
  ca_.after = [](const Seen& seen, http::Response& answer) {
    if (seen.kind != "directory") return;
    testing::SetMember(answer, "renewalInfo", "https://other.test/renewal-info/acme/v1");
  };
  EXPECT_TRUE(Window().has_value());
  EXPECT_EQ(ca_.Of("renewalInfo").at(0).request.url,
            "https://other.test/renewal-info/acme/v1/" + kCertId);
}

TEST_F(RenewalWindowTest, ReadsRetryAfterAsElsewhere) {
  struct Row {
    const char* value;
    std::int64_t seconds;  // -1: none
  };
  for (const Row& row :
       {Row{"", -1}, Row{"0", 0}, Row{"21600", 21600}, Row{"-1", -1}, Row{"soon", -1},
        Row{"99999999999999999999", 86400}, Row{"Fri, 15 Jan 2027 08:01:40 GMT", 100}}) {
    SCOPED_TRACE(row.value);
    ca_.renewal_retry_after = row.value;
    const auto retry_after = Window()->retry_after;
    EXPECT_EQ(retry_after ? retry_after->count() : -1000, row.seconds * 1000);
  }
}

TEST_F(RenewalWindowTest, IsRefusedInTheCasOwnWordsAndAskedForOnce) {
  struct Row {
    const char* name;
    http::Response answer;
    FailureCode code;
    bool transient;
    const char* says;
    UnixSeconds retry_at;
  };
  const Row rows[] = {
      {"unknown", ProblemAnswer(404, "malformed", "no such certificate"), FailureCode::kRefused,
       false, "the CA said malformed: no such certificate", 0},
      {"a page",
       {404, {}, "<html>"},
       FailureCode::kRefused,
       false,
       "404 without a problem document at https://ca.test/renewal-info/aYhba4",
       0},
      {"too many", ProblemAnswer(429, "rateLimited", "slower", {{"retry-after", "60"}}),
       FailureCode::kRateLimited, true, "slower", kNow + 60},
      {"a fault", ProblemAnswer(500, "serverInternal", "oops"), FailureCode::kServer, true, "oops",
       0},
      {"busy",
       {503, {{"retry-after", "7200"}}, ""},
       FailureCode::kServer,
       true,
       "503",
       kNow + 7200},
      {"a redirect",
       {302, {{"location", "https://ca.test/x"}}, ""},
       FailureCode::kProtocol,
       false,
       "302",
       0},
      {"HTML", testing::HtmlAnswer(), FailureCode::kProtocol, true, "an HTML page", 0},
      {"nothing", {200, {}, ""}, FailureCode::kProtocol, true, "where JSON is expected", 0},
      {"a key twice",
       {200, {}, R"({"suggestedWindow":{},"suggestedWindow":{}})"},
       FailureCode::kProtocol,
       true,
       "where JSON is expected",
       0},
      {"too deep",
       {200, {}, std::string(100, '[')},
       FailureCode::kProtocol,
       true,
       "where JSON is expected",
       0},
      {"no window", JsonAnswer(200, json::Value::Object()), FailureCode::kProtocol, false,
       "without a suggestedWindow", 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    ca_.Forget();
    Instead([&] { return row.answer; });
    const Failure failure = FailureOf([&] { Window(); });
    EXPECT_EQ(failure.code, row.code);
    EXPECT_EQ(failure.transient, row.transient);
    EXPECT_THAT(failure.detail, HasSubstr(row.says));
    EXPECT_EQ(failure.retry_at, row.retry_at);
    EXPECT_EQ(ca_.Count("renewalInfo"), 1);
    EXPECT_THAT(clock_.Sleeps(), IsEmpty());
  }
}

TEST_F(RenewalWindowTest, FailsOnceWhereTheNetworkIsGone) {
  Instead([]() -> http::Response { throw Error(NetworkFailure()); });
  const Failure failure = FailureOf([&] { Window(); });
  EXPECT_EQ(failure.code, FailureCode::kNetwork);
  EXPECT_TRUE(failure.transient);
  EXPECT_THAT(failure.detail, HasSubstr("the CA cannot be reached"));
  EXPECT_EQ(ca_.Count("renewalInfo"), 1);
}

// Whatever stands in the store: nothing but one segment is added to the CA's URL.
TEST_F(RenewalWindowTest, IsNotAskedForWithoutACertId) {
  for (const char* bad : {"", ".", "aki", "aki.", ".serial", "a.b.c", "../a.b", "a.b/c", "a.b?c",
                          "a.b c", "a.b\r\nX: y", "a=.b"}) {
    SCOPED_TRACE(bad);
    const Failure failure = FailureOf([&] { client_.GetRenewalWindow(bad, {}); });
    EXPECT_EQ(failure.code, FailureCode::kInput);
    EXPECT_FALSE(failure.transient);
    EXPECT_EQ(failure.detail, Printable(failure.detail, 2000));
  }
  EXPECT_THAT(ca_.Requests(), IsEmpty());
}

TEST_F(RenewalWindowTest, StopsBeforeItAsks) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(FailureOf([&] { client_.GetRenewalWindow(kCertId, stop.get_token()); }).code,
            FailureCode::kCancelled);
}

TEST_F(ClientTest, StopsBeforeItAsks) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(FailureOf([&] { client_.Post(signer_, kUrl, "", stop.get_token()); }).code,
            FailureCode::kCancelled);
}

}  // namespace
}  // namespace certwright::acme
