#include "certwright/probe/dns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns_server.h"

namespace certwright::probe {
namespace {

using test::DnsServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Dns AskingOf(const DnsServer& server, Millis timeout = Millis(8000)) {
  return Dns({{server.endpoint()}, timeout});
}

TEST(Dns, GivesAddressesOfBothFamilies) {
  DnsServer server;
  server.A("a.example.org", "192.0.2.7");
  server.A("a.example.org", "192.0.2.8");
  server.Aaaa("a.example.org", "2001:db8::7");
  const Addresses found = AskingOf(server).LookUpAddresses("a.example.org", {});
  EXPECT_EQ(found.status, DnsStatus::kFound);
  EXPECT_THAT(found.addresses, ElementsAre("192.0.2.7", "192.0.2.8", "2001:db8::7"));
  EXPECT_EQ(found.problem, "");
}

TEST(Dns, FollowsAnAlias) {
  DnsServer server;
  server.Alias("www.example.org", "host.example.net");
  server.A("host.example.net", "192.0.2.7");
  server.Caa("host.example.net", 0, "issue", "ca.example");
  Dns dns = AskingOf(server);
  EXPECT_THAT(dns.LookUpAddresses("www.example.org", {}).addresses, ElementsAre("192.0.2.7"));
  EXPECT_THAT(dns.LookUpCaa("www.example.org", {}).records,
              ElementsAre(CaaRecord{false, "issue", "ca.example"}));
}

TEST(Dns, TellsNothingFromFailure) {
  DnsServer server;
  server.Code("gone.example.org", test::kNxDomain);
  server.Code("broken.example.org", test::kServFail);
  server.Code("refused.example.org", test::kRefused);
  server.Code("half.example.org", test::kServFail, test::kAaaa);
  server.A("half.example.org", "192.0.2.7");
  Dns dns = AskingOf(server);
  for (const char* name : {"gone.example.org", "empty.example.org"}) {
    EXPECT_EQ(dns.LookUpAddresses(name, {}).status, DnsStatus::kNothing) << name;
    EXPECT_EQ(dns.LookUpCaa(name, {}).status, DnsStatus::kNothing) << name;
  }
  for (const char* name : {"broken.example.org", "refused.example.org"}) {
    EXPECT_EQ(dns.LookUpAddresses(name, {}).status, DnsStatus::kFailed) << name;
    const CaaRecords caa = dns.LookUpCaa(name, {});
    EXPECT_EQ(caa.status, DnsStatus::kFailed) << name;
    EXPECT_THAT(caa.problem, HasSubstr(name));
  }
  const Addresses half = dns.LookUpAddresses("half.example.org", {});
  EXPECT_EQ(half.status, DnsStatus::kFound);
  EXPECT_THAT(half.problem, HasSubstr("AAAA"));
}

TEST(Dns, ReadsCaaRecords) {
  DnsServer server;
  server.Caa("example.org", 0, "issue", "ca.example; validationmethods=http-01");
  server.Caa("example.org", 128, "tbs", "x");
  server.Caa("example.org", 1, "iodef", "mailto:a@example.org");
  EXPECT_THAT(AskingOf(server).LookUpCaa("example.org", {}).records,
              ::testing::UnorderedElementsAre(
                  CaaRecord{false, "issue", "ca.example; validationmethods=http-01"},
                  CaaRecord{true, "tbs", "x"}, CaaRecord{false, "iodef", "mailto:a@example.org"}));
}

TEST(Dns, IsBoundInTime) {
  DnsServer server;
  server.Code("a.example.org", test::kSilence);
  Dns dns = AskingOf(server, Millis(300));
  const Steady before = SystemClock().SteadyNow();
  const Addresses found = dns.LookUpAddresses("a.example.org", {});
  EXPECT_EQ(found.status, DnsStatus::kFailed);
  EXPECT_THAT(found.problem, HasSubstr("in time"));
  EXPECT_LT(SystemClock().SteadyNow() - before, std::chrono::seconds(5));
}

TEST(Dns, EndsWhenItIsStopped) {
  DnsServer server;
  server.Code("a.example.org", test::kSilence);
  Dns dns = AskingOf(server, std::chrono::minutes(10));
  std::stop_source stop;
  std::jthread later([&] {
    std::this_thread::sleep_for(Millis(50));
    stop.request_stop();
  });
  const Steady before = SystemClock().SteadyNow();
  EXPECT_EQ(dns.LookUpCaa("a.example.org", stop.get_token()).status, DnsStatus::kFailed);
  EXPECT_LT(SystemClock().SteadyNow() - before, std::chrono::seconds(3));
}

TEST(Dns, SaysThatNobodyAnswers) {
  std::string endpoint;
  {
    DnsServer gone;
    endpoint = gone.endpoint();
  }
  Dns dns({{endpoint}, Millis(500)});
  const Addresses found = dns.LookUpAddresses("a.example.org", {});
  EXPECT_EQ(found.status, DnsStatus::kFailed);
  EXPECT_THAT(found.addresses, IsEmpty());
  EXPECT_NE(found.problem, "");
}

TEST(Dns, TakesNoNonsenseForAServer) {
  Dns dns({{"not an address"}, Millis(500)});
  EXPECT_EQ(dns.LookUpAddresses("a.example.org", {}).status, DnsStatus::kFailed);
}

TEST(Dns, WorksFromManyThreads) {
  DnsServer server;
  for (int i = 0; i < 8; ++i) {
    server.A("n" + std::to_string(i) + ".example.org",
             ("192.0.2." + std::to_string(i)).c_str());
  }
  Dns dns = AskingOf(server);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      EXPECT_THAT(
          dns.LookUpAddresses("n" + std::to_string(i) + ".example.org", {}).addresses,
          ElementsAre("192.0.2." + std::to_string(i)));
    });
  }
}

}  // namespace
}  // namespace certwright::probe
