// Staging and activation: an order outlives the process that began it (I2), and what it brings is
// stored as a whole or not at all (I2, I3).
#include "certwright/crypto/jws.h"
#include "fixture.h"

namespace certwright::issue {
namespace {

using model::OrderState;
using testing::HasSubstr;

const std::string kNames = "a.example.org,b.example.org";

class ResumeTest : public IssueTest {
 protected:
  // The process dies at its first request of this kind: before the CA read it, or after.
  void DieAt(const std::string& kind, bool ca_acts) {
    std::stop_source stop;
    const auto die = [&](const Seen& seen) {
      if (seen.kind != kind) return;
      stop.request_stop();
      throw Error(FailureCode::kCancelled, "dead");
    };
    if (ca_acts) {
      ca_.after = [&](const Seen& seen, http::Response&) { die(seen); };
    } else {
      ca_.before = [&](const Seen& seen) -> std::optional<http::Response> {
        die(seen);
        return std::nullopt;
      };
    }
    EXPECT_EQ(Fails(Wish(kWanted), stop.get_token()).code, FailureCode::kCancelled);
    ca_.before = nullptr;
    ca_.after = nullptr;
    Restart();
  }
  const std::vector<std::string> kWanted = {"a.example.org", "b.example.org"};
};

TEST_F(ResumeTest, AStoredOrderIsCarriedOnAndNotOpenedAnew) {
  const struct {
    const char* dies_at;
    bool ca_acts;
    OrderState stored;
    std::size_t orders = 1;  // at the CA, in all
    int finalized = 1;       // requests, in all
  } kTable[] = {
      {"account", false, OrderState::kCreating},
      {"account", true, OrderState::kCreating},
      {"newOrder", false, OrderState::kCreating},
      // The one gap that nobody can close: the CA never told the order's URL.
      {"newOrder", true, OrderState::kCreating, 2},
      {"authz", false, OrderState::kPending},
      {"authz", true, OrderState::kPending},
      {"challenge", false, OrderState::kValidating},
      {"challenge", true, OrderState::kValidating},
      {"order", false, OrderState::kValidating},
      {"order", true, OrderState::kValidating},
      {"finalize", false, OrderState::kProcessing, 1, 2},
      {"finalize", true, OrderState::kProcessing},
      {"cert", false, OrderState::kProcessing},
      {"cert", true, OrderState::kProcessing},
  };
  std::size_t ca_orders = 0;
  for (const auto& row : kTable) {
    SCOPED_TRACE(testing::Message() << row.dies_at << (row.ca_acts ? ", after" : ", before"));
    SetUpAgain();
    ca_.Forget();
    DieAt(row.dies_at, row.ca_acts);
    ASSERT_EQ(Orders(kNames).size(), 1u);
    const model::OrderRecord stored = Orders(kNames)[0];
    EXPECT_EQ(stored.state, row.stored);
    EXPECT_FALSE(Held(kNames).certificate.last_error) << "nobody's failure";
    EXPECT_FALSE(Held(kNames).current);

    const ObtainResult result = Obtain(kWanted);
    EXPECT_TRUE(result.issued);
    EXPECT_EQ(ca_.Orders() - ca_orders, row.orders);
    EXPECT_EQ(ca_.Count("finalize"), row.finalized);
    EXPECT_EQ(result.held.current->key_pem, stored.key_pem) << "the key of the stored order";
    ASSERT_EQ(Orders(kNames).size(), 1u);
    EXPECT_EQ(Orders(kNames)[0].id, stored.id);
    EXPECT_EQ(Orders(kNames)[0].state, OrderState::kDone);
    EXPECT_EQ(Events().size(), 1u);
    ca_orders = ca_.Orders();
  }
}

TEST_F(ResumeTest, OrderAndKeyAreStoredBeforeTheCaHearsOfThem) {
  std::optional<model::OrderRecord> at_order;
  std::optional<model::OrderRecord> at_finalize;
  std::string csr;
  ca_.before = [&](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind == "newOrder") at_order = Orders(kNames).at(0);
    if (seen.kind != "finalize") return std::nullopt;
    at_finalize = Orders(kNames).at(0);
    csr = seen.payload.String("csr");
    return std::nullopt;
  };
  const ObtainResult result = Obtain(kWanted);
  ASSERT_TRUE(at_order && at_finalize);
  EXPECT_EQ(at_order->key_pem, result.held.current->key_pem);
  EXPECT_EQ(at_order->directory, kDirectoryUrl);
  EXPECT_EQ(at_finalize->url, FakeCa::OrderUrl(0));
  EXPECT_FALSE(csr.empty());
}

TEST_F(ResumeTest, TokensArePresentedAgain) {
  ca_.polls_pending = 1;  // it has not come by yet
  DieAt("order", false);
  const std::size_t before = presenter_.Presented().size();
  EXPECT_EQ(before, 2u);
  Obtain(kWanted);
  EXPECT_EQ(presenter_.Presented().size(), 4u);
  EXPECT_EQ(ca_.Count("challenge"), 2) << "but not started twice";
}

TEST_F(ResumeTest, WhatPassesByItselfLeavesTheOrderAsItIs) {
  Cut("challenge");
  for (int run = 1; run <= 6; ++run) {
    EXPECT_TRUE(Fails(kWanted).transient) << run << ": also past the number of the fuse";
    Restart();
  }
  EXPECT_EQ(Held(kNames).certificate.failures, 6);
  int cuts = 3;
  ca_.before = [&](const Seen& seen) -> std::optional<http::Response> {
    if (seen.kind == "order" && cuts-- > 0) throw Error(NetworkFailure());
    return std::nullopt;
  };
  EXPECT_TRUE(Obtain(kWanted).issued) << "a new run has its tries anew";
  EXPECT_EQ(ca_.Orders(), 1u);
}

TEST_F(ResumeTest, AnOrderThatWasLostMeanwhileIsFollowedByOneNewOne) {
  DieAt("order", false);
  ca_.At(0).status = "invalid";
  const Secret old_key = Orders(kNames)[0].key_pem;
  const ObtainResult result = Obtain(kWanted);
  EXPECT_TRUE(result.issued);
  const auto orders = Orders(kNames);
  ASSERT_EQ(orders.size(), 2u);
  EXPECT_EQ(orders[1].state, OrderState::kFailed);
  EXPECT_EQ(orders[0].state, OrderState::kDone);
  EXPECT_NE(result.held.current->key_pem, old_key);
}

TEST_F(ResumeTest, TheNewOneThatFailsTooIsTheEnd) {
  DieAt("order", false);
  ca_.At(0).status = "invalid";
  ca_.refused_names = {"b.example.org"};
  EXPECT_EQ(Fails(kWanted).code, FailureCode::kRefused);
  EXPECT_EQ(ca_.Orders(), 2u);
  EXPECT_EQ(Held(kNames).certificate.failures, 1) << "one try failed, with whatever orders";
}

TEST_F(ResumeTest, AnOrderOfACaThatIsNotAskedAnyMoreIsLeft) {
  DieAt("finalize", false);
  FakeCa other;
  ChangeCa("https://other.test/directory", other);
  const ObtainResult result = Obtain(kWanted);
  EXPECT_EQ(result.held.current->ca, "https://other.test/directory");
  EXPECT_EQ(other.Orders(), 1u);
  const auto orders = Orders(kNames);
  ASSERT_EQ(orders.size(), 2u);
  EXPECT_EQ(orders[1].state, OrderState::kFailed);
  ASSERT_TRUE(orders[1].failure);
  EXPECT_THAT(orders[1].failure->detail, HasSubstr("CA was changed"));
}

TEST_F(ResumeTest, AnOrderOfAnotherPolicyIsLeft) {
  DieAt("order", false);
  ObtainRequest request = Wish(kWanted);
  request.wish.key_type = model::KeyType::kEc384;
  const ObtainResult result = Obtain(request);
  EXPECT_EQ(result.held.certificate.policy.key_type, model::KeyType::kEc384);
  EXPECT_EQ(crypto::PrivateKey::FromPem(result.held.current->key_pem).PublicKeyDer().size(), 120u);
  const auto orders = Orders(kNames);
  ASSERT_EQ(orders.size(), 2u);
  ASSERT_TRUE(orders[1].failure);
  EXPECT_THAT(orders[1].failure->detail, HasSubstr("other settings"));
}

// What came is not what was asked for: told, and never a reason for another order by itself.
TEST_F(ResumeTest, ACertificateThatIsRefusedLeadsToNoOtherOrder) {
  DieAt("finalize", false);
  ca_.leaf_names = "DNS:a.example.org";
  EXPECT_EQ(Fails(kWanted).code, FailureCode::kProtocol);
  EXPECT_EQ(ca_.Orders(), 1u);
}

// As after a restore of a backup that was taken before.
TEST_F(ResumeTest, ACertificateThatWasRevokedDoesNotComeBack) {
  DieAt("cert", false);
  const std::string fingerprint = crypto::InspectChain(ca_.At(0).leaf_pem).front().fingerprint;
  Meddle(Cat("INSERT INTO revoked (fingerprint, reason, revoked_at) VALUES ('", fingerprint,
             "', 'keyCompromise', 1)"));
  EXPECT_THAT(Fails(kWanted).detail, HasSubstr("revoked"));
  EXPECT_FALSE(Held(kNames).current);
  EXPECT_TRUE(Obtain(kWanted).issued);
  EXPECT_EQ(ca_.Orders(), 2u);
}

TEST_F(ResumeTest, ActivationIsStoredAsAWholeOrNotAtAll) {
  const struct {
    const char* name;
    const char* fails_at;
  } kTable[] = {
      {"the version", "INSERT ON version"},
      {"the next renewal", "UPDATE OF next_action_at ON certificate"},
      {"the order", "UPDATE ON acme_order WHEN NEW.state = 'done'"},
      {"the event", "INSERT ON event"},
      {"the name that is remembered", "INSERT ON name_request"},
  };
  std::size_t ca_orders = 0;
  ObtainRequest request = Wish(kWanted);
  request.owner = "module/mail1";
  for (const auto& row : kTable) {
    SCOPED_TRACE(row.name);
    SetUpAgain();
    Meddle(Cat("CREATE TRIGGER broken BEFORE ", row.fails_at,
               " BEGIN SELECT RAISE(ABORT, 'broken'); END"));
    EXPECT_THAT(Fails(request).detail, HasSubstr("broken"));
    Meddle("DROP TRIGGER broken");
    const store::HeldCertificate held = Held(kNames);
    EXPECT_FALSE(held.current);
    EXPECT_GT(held.certificate.next_action_at, clock_.Now()) << "somebody looks again";
    EXPECT_TRUE(Changes().empty());
    EXPECT_EQ(RequestOf(request.owner), "");
    ASSERT_EQ(Orders(kNames).size(), 1u);
    EXPECT_NE(Orders(kNames)[0].state, OrderState::kDone);

    EXPECT_TRUE(Obtain(request).issued) << "what the CA issued is fetched again";
    EXPECT_EQ(ca_.Orders() - ca_orders, 1u);
    EXPECT_EQ(Changes().size(), 1u);
    EXPECT_EQ(RequestOf(request.owner), "a.example.org");
    ca_orders = ca_.Orders();
  }
}

}  // namespace
}  // namespace certwright::issue
