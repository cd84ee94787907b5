#include "certwright/issue/obtain.h"

#include <thread>

#include "fixture.h"

namespace certwright::issue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using ObtainTest = IssueTest;

std::string KeyOf(const store::HeldCertificate& held) {
  return crypto::PrivateKey::FromPem(held.current->key_pem).PublicKeyDer();
}

TEST_F(ObtainTest, ANewCertificateIsOrderedAndStored) {
  const ObtainResult result = Obtain({"b.example.org", "a.example.org"});
  EXPECT_TRUE(result.issued);
  EXPECT_EQ(ca_.Posts(), "account newOrder authz authz challenge challenge order finalize cert");
  const store::HeldCertificate held = Held("a.example.org,b.example.org");
  ASSERT_TRUE(held.current);
  EXPECT_EQ(result.held.current->serial_hex, held.current->serial_hex);
  EXPECT_EQ(held.certificate.current_version, held.current->id);
  EXPECT_EQ(held.certificate.created_at, kNow);
  EXPECT_EQ(held.certificate.next_action_at, clock_.Now());
  EXPECT_EQ(held.current->not_before, ca_.valid_from);
  EXPECT_EQ(held.current->not_after, ca_.valid_to);
  EXPECT_EQ(held.current->ca, kDirectoryUrl);
  EXPECT_EQ(held.current->origin, model::Origin::kAcme);
  EXPECT_EQ(held.current->created_at, kNow);
  const auto chain = crypto::InspectChain(held.current->chain_pem);
  ASSERT_EQ(chain.size(), 2u);
  EXPECT_THAT(model::Names(chain[0].names), ElementsAre("a.example.org", "b.example.org"));
  EXPECT_EQ(chain[0].public_key_der, KeyOf(held)) << "the key is the leaf's";
  const auto orders = Orders("a.example.org,b.example.org");
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_EQ(orders[0].state, model::OrderState::kDone);
  EXPECT_EQ(presenter_.Withdrawn().size(), 2u) << "no token is left";
}

TEST_F(ObtainTest, TheChangeIsTold) {
  const ObtainResult first = Obtain({"b.example.org", "a.example.org"});
  ObtainRequest again = Wish({"a.example.org", "b.example.org"});
  again.force = true;
  const ObtainResult second = Obtain(again);
  const auto events = Events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].seq, first.event_seq);
  EXPECT_EQ(events[0].name, "certificate-changed");
  EXPECT_EQ(events[0].reason, "issued");
  EXPECT_THAT(events[0].names, ElementsAre("a.example.org", "b.example.org"));
  EXPECT_EQ(events[0].certificate_id, first.held.certificate.id);
  EXPECT_EQ(events[0].created_at, kNow);
  EXPECT_EQ(events[1].seq, second.event_seq);
  EXPECT_EQ(events[1].reason, "renewed");
}

TEST_F(ObtainTest, TheFeedIsToldAtOnce) {
  struct Listener : events::Subscriber {
    std::string name() const override { return "listener"; }
    void Deliver(std::span<const model::Event>, std::stop_token) override {}
  };
  process_->feed.Subscribe(std::make_unique<Listener>());
  process_->feed.Start();
  // Once it has passed the first event it sleeps until it is notified.
  const std::int64_t first = Obtain({"a.example.org"}).event_seq;
  EXPECT_TRUE(process_->feed.WaitPassed("listener", first, Millis(10'000), {}));
  std::this_thread::sleep_for(Millis(20));
  const std::int64_t second = Obtain({"b.example.org"}).event_seq;
  EXPECT_TRUE(process_->feed.WaitPassed("listener", second, Millis(10'000), {}));
}

TEST_F(ObtainTest, WhatIsThereIsNotOrderedAgain) {
  const ObtainResult first = Obtain({"a.example.org", "b.example.org"});
  ca_.Forget();
  const struct {
    const char* name;
    std::vector<std::string> names;
  } kTable[] = {
      {"the same", {"a.example.org", "b.example.org"}},
      {"in another order", {"b.example.org", "a.example.org"}},
      {"with doubles, in capitals", {"B.example.org", "a.example.org", "A.EXAMPLE.org"}},
  };
  for (const auto& row : kTable) {
    const ObtainResult result = Obtain(row.names);
    EXPECT_FALSE(result.issued) << row.name;
    EXPECT_EQ(result.event_seq, 0) << row.name;
    ASSERT_TRUE(result.held.current) << row.name;
    EXPECT_EQ(result.held.current->serial_hex, first.held.current->serial_hex) << row.name;
  }
  EXPECT_TRUE(ca_.Requests().empty()) << "the CA is not even asked";
  EXPECT_EQ(Events().size(), 1u);
}

TEST_F(ObtainTest, WhatIsThereIsExactlyTheseNamesAndValidNow) {
  const struct {
    const char* name;
    std::vector<std::string> names;
    UnixSeconds later;
    bool ordered;
  } kTable[] = {
      {"the last second", {"a.example.org", "b.example.org"}, 90 * kDay - 1, false},
      {"expired", {"a.example.org", "b.example.org"}, 90 * kDay, true},
      {"one name of two", {"a.example.org"}, 0, true},
      {"one name more", {"a.example.org", "b.example.org", "c.example.org"}, 0, true},
  };
  for (const auto& row : kTable) {
    SetUpAgain();
    Obtain({"a.example.org", "b.example.org"});
    Pass(row.later);
    ca_.valid_from = clock_.Now();
    ca_.valid_to = clock_.Now() + 90 * kDay;
    EXPECT_EQ(Obtain(row.names).issued, row.ordered) << row.name;
  }
}

TEST_F(ObtainTest, ForceOrdersPastAValidOneAndKeepsTheFormer) {
  const ObtainResult first = Obtain({"a.example.org"});
  ObtainRequest request = Wish({"a.example.org"});
  request.force = true;
  const ObtainResult second = Obtain(request);
  EXPECT_TRUE(second.issued);
  EXPECT_NE(second.held.current->serial_hex, first.held.current->serial_hex);
  EXPECT_EQ(Held("a.example.org").current->serial_hex, second.held.current->serial_hex);
  const auto versions = Read([&](store::Session& session) {
    return store::ListVersions(session, first.held.certificate.id);
  });
  ASSERT_EQ(versions.size(), 2u);
  EXPECT_EQ(versions[1].serial_hex, first.held.current->serial_hex);
}

TEST_F(ObtainTest, TheKeyIsNewUnlessItIsToBeReused) {
  for (const bool reuse : {false, true}) {
    ObtainRequest request = Wish({reuse ? "a.example.org" : "b.example.org"});
    request.wish.reuse_key = reuse;
    request.force = true;
    const std::string first = KeyOf(Obtain(request).held);
    EXPECT_EQ(KeyOf(Obtain(request).held) == first, reuse);
  }
}

TEST_F(ObtainTest, ThePolicyIsFollowed) {
  ObtainRequest request = Wish({"a.example.org"});
  request.wish.key_type = model::KeyType::kEc384;
  request.wish.profile = "shortlived";
  request.wish.preferred_chain = "Other Root";
  request.owner = "module/mail1";
  const store::HeldCertificate held = Obtain(request).held;
  EXPECT_EQ(ca_.Of("newOrder").at(0).payload.String("profile"), "shortlived");
  EXPECT_THAT(held.current->issuer, HasSubstr("Other Root"));
  EXPECT_EQ(KeyOf(held).size(), 120u) << "SubjectPublicKeyInfo of P-384";
  EXPECT_EQ(held.certificate.policy.key_type, model::KeyType::kEc384);
  EXPECT_EQ(held.certificate.policy.profile, "shortlived");
  EXPECT_EQ(held.certificate.owner, "module/mail1");
}

TEST_F(ObtainTest, WhatIsNotSaidOfThePolicyStaysAsItWas) {
  ObtainRequest request = Wish({"a.example.org"});
  request.wish.key_type = model::KeyType::kEc384;
  Obtain(request);
  ObtainRequest again = Wish({"a.example.org"});
  EXPECT_FALSE(Obtain(again).issued);
  again.force = true;
  EXPECT_EQ(KeyOf(Obtain(again).held).size(), 120u) << "SubjectPublicKeyInfo of P-384";
}

TEST_F(ObtainTest, AnotherPolicyThanItHasIsWorkToDo) {
  Obtain({"a.example.org"});
  ObtainRequest request = Wish({"a.example.org"});
  request.wish.key_type = model::KeyType::kEc256;
  EXPECT_FALSE(Obtain(request).issued) << "said, but the same";
  request.wish.key_type = model::KeyType::kEc384;
  request.wish.reuse_key = true;
  const ObtainResult result = Obtain(request);
  EXPECT_TRUE(result.issued);
  EXPECT_EQ(KeyOf(result.held).size(), 120u) << "a key of another type cannot be used again";
  EXPECT_FALSE(Obtain(request).issued);
}

TEST_F(ObtainTest, AWildcardIsRefusedBeforeAnybodyIsAsked) {
  ObtainRequest request = Wish({"a.example.org", "*.example.org"});
  for (const bool force : {false, true}) {
    request.force = force;
    const Failure failure = Fails(request);
    EXPECT_EQ(failure.code, FailureCode::kInput);
    EXPECT_THAT(failure.identifiers, ElementsAre("*.example.org"));
  }
  EXPECT_TRUE(ca_.Requests().empty());
  EXPECT_TRUE(
      Read([](store::Session& session) { return store::ListCertificates(session, false); }).empty())
      << "nor is it wanted from now on";
}

TEST_F(ObtainTest, ASuccessEndsARowOfFailures) {
  Answers("newOrder", ProblemAnswer(403, "unauthorized", "no"));
  Fails({"a.example.org"});
  EXPECT_EQ(Held("a.example.org").certificate.failures, 1);
  ca_.before = nullptr;
  const model::ManagedCertificate certificate = Obtain({"a.example.org"}).held.certificate;
  EXPECT_EQ(certificate.failures, 0);
  EXPECT_FALSE(certificate.last_error);
}

// Who is remembered, and for which name. The owner's wish was written down at kNow.
TEST_F(ObtainTest, AModulesNameIsRememberedOnceItIsObtained) {
  const struct {
    const char* name;
    bool held;             // there was a version before
    UnixSeconds asked_at;  // of this run; 0: a renewal, or a wish of before a restart
    std::string standing;  // the module's remembered name before
    UnixSeconds standing_at;
    std::string expected;
  } kTable[] = {
      {"asked for", false, kNow, "", 0, "a.example.org"},
      {"asked for, nobody waits any more", false, 0, "", 0, "a.example.org"},
      {"in place of an older name", false, kNow, "b.example.org", kNow - 1, "a.example.org"},
      {"as late as the other", false, kNow, "b.example.org", kNow, "a.example.org"},
      {"a later one stays", false, kNow, "b.example.org", kNow + 1, "b.example.org"},
      {"a later one stays, nobody waits", false, 0, "b.example.org", kNow + 1, "b.example.org"},
      {"a date to come is none", false, kNow, "b.example.org", kNow + kDay, "a.example.org"},
      {"asked for anew, the old one expired", true, kNow + 2, "", 0, "a.example.org"},
      {"a renewal", true, 0, "a.example.org", kNow, "a.example.org"},
      {"a renewal of an obsolete one", true, 0, "b.example.org", kNow - 1, "b.example.org"},
      {"a renewal of one that was given up", true, 0, "", 0, ""},
  };
  for (const auto& row : kTable) {
    SetUpAgain();
    ObtainRequest request = Wish({"a.example.org"});
    request.owner = "module/mail1";
    request.force = true;
    if (row.held) {
      Obtain(request);
    } else {
      Cut("newOrder");
      Fails(request);
      ca_.before = nullptr;
    }
    process_->database->Write([&](store::Session& session) {
      store::DeleteNameRequest(session, request.owner);
      if (row.standing.empty()) return;
      store::SaveNameRequest(session, {request.owner, row.standing, row.standing_at});
    });
    Pass(10);
    request.asked_at = row.asked_at;
    Obtain(request);
    EXPECT_EQ(RequestOf(request.owner), row.expected) << row.name;
  }
}

TEST_F(ObtainTest, AnAdministratorIsNotRemembered) {
  ObtainRequest request = Wish({"a.example.org"});
  request.asked_at = kNow;
  Obtain(request);
  EXPECT_TRUE(
      Read([](store::Session& session) { return store::ListNameRequests(session); }).empty());
}

TEST_F(ObtainTest, ADryRunOrdersNothing) {
  const auto dry = [&](const ObtainRequest& request) {
    return testing::PrintToString(process_->obtainer.DryRun(request, {}));
  };
  const ObtainRequest request = Wish({"a.example.org"});
  EXPECT_THAT(dry(request), HasSubstr("would be registered"));
  const Failure wildcard = FailureOf([&] { dry(Wish({"*.example.org"})); });
  EXPECT_EQ(wildcard.code, FailureCode::kInput);
  EXPECT_EQ(wildcard.advice, "name the hosts one by one") << "nothing that cannot be done";
  Cut("newOrder");
  Fails(request);
  ca_.before = nullptr;
  EXPECT_THAT(dry(request), HasSubstr("carried on"));
  EXPECT_THAT(dry(request), testing::Not(HasSubstr("would be made")));
  EXPECT_EQ(ca_.Orders(), 0u);
  Obtain(request);
  ca_.Forget();
  EXPECT_THAT(dry(request), HasSubstr("nothing would be ordered"));
  EXPECT_TRUE(ca_.Requests().empty());
  ObtainRequest forced = request;
  forced.force = true;
  EXPECT_THAT(dry(forced), HasSubstr("one order would be made"));
  Cut("directory");
  clock_.Pass(std::chrono::hours(2));
  EXPECT_EQ(FailureOf([&] { dry(forced); }).code, FailureCode::kNetwork);
}

TEST_F(ObtainTest, ADryRunSaysWhatAnOpenOrderLeadsTo) {
  const auto dry = [&](const ObtainRequest& request) {
    return testing::PrintToString(process_->obtainer.DryRun(request, {}));
  };
  ObtainRequest forced = Wish({"a.example.org"});
  forced.force = true;
  for (int i = 0; i < Fuse{}.orders_per_name_set - 1; ++i) Obtain(forced);
  Cut("finalize");
  Fails(forced);
  ca_.before = nullptr;
  clock_.Pass(std::chrono::seconds(1));
  EXPECT_THAT(dry(forced), HasSubstr("carried on"));
  Meddle("DELETE FROM version");
  EXPECT_THAT(dry(Wish({"a.example.org"})), HasSubstr("carried on"))
      << "the fuse is for new orders";
  FakeCa other;
  ChangeCa("https://other.test/directory", other);
  EXPECT_THAT(dry(forced), HasSubstr("one order would be made")) << "of another CA it is given up";
}

}  // namespace
}  // namespace certwright::issue
