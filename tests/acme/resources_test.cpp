#include "certwright/acme/resources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certwright/base/text.h"
#include "fakes.h"

namespace certwright::acme {
namespace {

using testing::FailureOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<model::Identifier> kNames = {{model::IdentifierType::kDns, "a.test"},
                                               {model::IdentifierType::kDns, "b.test"}};

constexpr char kDirectory[] =
    R"({"newNonce":"https://ca.test/n","newAccount":"https://ca.test/a",
        "newOrder":"https://other.test/o"})";
constexpr char kOrder[] =
    R"({"status":"pending","identifiers":[{"type":"dns","value":"b.test"},
        {"type":"dns","value":"A.test"}],"authorizations":["https://ca.test/1","https://ca.test/2"],
        "finalize":"https://ca.test/f"})";
constexpr char kAuthorization[] =
    R"({"identifier":{"type":"dns","value":"a.test"},"status":"pending","challenges":[
        {"type":"http-01","url":"https://ca.test/c","token":"0123456789abcdefABCDEF","status":"pending"}]})";
constexpr char kChallenge[] =
    R"({"type":"http-01","url":"https://ca.test/c","token":"0123456789abcdefABCDEF"})";

// `text` with one member replaced (or added), or removed where `json` is "".
json::Value With(const char* text, const std::string& key, const std::string& json) {
  json::Value body = json::Parse(text);
  if (!json.empty()) return body.Set(key, json::Parse(json, {.max_bytes = 1 << 22}));
  json::Members kept;
  for (const json::Member& member : body.Fields()) {
    if (member.first != key) kept.push_back(member);
  }
  return json::Value::FromMembers(std::move(kept));
}

struct Row {
  const char* name;
  std::string key;
  std::string json;  // "" : the member is missing
  std::string says;  // part of the error; "" : it is legal
};

template <typename Parse>
void Check(const std::vector<Row>& rows, const char* good, const Parse& parse) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const json::Value body = With(good, row.key, row.json);
    if (row.says.empty()) {
      EXPECT_NO_THROW(parse(body));
      continue;
    }
    const Failure failure = FailureOf([&] { parse(body); });
    EXPECT_EQ(failure.code, FailureCode::kProtocol);
    EXPECT_THAT(failure.detail, HasSubstr(row.says));
    EXPECT_FALSE(failure.advice.empty());
    EXPECT_FALSE(failure.transient);
    EXPECT_EQ(failure.detail, Printable(failure.detail, 2000));
  }
}

TEST(Urls, MustBeHttpsAndWhole) {
  const std::vector<Row> rows = {
      {"https", "url", R"("https://ca.test/x?y=1")", ""},
      {"port", "url", R"("https://ca.test:14000/x")", ""},
      {"upper case scheme", "url", R"("HTTPS://ca.test/x")", ""},
      {"missing", "url", "", "no text where the URL"},
      {"null", "url", "null", "no text where the URL"},
      {"number", "url", "7", "no text where the URL"},
      {"empty", "url", R"("")", "no text where the URL"},
      {"array", "url", R"(["https://ca.test/x"])", "no text where the URL"},
      {"http", "url", R"("http://ca.test/x")", "the URL that is not https"},
      {"http to loopback", "url", R"("http://127.0.0.1/x")", "the URL that is not https"},
      {"file", "url", R"("file:///etc/passwd")", "the URL"},
      {"relative", "url", R"("/x")", "the URL"},
      {"no host", "url", R"("https:///x")", "the URL"},
      {"user info", "url", R"("https://u:p@ca.test/x")", "the URL"},
      {"newline", "url", R"("https://ca.test/x\r\nHost: evil")", "the URL"},
      {"NUL", "url", R"("https://ca.test/\u0000")", "the URL"},
      {"too long", "url", '"' + ("https://ca.test/" + std::string(2049, 'x')) + '"', "2048 bytes"},
  };
  Check(rows, "{}", [](const json::Value& body) { CheckedUrl(body["url"], {}, "the URL"); });
}

TEST(Urls, MayBePlainOnLoopbackWhereThatIsAllowed) {
  const UrlPolicy policy{.allow_http_loopback = true};
  EXPECT_EQ(CheckedUrl("http://127.0.0.1:4001/dir", policy, "x"), "http://127.0.0.1:4001/dir");
  EXPECT_EQ(CheckedUrl("http://localhost/dir", policy, "x"), "http://localhost/dir");
  EXPECT_EQ(FailureOf([&] { CheckedUrl("http://ca.test/dir", policy, "x"); }).code,
            FailureCode::kProtocol);
  EXPECT_EQ(FailureOf([&] { CheckedUrl("ftp://127.0.0.1/dir", policy, "x"); }).code,
            FailureCode::kProtocol);
}

TEST(DirectoryResource, IsReadOrRefused) {
  const std::vector<Row> rows = {
      {"no newNonce", "newNonce", "", "the directory's newNonce URL"},
      {"no newAccount", "newAccount", "", "the directory's newAccount URL"},
      {"no newOrder", "newOrder", "", "the directory's newOrder URL"},
      {"newOrder is a number", "newOrder", "1", "newOrder"},
      {"newOrder over http", "newOrder", R"("http://ca.test/o")", "not https"},
      {"revokeCert over http", "revokeCert", R"("http://ca.test/o")", "not https"},
      {"renewalInfo is an object", "renewalInfo", "{}", "renewalInfo"},
      {"keyChange null", "keyChange", "null", ""},
      {"meta null", "meta", "null", ""},
      {"meta is a text", "meta", R"("x")", ""},
      {"profiles null", "meta", R"({"profiles":null})", ""},
      {"unknown members", "newAuthz", R"({"deep":[1,2,{"x":null}]})", ""},
  };
  Check(rows, kDirectory, [](const json::Value& body) { ParseDirectory(body, {}); });
  for (const char* text : {"null", "[]", "7", R"("https://ca.test")"}) {
    SCOPED_TRACE(text);
    EXPECT_THAT(FailureOf([&] { ParseDirectory(json::Parse(text), {}); }).detail,
                HasSubstr("no JSON object"));
  }
}

TEST(DirectoryResource, KeepsWhatItSays) {
  json::Value body = json::Parse(kDirectory);
  body.Set("keyChange", "https://ca.test/k");
  body.Set("renewalInfo", "https://ca.test/ari");
  body.Set("meta", json::Parse(R"({"termsOfService":"https://ca.test/tos\u001b[31m",
      "externalAccountRequired":true,"profiles":{"classic":"a","shortlived":"b"}})"));
  const Directory directory = ParseDirectory(body, {});
  EXPECT_EQ(directory.new_order, "https://other.test/o");
  EXPECT_EQ(directory.key_change, "https://ca.test/k");
  EXPECT_EQ(directory.renewal_info, "https://ca.test/ari");
  EXPECT_EQ(directory.revoke_cert, "");
  EXPECT_EQ(directory.terms_of_service, "https://ca.test/tos?[31m");
  EXPECT_TRUE(directory.external_account_required);
  EXPECT_THAT(directory.profiles, ElementsAre("classic", "shortlived"));
}

TEST(OrderResource, IsReadOrRefused) {
  std::string many = "[";
  for (int i = 0; i < 10'000; ++i) many += R"("https://ca.test/z",)";
  many.back() = ']';
  const std::string other = R"({"type":"dns","value":"c.test"})";
  const std::string a = R"({"type":"dns","value":"a.test"})";
  const std::string b = R"({"type":"dns","value":"b.test"})";
  const std::vector<Row> rows = {
      {"as asked", "expires", R"("2027-01-01T00:00:00Z")", ""},
      {"no status", "status", "", "an order without a status"},
      {"status null", "status", "null", "an order without a status"},
      {"status unknown", "status", R"("great\u001b[1m")", "unknown status 'great?[1m'"},
      {"status in upper case", "status", R"("Pending")", "unknown status"},
      {"no identifiers", "identifiers", "", "other identifiers than asked: none"},
      {"identifiers null", "identifiers", "null", "other identifiers than asked: none"},
      {"one missing", "identifiers", "[" + a + "]", "other identifiers than asked: a.test"},
      {"one more", "identifiers", "[" + a + "," + b + "," + other + "]", "c.test"},
      {"another", "identifiers", "[" + a + "," + other + "]", "c.test"},
      {"one twice", "identifiers", "[" + a + "," + a + "]", "other identifiers"},
      {"other type", "identifiers", R"([{"type":"email","value":"a@b"}])", "of the type 'email'"},
      {"a name as ip", "identifiers", R"([{"type":"ip","value":"a.test"}])", "no IP address"},
      {"identifier without value", "identifiers", R"([{"type":"dns"}])", "without an identifier"},
      {"identifier is a text", "identifiers", R"(["a.test"])", "without an identifier"},
      {"no authorizations", "authorizations", "", "without authorizations"},
      {"empty authorizations", "authorizations", "[]", "without authorizations"},
      {"authorizations is a text", "authorizations", R"("https://ca.test/1")", "without auth"},
      {"ten thousand", "authorizations", many, "10000 authorizations for 2 names"},
      {"one more than names", "authorizations",
       R"(["https://ca.test/1","https://ca.test/2","https://ca.test/3"])", "3 authorizations"},
      {"authorization over http", "authorizations", R"(["http://ca.test/1"])", "not https"},
      {"authorization is a number", "authorizations", "[1]", "an authorization's URL"},
      {"one shared", "authorizations", R"(["https://ca.test/1"])", ""},
      {"no finalize", "finalize", "", "the order's finalize URL"},
      {"finalize over http", "finalize", R"("http://ca.test/f")", "not https"},
      {"valid without certificate", "status", R"("valid")", "without a certificate URL"},
      {"error null", "error", "null", ""},
      {"error is a text", "error", R"("x")", ""},
  };
  Check(rows, kOrder, [](const json::Value& body) { ParseOrder(body, kNames, {}); });
}

TEST(OrderResource, HasItsCertificateOnlyWhereItIsValid) {
  json::Value body = With(kOrder, "certificate", R"("https://ca.test/cert")");
  EXPECT_EQ(ParseOrder(body, kNames, {}).certificate, "");
  body.Set("status", "valid");
  EXPECT_EQ(ParseOrder(body, kNames, {}).certificate, "https://ca.test/cert");
  for (const json::Value& bad : {json::Value("http://ca.test/cert"), json::Value(1), json::Value()}) {
    body.Set("certificate", bad);
    EXPECT_EQ(FailureOf([&] { ParseOrder(body, kNames, {}); }).code, FailureCode::kProtocol);
  }
}

TEST(OrderResource, ComparesAddressesNotTheirSpelling) {
  const std::vector<model::Identifier> asked = {model::ParseIdentifier("2001:db8::7")};
  json::Value body = With(kOrder, "identifiers", R"([{"type":"ip","value":"2001:DB8:0:0::7"}])");
  body.Set("authorizations", json::Array{"https://ca.test/1"});
  EXPECT_EQ(ParseOrder(body, asked, {}).identifiers, asked);
}

TEST(ChallengeResource, IsReadOrRefused) {
  const auto text = [](const std::string& token) { return '"' + token + '"'; };
  const std::string rule = "16 to 512 characters of base64url";
  const std::vector<Row> rows = {
      {"as it should", "validated", R"("2027-01-01T00:00:00Z")", ""},
      {"shortest", "token", text(std::string(16, 'a')), ""},
      {"longest", "token", text(std::string(512, 'a')), ""},
      {"all of the alphabet", "token", text("AZaz09-_AZaz09-_"), ""},
      {"no token", "token", "", "without a token"},
      {"token null", "token", "null", "without a token"},
      {"token is a number", "token", "1234567890123456", "without a token"},
      {"empty", "token", text(""), rule},
      {"too short", "token", text(std::string(15, 'a')), rule},
      {"too long", "token", text(std::string(513, 'a')), rule},
      {"a megabyte", "token", text(std::string(1 << 20, 'a')), rule},
      {"path traversal", "token", text("../../../etc/passwd"), rule},
      {"slash", "token", text("0123456789abcdef/x"), rule},
      {"dot", "token", text("0123456789abcdef.x"), rule},
      {"newline", "token", text("0123456789abcdef\\n"), rule},
      {"NUL", "token", text("0123456789abcdef\\u0000"), rule},
      {"quotes", "token", text("0123456789abcdef\\\""), rule},
      {"padding", "token", text("0123456789abcdef=="), rule},
      {"blank", "token", text("0123456789 abcdef"), rule},
      {"not ASCII", "token", text("0123456789abcdef\\u00e9"), rule},
      {"no url", "url", "", "the challenge's URL"},
      {"url over http", "url", R"("http://ca.test/c")", "not https"},
      {"status unknown", "status", R"("odd")", "unknown status"},
      {"status is a number", "status", "1", "without a status"},
      {"error null", "error", "null", ""},
  };
  Check(rows, kChallenge, [](const json::Value& body) { ParseHttp01Challenge(body, {}); });
}

TEST(AuthorizationResource, IsReadOrRefused) {
  std::string many = "[";
  for (int i = 0; i < 65; ++i) many += R"({"type":"x"},)";
  many.back() = ']';
  const std::vector<Row> rows = {
      {"wildcard false", "wildcard", "false", ""},
      {"expires is a number", "expires", "17", ""},
      {"no identifier", "identifier", "", "without an identifier"},
      {"identifier null", "identifier", "null", "without an identifier"},
      {"empty value", "identifier", R"({"type":"dns","value":""})", "without an identifier"},
      {"value is a number", "identifier", R"({"type":"dns","value":1})", "without an identifier"},
      {"no status", "status", "", "an authorization without a status"},
      {"unknown status", "status", R"("maybe")", "unknown status 'maybe'"},
      {"no challenges", "challenges", "", ""},
      {"challenges null", "challenges", "null", ""},
      {"too many challenges", "challenges", many, "65 challenges"},
      {"only others, without token", "challenges",
       R"([{"type":"dns-persist-01","status":"odd"},{"type":"dns-01"},{"type":7},null,"x"])", ""},
      {"http-01 with a bad token", "challenges",
       R"([{"type":"http-01","url":"https://ca.test/c","token":"../../../../x/y"}])", "a token"},
      {"http-01 over http", "challenges",
       R"([{"type":"http-01","url":"http://ca.test/c","token":"0123456789abcdef"}])", "not https"},
  };
  Check(rows, kAuthorization, [](const json::Value& body) { ParseAuthorization(body, {}); });
}

TEST(AuthorizationResource, FindsHttp01AmongOthersInAnyOrder) {
  const std::string persist = R"({"type":"dns-persist-01","url":7})";
  const std::string http = R"({"type":"http-01","url":"https://ca.test/c","token":"0123456789abcdef",
      "status":"invalid","error":{"type":"urn:ietf:params:acme:error:dns","detail":"no A"}})";
  for (const std::string& list : {persist + "," + http, http + "," + persist}) {
    const Authorization authorization =
        ParseAuthorization(With(kAuthorization, "challenges", "[" + list + "]"), {});
    ASSERT_TRUE(authorization.http01.has_value());
    EXPECT_EQ(authorization.http01->token, "0123456789abcdef");
    EXPECT_EQ(authorization.http01->status, Status::kInvalid);
    EXPECT_EQ(authorization.offered.size(), 2u);
    ASSERT_TRUE(authorization.error.has_value());
    EXPECT_EQ(authorization.error->acme_type, "dns");
  }
}

TEST(AuthorizationResource, SaysThatItIsForAWildcard) {
  const Authorization authorization =
      ParseAuthorization(With(kAuthorization, "wildcard", "true"), {});
  EXPECT_TRUE(authorization.wildcard);
  EXPECT_EQ(authorization.identifier.value, "a.test");
}

TEST(Statuses, HaveTheNamesOfTheStandard) {
  for (const char* name : {"pending", "processing", "ready", "invalid", "deactivated", "expired",
                           "revoked"}) {
    const json::Value body = With(kOrder, "status", Cat('"', name, '"'));
    EXPECT_EQ(StatusName(ParseOrder(body, kNames, {}).status), name);
  }
}

TEST(Problems, BecomeFailures) {
  struct ProblemRow {
    const char* type;
    int status;
    FailureCode code;
    bool transient;
    const char* advice;  // part of it
  };
  const ProblemRow rows[] = {
      {"rateLimited", 429, FailureCode::kRateLimited, true, "wait"},
      {"rateLimited", 400, FailureCode::kRateLimited, true, "wait"},
      {"", 429, FailureCode::kRateLimited, true, ""},
      {"serverInternal", 500, FailureCode::kServer, true, ""},
      {"", 503, FailureCode::kServer, true, ""},
      {"rejectedIdentifier", 403, FailureCode::kRefused, false, "no certificate for this name"},
      {"caa", 403, FailureCode::kRefused, false, "CAA"},
      {"dns", 400, FailureCode::kRefused, false, "A and AAAA"},
      {"connection", 400, FailureCode::kRefused, false, "port 80"},
      {"userActionRequired", 403, FailureCode::kRefused, false, "a person"},
      {"externalAccountRequired", 403, FailureCode::kRefused, false, "acme.eab_kid"},
      {"accountDoesNotExist", 400, FailureCode::kRefused, false, "account register"},
      {"malformed", 400, FailureCode::kRefused, false, ""},
      {"somethingNew", 418, FailureCode::kRefused, false, ""},
  };
  for (const ProblemRow& row : rows) {
    SCOPED_TRACE(Cat(row.type, " ", row.status));
    const Failure failure = FailureFromProblem(
        json::Value::Object({{"type", Cat("urn:ietf:params:acme:error:", row.type)},
                             {"detail", "because"}}),
        row.status);
    EXPECT_EQ(failure.code, row.code);
    EXPECT_EQ(failure.transient, row.transient);
    EXPECT_EQ(failure.acme_type, row.type);
    EXPECT_THAT(failure.detail, HasSubstr("because"));
    EXPECT_THAT(failure.advice, HasSubstr(row.advice));
  }
}

TEST(Problems, NameTheLinkThatAPersonIsToFollow) {
  const Failure failure = FailureFromProblem(
      json::Value::Object({{"type", "urn:ietf:params:acme:error:userActionRequired"},
                           {"detail", "the terms have changed"},
                           {"instance", "https://ca.test/terms\x1b[31m"}}),
      403);
  EXPECT_THAT(failure.advice, HasSubstr("follow the link it gives: https://ca.test/terms"));
  EXPECT_EQ(failure.advice.find('\x1b'), std::string::npos);
}

TEST(Problems, KeepTheWordsOfTheCaWithoutWhatATerminalObeys) {
  const Failure failure = FailureFromProblem(
      json::Parse(R"({"type":"urn:ietf:params:acme:error:mal\u0007formed",
        "detail":"line\nnext \u001b]0;owned\u0007 \u0000 \u202e end","identifier":
        {"type":"dns","value":"a\u001b.test"},"subproblems":[{"type":"https://x.test/y\u009b",
        "detail":"\u0085","identifier":{"value":"b\r.test"}}, 7, null]})"),
      400);
  for (const std::string& text :
       {failure.acme_type, failure.detail, failure.identifiers.at(0), failure.identifiers.at(1),
        failure.subproblems.at(0).type, failure.subproblems.at(0).detail,
        failure.subproblems.at(0).identifier}) {
    EXPECT_EQ(text, Printable(text, 2000));
  }
  EXPECT_THAT(failure.detail, HasSubstr("line next"));
}

TEST(Problems, AreBounded) {
  json::Value many = json::Array{};
  for (int i = 0; i < 1000; ++i) {
    many.Append(json::Value::Object(
        {{"detail", std::string(5000, 'x')},
         {"identifier", json::Value::Object({{"value", Cat(i, ".test")}})}}));
  }
  const Failure failure = FailureFromProblem(
      json::Value::Object({{"detail", std::string(100'000, 'y')}, {"subproblems", many}}), 400);
  EXPECT_EQ(failure.subproblems.size(), 100u);
  EXPECT_EQ(failure.identifiers.size(), 100u);
  EXPECT_LE(failure.detail.size(), 700u);
  EXPECT_LE(failure.subproblems.front().detail.size(), 410u);
}

TEST(Problems, NameTheSubproblemsAndTheirNames) {
  const Failure failure = FailureFromProblem(
      json::Parse(R"({"type":"urn:ietf:params:acme:error:malformed","detail":"some are wrong",
        "subproblems":[{"type":"urn:ietf:params:acme:error:caa","detail":"no",
        "identifier":{"type":"dns","value":"b.test"}}]})"),
      403);
  ASSERT_EQ(failure.subproblems.size(), 1u);
  EXPECT_EQ(failure.subproblems[0], (Subproblem{"caa", "no", "b.test"}));
  EXPECT_THAT(failure.identifiers, ElementsAre("b.test"));
}

TEST(Problems, OfWrongTypesSayAtLeastTheStatus) {
  for (const char* text : {"null", "[]", "{}", R"({"type":7,"detail":{}})", R"("text")"}) {
    SCOPED_TRACE(text);
    const Failure failure = FailureFromProblem(json::Parse(text), 403);
    EXPECT_EQ(failure.code, FailureCode::kRefused);
    EXPECT_THAT(failure.detail, HasSubstr("403"));
  }
}

constexpr char kRenewalInfo[] =
    R"({"suggestedWindow":{"start":"2027-03-01T00:00:00Z","end":"2027-03-03T00:00:00Z"}})";

TEST(RenewalInfoResource, IsReadOrRefused) {
  const auto window = [](const std::string& start, const std::string& end) {
    return Cat(R"({"start":)", start, R"(,"end":)", end, "}");
  };
  const auto from = [&](const std::string& start) {
    return window(Cat('"', start, '"'), R"("2027-03-03T00:00:00Z")");
  };
  const auto until = [&](const std::string& end) {
    return window(R"("2027-03-01T00:00:00Z")", Cat('"', end, '"'));
  };
  const char* const key = "suggestedWindow";
  const std::vector<Row> rows = {
      {"as it is", "odd", R"({"deep":[null]})", ""},
      {"fractions", key, from("2027-03-01T00:00:00.123456789Z"), ""},
      {"lower case", key, from("2027-03-01t00:00:00z"), ""},
      {"an offset", key, from("2027-03-01T05:30:00+05:30"), ""},
      {"a window gone by", key, window(R"("2001-01-01T00:00:00Z")", R"("2001-01-02T00:00:00Z")"),
       ""},
      {"the first of 2000", key, from("2000-01-01T00:00:00Z"), ""},
      {"the last of 9999", key, until("9999-12-31T23:59:59Z"), ""},
      {"a second long", key, until("2027-03-01T00:00:01Z"), ""},
      {"members more", key,
       R"({"start":"2027-03-01T00:00:00Z","end":"2027-03-03T00:00:00Z","x":[]})", ""},
      {"no window", key, "", "without a suggestedWindow"},
      {"null", key, "null", "without a suggestedWindow"},
      {"a text", key, R"("2027-03-01T00:00:00Z")", "without a suggestedWindow"},
      {"an array", key, R"(["2027-03-01T00:00:00Z","2027-03-03T00:00:00Z"])",
       "without a suggestedWindow"},
      {"empty", key, "{}", "without the text 'start'"},
      {"no start", key, R"({"end":"2027-03-03T00:00:00Z"})", "without the text 'start'"},
      {"no end", key, R"({"start":"2027-03-03T00:00:00Z"})", "without the text 'end'"},
      {"start is a number", key, window("1800000000", R"("2027-03-03T00:00:00Z")"),
       "without the text 'start'"},
      {"end is null", key, window(R"("2027-03-01T00:00:00Z")", "null"), "without the text 'end'"},
      {"end is an object", key, window(R"("2027-03-01T00:00:00Z")", "{}"),
       "without the text 'end'"},
      {"start empty", key, from(""), "start is no RFC 3339 date: ''"},
      {"start in words", key, from("next week"), "no RFC 3339 date: 'next week'"},
      {"a date only", key, from("2027-03-01"), "start is no RFC 3339 date"},
      {"no offset", key, from("2027-03-01T00:00:00"), "start is no RFC 3339 date"},
      {"an HTTP date", key, from("Mon, 01 Mar 2027 00:00:00 GMT"), "start is no RFC 3339 date"},
      {"something behind it", key, from("2027-03-01T00:00:00Z "), "start is no RFC 3339 date"},
      {"NUL behind it", key, from("2027-03-01T00:00:00Z\\u0000"), "start is no RFC 3339 date"},
      {"a fraction of nothing", key, from("2027-03-01T00:00:00.Z"), "start is no RFC 3339 date"},
      {"no such day", key, until("2027-02-30T00:00:00Z"), "end is no RFC 3339 date"},
      {"no such hour", key, until("2027-03-03T24:00:00Z"), "end is no RFC 3339 date"},
      {"five digits", key, until("10000-01-01T00:00:00Z"), "end is no RFC 3339 date"},
      {"escape sequences", key, from("\\u001b[31m2027\\n"), "no RFC 3339 date: '?[31m2027 '"},
      {"a megabyte", key, from(std::string(1 << 20, '2')), "start is no RFC 3339 date"},
      {"before 2000", key, from("1999-12-31T23:59:59Z"), "start is not between the years 2000 and"},
      {"before 1970", key, from("1960-01-01T00:00:00Z"), "start is not between the years 2000 and"},
      {"year 1", key, from("0001-01-01T00:00:00Z"), "start is not between the years 2000 and"},
      {"after 9999", key, until("9999-12-31T23:59:59-00:01"), "end is not between the years 2000"},
      {"ends as it starts", key, until("2027-03-01T00:00:00Z"), "no later than it starts"},
      {"ends as it starts, elsewhere", key, until("2027-03-01T01:00:00+01:00"),
       "(2027-03-01T00:00:00Z) no later than it starts (2027-03-01T00:00:00Z)"},
      {"ends before it starts", key, until("2027-02-28T23:59:59Z"), "no later than it starts"},
  };
  Check(rows, kRenewalInfo, ParseRenewalWindow);
  for (const char* text : {"null", "[]", "7", R"("2027-03-01T00:00:00Z")"}) {
    SCOPED_TRACE(text);
    EXPECT_THAT(FailureOf([&] { ParseRenewalWindow(json::Parse(text)); }).detail,
                HasSubstr("renewal information that is no JSON object"));
  }
}

TEST(RenewalInfoResource, CountsInUtc) {
  const model::RenewalWindow window = ParseRenewalWindow(json::Parse(
      R"({"suggestedWindow":{"start":"2027-03-01t05:30:00.9+05:30","end":"2027-03-02T23:00:01-01:00"}})"));
  EXPECT_EQ(window.start, 1803859200);
  EXPECT_EQ(window.end, 1803859200 + 2 * 24 * 3600 + 1);
  EXPECT_EQ(window.explanation_url, "");
  EXPECT_FALSE(window.retry_after.has_value());
}

TEST(RenewalInfoResource, KeepsAnExplanationThatMayBeShownAndDropsAnyOther) {
  struct Explanation {
    const char* name;
    std::string json;
    std::string kept;
  };
  const auto quoted = [](const std::string& text) { return Cat('"', text, '"'); };
  const std::string longest = "https://ca.test/" + std::string(2048 - 16, 'x');
  const Explanation rows[] = {
      {"https", quoted("https://ca.test/why?x=1"), "https://ca.test/why?x=1"},
      {"a fragment", quoted("https://ca.test/why#this"), "https://ca.test/why#this"},
      {"2048 bytes", quoted(longest), longest},
      {"2049 bytes", quoted(longest + "x"), ""},
      {"2049 bytes with the fragment", quoted(longest + "#"), ""},
      {"null", "null", ""},
      {"empty", quoted(""), ""},
      {"a number", "7", ""},
      {"an array", R"(["https://ca.test/why"])", ""},
      {"http", quoted("http://ca.test/why"), ""},
      {"http to loopback", quoted("http://127.0.0.1/why"), ""},
      {"javascript", quoted("javascript:alert(1)"), ""},
      {"relative", quoted("/why"), ""},
      {"no host", quoted("https:///why"), ""},
      {"user info", quoted("https://ca.test@evil.test/"), ""},
      {"a blank", quoted("https://ca.test/why not"), ""},
      {"a blank in the fragment", quoted("https://ca.test/#why not"), ""},
      {"an escape sequence", quoted("https://ca.test/#\\u001b[31m"), ""},
      {"a newline", quoted("https://ca.test/\\nX"), ""},
      {"turned around", quoted("https://ca.test/#\\u202e"), ""},
      {"beyond ASCII", quoted("https://ca.test/\u00fc"), ""},
  };
  for (const Explanation& row : rows) {
    SCOPED_TRACE(row.name);
    const model::RenewalWindow window =
        ParseRenewalWindow(With(kRenewalInfo, "explanationURL", row.json));
    EXPECT_EQ(window.explanation_url, row.kept);
    EXPECT_EQ(window.start, 1803859200);
  }
}

}  // namespace
}  // namespace certwright::acme
