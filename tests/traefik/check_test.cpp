#include "fixture.h"

namespace certwright::traefik {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Shows leaves by server name; "" cuts the connection.
class Check : public TraefikFixture {
 protected:
  Check() {
    peer_ = [this](const std::string& address, int port, const std::string& name, Millis) {
      seen_.push_back(Cat(name, " at ", address, " ", port));
      const auto found = shown_.find(name);
      if (found == shown_.end()) return FakeDer(99);
      if (found->second.empty()) throw Error(FailureCode::kNetwork, "cut off");
      return found->second;
    };
  }
  std::map<std::string, std::string> shown_;
  std::vector<std::string> seen_;
};

TEST_F(Check, FindsAllWell) {
  Add({"a.example.org", "*.b.example.org"}, 1);
  shown_ = {{"a.example.org", FakeDer(1)}, {"certwright-check.b.example.org", FakeDer(1)}};
  auto publisher = MakePublisher();
  publisher.Publish({});
  const CheckReport report = publisher.Check({});
  EXPECT_TRUE(report.written);
  EXPECT_TRUE(report.live);
  EXPECT_EQ(report.problem, "");
  EXPECT_TRUE(report.notes.empty());
  ASSERT_EQ(report.certificates.size(), 1U);
  EXPECT_TRUE(report.certificates[0].loaded);
  EXPECT_TRUE(report.certificates[0].served);
  EXPECT_EQ(report.certificates[0].served_serial, "01");
  EXPECT_EQ(report.certificates[0].problem, "");
  EXPECT_THAT(seen_, Contains("a.example.org at 127.0.0.1 8443"));
  EXPECT_THAT(traefik_.asked, Contains("/api/certificates/" + std::string(62, 'a') + "01"));
}

TEST_F(Check, SaysWhatIsWrongWithACertificate) {
  struct Row {
    const char* name;
    bool loaded;
    std::string shown;
    const char* problem;
    const char* served_serial;
  };
  const Row rows[] = {
      {"not loaded", false, FakeDer(99), "has not loaded this certificate", "63"},
      {"default shown", true, FakeDer(99), "its default certificate for a.example.org", "63"},
      {"another shown", true, FakeDer(7), "another certificate for a.example.org, serial 07", "07"},
      {"rubbish shown", true, "rubbish", "another certificate", ""},
      {"no handshake", true, "", "no handshake for a.example.org: cut off", ""},
  };
  Add({"a.example.org"}, 1);
  auto publisher = MakePublisher();
  publisher.Publish({});
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    traefik_.status = [&](const std::string& path) {
      return path.starts_with("/api/certificates/") && !row.loaded ? 404 : 200;
    };
    shown_ = {{"a.example.org", row.shown}};
    const auto certificate = publisher.Check({}).certificates.at(0);
    EXPECT_EQ(certificate.loaded, row.loaded);
    EXPECT_FALSE(certificate.served);
    EXPECT_THAT(certificate.problem, HasSubstr(row.problem));
    EXPECT_EQ(certificate.served_serial, row.served_serial);
    EXPECT_EQ(certificate.wanted_serial, "01");
  }
}

TEST_F(Check, SaysWhatTraefikMakesOfRoutes) {
  AddRoute("web1", "/web");
  auto publisher = MakePublisher();
  publisher.Publish({});
  const std::string base = "/api/http/routers/web1-";
  const std::string rule = R"x("rule": "(Path(\"/web\") || PathPrefix(\"/web/\"))")x";
  const std::string good = Cat(R"({"status": "enabled", )", rule, "}");
  const std::string bad = Cat(R"({"status": "disabled", "error": ["a", "b"], )", rule, "}");
  const std::string other = R"x({"status": "enabled", "rule": "PathPrefix(`/`)"})x";
  struct Row {
    std::string plain, secure;
    const char* problem;
  };
  const Row rows[] = {
      {good, good, ""},
      {good, bad, "router web1-https is disabled: a; b"},
      {bad, good, "router web1-http is disabled: a; b"},
      {good, other, "router web1-https has another rule in Traefik"},
      {"{}", good, "Traefik knows no router web1-http"},
  };
  for (const auto& row : rows) {
    traefik_.bodies[base + "http@file"] = row.plain;
    traefik_.bodies[base + "https@file"] = row.secure;
    const auto report = publisher.Check({});
    ASSERT_EQ(report.routes.size(), 1U);
    EXPECT_EQ(report.routes[0].instance, "web1");
    EXPECT_EQ(report.routes[0].problem, row.problem);
  }
  traefik_.status = [](const std::string&) { return 0; };
  EXPECT_TRUE(publisher.Check({}).routes.empty());
}

TEST_F(Check, FindsANameThatAnotherCertificateTakes) {
  Add({"a.example.org", "b.example.org"}, 1);
  shown_ = {{"a.example.org", FakeDer(1)}, {"b.example.org", FakeDer(2)}};
  auto publisher = MakePublisher();
  publisher.Publish({});
  const auto certificate = publisher.Check({}).certificates.at(0);
  EXPECT_EQ(certificate.name, "b.example.org");
  EXPECT_FALSE(certificate.served);
}

TEST_F(Check, SaysThatWhatIsServedIsNotValid) {
  const auto version = Add({"a.example.org"}, 1, 1'790'000'000);
  shown_ = {{"a.example.org", FakeDer(1)}};
  auto publisher = MakePublisher();
  publisher.Publish({});
  auto certificate = publisher.Check({}).certificates.at(0);
  EXPECT_TRUE(certificate.served);
  EXPECT_EQ(certificate.problem, "this certificate expired at 2026-09-21T14:13:20Z");
  clock_.wall = version.not_before - 1;
  certificate = publisher.Check({}).certificates.at(0);
  EXPECT_EQ(certificate.problem, "this certificate is valid from 2023-11-14T22:13:20Z on");
  clock_.wall = version.not_before;
  EXPECT_EQ(publisher.Check({}).certificates.at(0).problem, "");
}

TEST_F(Check, SaysWhatIsWrongWithTheFile) {
  auto publisher = MakePublisher();
  EXPECT_THAT(publisher.Check({}).problem, HasSubstr("certwright.yml"));
  EXPECT_FALSE(publisher.Check({}).written);
  publisher.Publish({});
  Add({"a.example.org"}, 1);
  EXPECT_THAT(publisher.Check({}).problem, HasSubstr("is not what the store asks for"));
  publisher.Publish({});
  traefik_.status = [](const std::string&) { return 404; };
  CheckReport report = publisher.Check({});
  EXPECT_TRUE(report.written);
  EXPECT_FALSE(report.live);
  EXPECT_THAT(report.problem, HasSubstr("has not taken certwright.yml"));
  traefik_.status = [](const std::string&) { return 0; };
  EXPECT_THAT(publisher.Check({}).problem, HasSubstr("connection refused"));
}

TEST_F(Check, NotesOtherFilesAndWhatIsNotKnown) {
  WriteFileAtomically(options_.dynamic_dir / "other.toml", "");
  auto publisher = MakePublisher();
  publisher.Publish({});
  EXPECT_THAT(publisher.Check({}).notes, ElementsAre(HasSubstr("other.toml is there too")));
  options_.api = "";
  auto blind = MakePublisher();
  EXPECT_THAT(blind.Check({}).notes,
              ElementsAre(HasSubstr("traefik.api is not set"), HasSubstr("no handshake was tried"),
                          HasSubstr("other.toml")));
}

TEST_F(Check, FindsTheAddressToLookAt) {
  struct Row {
    const char* configured;
    const char* entrypoint;
    const char* wanted;
  };
  const Row rows[] = {
      {"", ":443", "a.example.org at 127.0.0.1 443"},
      {"", "0.0.0.0:443/tcp", "a.example.org at 127.0.0.1 443"},
      {"", "[::]:8443", "a.example.org at 127.0.0.1 8443"},
      {"", "10.0.0.7:443", "a.example.org at 10.0.0.7 443"},
      {"[fd00::1]:4443", ":443", "a.example.org at fd00::1 4443"},
      {"localhost:4443", ":443", "a.example.org at localhost 4443"},
  };
  const auto version = Add({"a.example.org"}, 1);
  shown_ = {{"a.example.org", FakeDer(1)}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.wanted);
    seen_.clear();
    options_.https_address = row.configured;
    traefik_.entrypoint = row.entrypoint;
    EXPECT_EQ(MakePublisher().WaitServed("a.example.org", version.serial_hex, Millis(100), {}),
              Seen::kServed);
    EXPECT_THAT(seen_, ElementsAre(row.wanted));
  }
}

TEST_F(Check, WaitsUntilExactlyThisCertificateIsServed) {
  const auto first = Add({"a.example.org"}, 1);
  const auto second = Add({"a.example.org"}, 2);
  int tries = 0;
  peer_ = [&](const std::string&, int, const std::string&, Millis) {
    ++tries;
    if (tries == 1) throw Error(FailureCode::kNetwork, "refused");
    return FakeDer(tries < 4 ? 1 : 2);
  };
  auto publisher = MakePublisher();
  EXPECT_EQ(publisher.WaitServed("a.example.org", second.serial_hex, Millis(5'000), {}),
            Seen::kServed);
  EXPECT_EQ(tries, 4);
  EXPECT_EQ(publisher.WaitServed("a.example.org", first.serial_hex, Millis(5'000), {}),
            Seen::kNotServed);
  EXPECT_EQ(publisher.WaitServed("a.example.org", "7f", Millis(5'000), {}), Seen::kNotServed);
}

TEST_F(Check, LooksOnceWhereNoTimeIsGivenAndSaysWhetherSomebodyAnswered) {
  const auto version = Add({"a.example.org"}, 1);
  std::vector<Millis> timeouts;
  int shown = 0;  // 0: nobody answers
  peer_ = [&](const std::string&, int, const std::string&, Millis timeout) {
    timeouts.push_back(timeout);
    if (shown == 0) throw Error(FailureCode::kNetwork, "refused");
    return FakeDer(shown);
  };
  auto publisher = MakePublisher();
  const auto look = [&] {
    return publisher.WaitServed("a.example.org", version.serial_hex, Millis(0), {});
  };
  EXPECT_EQ(look(), Seen::kUnreachable);
  shown = 2;
  EXPECT_EQ(look(), Seen::kNotServed);
  shown = 1;
  EXPECT_EQ(look(), Seen::kServed);
  EXPECT_THAT(timeouts, ElementsAre(Millis(5'000), Millis(5'000), Millis(5'000)));
}

TEST_F(Check, GivesUpInTime) {
  const auto version = Add({"a.example.org"}, 1);
  auto publisher = MakePublisher();
  EXPECT_EQ(publisher.WaitServed("a.example.org", version.serial_hex, Millis(500), {}),
            Seen::kNotServed);
  EXPECT_LE(clock_.SteadyNow() - Steady{}, Millis(500));
}

TEST_F(Check, HasNothingToWaitForWithoutAnAddressOrAHostName) {
  const auto address = Add({"192.0.2.1"}, 3);
  EXPECT_EQ(MakePublisher().WaitServed("192.0.2.1", address.serial_hex, Millis(500), {}),
            Seen::kNotLooked);
  const auto version = Add({"a.example.org"}, 1);
  options_.api = "";
  EXPECT_EQ(MakePublisher().WaitServed("a.example.org", version.serial_hex, Millis(500), {}),
            Seen::kNotLooked);
  EXPECT_TRUE(seen_.empty());
}

}  // namespace
}  // namespace certwright::traefik
