#include <signal.h>
#include <sys/resource.h>

#include <thread>

#include "store_fixture.h"

namespace certwright::store {
namespace {

class Transaction : public StoreTest {
 protected:
  std::size_t Count() {
    return database().Read([](Session& s) { return ListCertificates(s, false); }).size();
  }
};

TEST_F(Transaction, IsUndoneByAnException) {
  EXPECT_THROW(database().Write([&](Session& session) {
    model::ManagedCertificate wanted;
    wanted.names = {{model::IdentifierType::kDns, "a.example.org"}};
    EnsureManaged(session, wanted, 1);
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  EXPECT_EQ(Count(), 0u);
  Ensure({"b.example.org"});
  EXPECT_EQ(Count(), 1u);
}

TEST_F(Transaction, DoesNotNest) {
  const Failure failure = FailureOf(
      [&] { database().Write([&](Session&) { database().Read([](Session&) { return 1; }); }); });
  EXPECT_EQ(failure.code, FailureCode::kInternal);
  EXPECT_EQ(Count(), 0u);
}

TEST_F(Transaction, QueuesUpFromSeveralThreads) {
  Open();
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          Hold({"h" + std::to_string(t) + "-" + std::to_string(i) + ".example.org"});
          Count();
        }
      });
    }
  }
  EXPECT_EQ(Count(), static_cast<std::size_t>(kThreads * kEach));
}

TEST_F(Transaction, ReportsAFullDiskAndKeepsTheFormerContent) {
  Hold({"a.example.org"});
  Close();
  const int code = InChild([&] {
    Open();
    // As a full disk: a write beyond the limit fails.
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{64 << 10, 64 << 10};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto certificate = database().Read([](Session& s) { return ListCertificates(s, false); })[0];
    auto version = VersionFor(certificate.certificate, "0b");
    version.chain_pem = std::string(256 << 10, 'c');
    const Failure failure = FailureOf([&] {
      database().Write([&](Session& s) { AddCurrentVersion(s, version, 1, 1); });
    });
    if (failure.code != FailureCode::kDisk || failure.advice.empty()) return 1;
    // And it goes on from there.
    const auto held = database().Read([](Session& s) { return ListCertificates(s, true); });
    if (held.size() != 1 || held[0].current->serial_hex != "0a1b") return 2;
    return 0;
  });
  EXPECT_EQ(code, 0);
  const auto held = database().Read([](Session& s) { return ListCertificates(s, true); });
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].current->serial_hex, "0a1b");
}

TEST_F(Transaction, LeavesNoDeletedKeyInAnyFile) {
  const auto certificate = Hold({"a.example.org"}, "77");
  Hold({"b.example.org"}, "78");
  const auto seen = [&](const std::string& key) {
    for (const auto& entry : std::filesystem::directory_iterator(dir())) {
      if (Slurp(entry.path()).find(key) != std::string::npos) return true;
    }
    return false;
  };
  ASSERT_TRUE(seen("KEY-77-KEY"));
  database().Write([&](Session& s) { DeleteCertificate(s, certificate.id); });
  EXPECT_FALSE(seen("KEY-77-KEY"));
  EXPECT_TRUE(seen("KEY-78-KEY"));
}

TEST_F(Transaction, ExitsAfterTheGivenNumberOfOrderSaves) {
  const auto certificate = Ensure({"a.example.org"});
  Close();
  EXPECT_EQ(InChild([&] {
              ::setenv("CERTWRIGHT_TEST_EXIT_AFTER_SAVES", "2", 1);
              model::OrderRecord order;
              order.certificate_id = certificate.id;
              order.id = database().Write([&](Session& s) { return InsertOrder(s, order); });
              Ensure({"b.example.org"});  // does not count
              order.url = "https://ca.example/order/1";
              database().Write([&](Session& s) { SaveOrder(s, order); });
              return 1;
            }),
            99);
  const auto orders =
      database().Read([&](Session& s) { return FindOpenOrders(s, certificate.id); });
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_EQ(orders[0].url, "https://ca.example/order/1");
}

}  // namespace
}  // namespace certwright::store
