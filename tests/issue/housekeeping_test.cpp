// The small functions beside the Obtainer: Remove, EnsureSelfSigned.
#include "fixture.h"

namespace certwright::issue {
namespace {

using testing::ElementsAre;

class RemoveTest : public IssueTest {
 protected:
  std::int64_t RemoveIt(std::int64_t id) {
    return Remove(*process_->database, process_->feed, clock_, id);
  }
};

TEST_F(RemoveTest, TakesVersionsAndOrdersAlongAndTellsIt) {
  const std::int64_t id = Obtain({"b.example.org", "a.example.org"}).held.certificate.id;
  Obtain({"a.example.org"});
  Pass(60);
  const std::int64_t seq = RemoveIt(id);
  const auto events = Events();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[2].seq, seq);
  EXPECT_EQ(events[2].name, "certificate-changed");
  EXPECT_EQ(events[2].reason, "deleted");
  EXPECT_THAT(events[2].names, ElementsAre("a.example.org", "b.example.org"));
  EXPECT_EQ(events[2].certificate_id, id);
  EXPECT_EQ(events[2].created_at, clock_.Now());
  Read([&](store::Session& session) {
    EXPECT_FALSE(store::FindById(session, id));
    EXPECT_TRUE(store::ListVersions(session, id).empty());
    EXPECT_TRUE(store::ListOrders(session, id, 10).empty());
    EXPECT_EQ(store::FindCovering(session, "a.example.org").size(), 1u) << "the other one stays";
  });
  EXPECT_TRUE(Obtain({"a.example.org", "b.example.org"}).issued) << "and can be asked for again";
}

TEST_F(RemoveTest, TellsNothingOfWhatNobodyWasToldOf) {
  EXPECT_EQ(RemoveIt(7), 0) << "not there";
  Answers("newOrder", ProblemAnswer(403, "unauthorized", "no"));
  Fails({"a.example.org"});
  const std::int64_t id = Held("a.example.org").certificate.id;
  EXPECT_EQ(RemoveIt(id), 0) << "never obtained";
  EXPECT_FALSE(Read([&](store::Session& session) { return store::FindById(session, id); }));
  EXPECT_TRUE(Changes().empty());
}

TEST_F(RemoveTest, LeavesItWhereTheEventCannotBeWritten) {
  const std::int64_t id = Obtain({"a.example.org"}).held.certificate.id;
  Meddle("CREATE TRIGGER broken BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'broken'); END");
  FailureOf([&] { RemoveIt(id); });
  EXPECT_TRUE(Held("a.example.org").current);
}

class SelfSignedTest : public IssueTest {
 protected:
  model::CertificateVersion Ensure(const std::string& host) {
    EnsureSelfSigned(*process_->database, clock_, host);
    const auto pair = Read([](store::Session& session) { return store::FindSelfSigned(session); });
    EXPECT_TRUE(pair);
    return pair.value_or(model::CertificateVersion{});
  }
};

TEST_F(SelfSignedTest, IsMadeForTheHost) {
  const struct {
    const char* host;
    const char* name;
  } kTable[] = {
      {"node1.example.org", "node1.example.org"}, {"Node1.Example.org", "node1.example.org"},
      {"node1", "certwright.localhost"},          {"", "certwright.localhost"},
      {"bad name", "certwright.localhost"},
  };
  for (const auto& row : kTable) {
    SetUpAgain();
    const model::CertificateVersion pair = Ensure(row.host);
    const auto leaf = crypto::InspectChain(pair.chain_pem).at(0);
    EXPECT_THAT(model::Names(leaf.names), ElementsAre(row.name));
    EXPECT_EQ(leaf.common_name, row.name);
    EXPECT_EQ(leaf.public_key_der, crypto::PrivateKey::FromPem(pair.key_pem).PublicKeyDer());
    EXPECT_EQ(leaf.not_before, kNow - kDay) << "for peers whose clock is behind";
    EXPECT_EQ(leaf.not_after, kNow + 3650 * kDay);
    EXPECT_EQ(pair.origin, model::Origin::kSelfSigned);
  }
  EXPECT_TRUE(Events().empty()) << "it is nobody's certificate";
}

TEST_F(SelfSignedTest, IsKeptUntilThirtyDaysBeforeItsEnd) {
  const std::string first = Ensure("node1.example.org").serial_hex;
  EXPECT_EQ(Ensure("node1.example.org").serial_hex, first);
  Restart();
  Pass(3620 * kDay - 1);
  EXPECT_EQ(Ensure("node1.example.org").serial_hex, first);
  Pass(1);
  const model::CertificateVersion second = Ensure("node1.example.org");
  EXPECT_NE(second.serial_hex, first);
  EXPECT_EQ(second.not_after, clock_.Now() + 3650 * kDay);
}

}  // namespace
}  // namespace certwright::issue
