#include "certwright/store/accounts.h"
#include "certwright/store/events.h"
#include "certwright/store/orders.h"
#include "certwright/store/settings.h"
#include "store_fixture.h"

namespace certwright::store {
namespace {

class Orders : public StoreTest {
 protected:
  model::OrderRecord Insert(model::OrderRecord order) {
    order.id = database().Write([&](Session& s) { return InsertOrder(s, order); });
    return order;
  }
  void Save(const model::OrderRecord& order) {
    database().Write([&](Session& s) { SaveOrder(s, order); });
  }
};

model::OrderRecord FullOrder(std::int64_t certificate_id) {
  model::OrderRecord order;
  order.certificate_id = certificate_id;
  order.directory = "https://ca.example/dir";
  order.identifiers = {{model::IdentifierType::kDns, "a.example.org"},
                       {model::IdentifierType::kIp, "2001:db8::1"}};
  order.profile = "classic";
  order.preferred_chain = "Root";
  order.replaces = "a.b";
  order.key_pem = Secret("key");
  order.state = model::OrderState::kValidating;
  order.url = "https://ca.example/order";
  order.finalize_url = "https://ca.example/finalize";
  order.certificate_url = "https://ca.example/certificate";
  order.authorizations = {
      {"https://ca.example/1", order.identifiers[0], "https://ca.example/c1", "token", true},
      {"https://ca.example/2\twith\\odd\nbytes", order.identifiers[1], "", "", false}};
  order.chain_pem = "chain";
  order.attempts = 3;
  order.forced = true;
  order.leftover = true;
  order.counted = {model::LimitName::kOrders, model::LimitName::kCertificatesPerDomain};
  order.failure = Failure{};
  order.failure->code = FailureCode::kServer;
  order.failure->detail = "the CA is ill";
  order.failure->subproblems = {{"caa", "detail", "a.example.org"}};
  order.created_at = 10;
  order.updated_at = 20;
  return order;
}

void ExpectSame(const model::OrderRecord& a, const model::OrderRecord& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.certificate_id, b.certificate_id);
  EXPECT_EQ(a.directory, b.directory);
  EXPECT_EQ(a.identifiers, b.identifiers);
  EXPECT_EQ(a.profile, b.profile);
  EXPECT_EQ(a.preferred_chain, b.preferred_chain);
  EXPECT_EQ(a.replaces, b.replaces);
  EXPECT_EQ(a.key_pem, b.key_pem);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.url, b.url);
  EXPECT_EQ(a.finalize_url, b.finalize_url);
  EXPECT_EQ(a.certificate_url, b.certificate_url);
  EXPECT_EQ(a.authorizations, b.authorizations);
  EXPECT_EQ(a.chain_pem, b.chain_pem);
  EXPECT_EQ(a.attempts, b.attempts);
  ASSERT_EQ(a.failure.has_value(), b.failure.has_value());
  if (a.failure) {
    EXPECT_EQ(SerializeFailure(*a.failure), SerializeFailure(*b.failure));
  }
  EXPECT_EQ(a.forced, b.forced);
  EXPECT_EQ(a.leftover, b.leftover);
  EXPECT_EQ(a.counted, b.counted);
  EXPECT_EQ(a.created_at, b.created_at);
  EXPECT_EQ(a.updated_at, b.updated_at);
}

TEST_F(Orders, KeepEveryField) {
  const auto certificate = Ensure({"a.example.org"});
  const auto other = Ensure({"b.example.org"});
  auto order = Insert(FullOrder(certificate.id));
  ExpectSame(*database().Read([&](Session& s) { return FindOrder(s, order.id); }), order);
  // Each field once more, by the update.
  const std::int64_t id = order.id;
  order = model::OrderRecord{};
  order.id = id;
  order.certificate_id = other.id;
  Save(order);
  ExpectSame(*database().Read([&](Session& s) { return FindOrder(s, id); }), order);
  auto full = FullOrder(certificate.id);
  full.id = id;
  Save(full);
  ExpectSame(*database().Read([&](Session& s) { return FindOrder(s, id); }), full);
}

TEST_F(Orders, AreOpenInEveryStateButTheLastTwo) {
  const auto certificate = Ensure({"a.example.org"});
  model::OrderRecord order;
  order.certificate_id = certificate.id;
  order = Insert(order);
  using model::OrderState;
  for (const auto state :
       {OrderState::kCreating, OrderState::kPending, OrderState::kValidating, OrderState::kReady,
        OrderState::kProcessing, OrderState::kIssued, OrderState::kDone, OrderState::kFailed}) {
    order.state = state;
    Save(order);
    const bool open = state != OrderState::kDone && state != OrderState::kFailed;
    database().Read([&](Session& s) {
      EXPECT_EQ(FindOpenOrders(s, certificate.id).size(), open ? 1u : 0u) << OrderStateName(state);
      EXPECT_EQ(ListOpenOrders(s).size(), open ? 1u : 0u) << OrderStateName(state);
    });
  }
}

TEST_F(Orders, AreListedNewestFirst) {
  const auto certificate = Ensure({"a.example.org"});
  model::OrderRecord order;
  order.certificate_id = certificate.id;
  for (int i = 1; i <= 3; ++i) {
    order.attempts = i;
    Insert(order);
  }
  const auto orders = database().Read([&](Session& s) { return ListOrders(s, certificate.id, 2); });
  ASSERT_EQ(orders.size(), 2u);
  EXPECT_EQ(orders[0].attempts, 3);
  EXPECT_EQ(orders[1].attempts, 2);
  EXPECT_EQ(
      database().Read([&](Session& s) { return FindOpenOrders(s, certificate.id); }).front().attempts, 3);
}

TEST_F(Orders, AreCountedForTheFuseAlsoAfterADeletion) {
  auto certificate = Ensure({"a.example.org"});
  const auto other = Ensure({"b.example.org"});
  model::OrderRecord order;
  for (const UnixSeconds at : {100, 200, 300}) {
    order.certificate_id = certificate.id;
    order.created_at = at;
    Insert(order);
  }
  order.certificate_id = other.id;
  Insert(order);
  const auto count = [&](UnixSeconds since) {
    return database().Read([&](Session& s) { return CountOrdersSince(s, certificate.name_set, since); });
  };
  EXPECT_EQ(count(0), 3);
  EXPECT_EQ(count(200), 2);
  EXPECT_EQ(count(301), 0);
  database().Write([&](Session& s) { DeleteCertificate(s, certificate.id); });
  certificate = Ensure({"a.example.org"});
  EXPECT_EQ(count(0), 3);
  const auto time = [&](int n) {
    return database().Read([&](Session& s) { return TimeOfOrder(s, certificate.name_set, n); });
  };
  EXPECT_EQ(time(1), 300);
  EXPECT_EQ(time(3), 100);
  EXPECT_EQ(time(4), 0);
}

TEST_F(Orders, AreNotCountedForEver) {
  constexpr UnixSeconds kYear = 365 * 24 * 3600;  // the longest window that the fuse can have
  model::OrderRecord order;
  order.certificate_id = Ensure({"a.example.org"}).id;
  for (const UnixSeconds at : {UnixSeconds{100}, kYear, 2 * kYear}) {
    order.created_at = at;
    Insert(order);
  }
  EXPECT_EQ(database().Read([](Session& s) { return CountOrdersSince(s, "a.example.org", 0); }), 2);
}

TEST_F(Orders, OfADeletedCertificateCannotBeSavedOverANewOne) {
  const auto certificate = Ensure({"a.example.org"});
  const auto stale = Insert(FullOrder(certificate.id));
  database().Write([&](Session& s) { DeleteCertificate(s, certificate.id); });
  const auto fresh = Insert(FullOrder(Ensure({"a.example.org"}).id));
  EXPECT_NE(fresh.id, stale.id);
  EXPECT_EQ(FailureOf([&] { Save(stale); }).code, FailureCode::kNotFound);
}

class Accounts : public StoreTest {};

TEST_F(Accounts, AreKeptByDirectory) {
  model::Account account{"https://ca.example/dir", Secret("key"), "", {}, "", "", 5, {}};
  const auto save = [&] { database().Write([&](Session& s) { SaveAccount(s, account); }); };
  save();
  account.url = "https://ca.example/account/1";
  account.contact = {"mailto:a@example.org", "", "odd\nbytes\\n"};
  account.status = "valid";
  account.terms = "https://ca.example/terms";
  account.next_key_pem = Secret("next");
  save();
  const auto read =
      database().Read([&](Session& s) { return FindAccount(s, account.directory); });
  ASSERT_TRUE(read);
  EXPECT_EQ(read->key_pem, account.key_pem);
  EXPECT_EQ(read->url, account.url);
  EXPECT_EQ(read->contact, account.contact);
  EXPECT_EQ(read->status, account.status);
  EXPECT_EQ(read->terms, account.terms);
  EXPECT_EQ(read->next_key_pem, account.next_key_pem);
  EXPECT_EQ(read->created_at, 5);
  EXPECT_FALSE(database().Read([](Session& s) { return FindAccount(s, "https://other"); }));
  account.directory = "https://another.example/dir";
  save();
  const auto all = database().Read([](Session& s) { return ListAccounts(s); });
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].directory, account.directory);
}

class Outbox : public StoreTest {
 protected:
  static model::Event Sample() {
    model::Event event{
        0, "certificate-failed", "parked", {"a.example.org", "b.example.org"}, 7, 90, {}, 100};
    event.failure = Failure{};
    event.failure->detail = "the CA said no";
    return event;
  }
};

TEST_F(Outbox, NumbersEventsInOrder) {
  database().Write([&](Session& s) {
    EXPECT_EQ(LastEvent(s), 0);
    for (int i = 0; i < 3; ++i) AppendEvent(s, Sample());
  });
  const auto events = database().Read([](Session& s) { return ListEvents(s, 1, 10); });
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].seq, 2);
  EXPECT_EQ(events[1].seq, 3);
  EXPECT_EQ(events[0].name, "certificate-failed");
  EXPECT_EQ(events[0].reason, "parked");
  EXPECT_EQ(events[0].not_after, 90);
  EXPECT_EQ(events[0].failure, Sample().failure);
  EXPECT_EQ(events[0].names, Sample().names);
  EXPECT_EQ(events[0].certificate_id, 7);
  EXPECT_EQ(events[0].created_at, 100);
  EXPECT_EQ(database().Read([](Session& s) { return ListEvents(s, 0, 1); }).size(), 1u);
}

TEST_F(Outbox, IsUndoneWithTheChangeThatItTells) {
  EXPECT_THROW(database().Write([&](Session& s) {
    AppendEvent(s, Sample());
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  EXPECT_EQ(database().Read([](Session& s) { return LastEvent(s); }), 0);
}

class Retained : public Outbox {
 protected:
  void Append(int count, const char* kind = "certificate-changed", UnixSeconds at = 100) {
    database().Write([&](Session& s) {
      model::Event event = Sample();
      event.name = kind;
      event.created_at = at;
      for (int i = 0; i < count; ++i) AppendEvent(s, event);
    });
  }
  void Pass(const char* who, std::int64_t seq) {
    database().Write([&](Session& s) { SavePosition(s, who, seq, 1); });
  }
  // The first one that is left, and who lost something.
  std::pair<std::int64_t, std::vector<std::string>> Prune(UnixSeconds now = 100) {
    const auto lost =
        database().Write([&](Session& s) { return PruneEvents(s, {10, 1000}, now); });
    return {database().Read(FirstEvent), lost};
  }
  using Outcome = std::pair<std::int64_t, std::vector<std::string>>;
};

TEST_F(Retained, ByCountWhatEverybodyHasPassed) {
  Append(30);
  Pass("quick", 30);
  Pass("slow", 4);
  EXPECT_EQ(Prune(), Outcome(5, {}));
  Pass("slow", 30);
  EXPECT_EQ(Prune(), Outcome(21, {}));
}

TEST_F(Retained, NothingForWhoIsGone) {
  Append(30);
  Pass("gone", 4);
  database().Write([](Session& s) { DeletePosition(s, "gone"); });
  EXPECT_EQ(Prune(), Outcome(21, {}));
}

TEST_F(Retained, OfOtherKindsNothingForWhoIsToldOfOne) {
  Append(5, "hosts-changed");
  Append(1);
  Append(24, "hosts-changed");
  Pass("slow", 2);
  database().Write([](Session& s) {
    SaveKinds(s, "slow", {"certificate-failed", "certificate-changed"});
  });
  EXPECT_EQ(Prune(), Outcome(6, {}));
  Pass("slow", 6);
  EXPECT_EQ(Prune(), Outcome(21, {}));
}

TEST_F(Retained, ByAgeAndNeverTheLastOne) {
  Append(3, "certificate-changed", 100);
  Append(3, "certificate-changed", 900);
  EXPECT_EQ(Prune(1100), Outcome(1, {}));
  EXPECT_EQ(Prune(1101), Outcome(4, {}));
  EXPECT_EQ(Prune(99'999), Outcome(6, {}));
  EXPECT_EQ(database().Read(LastEvent), 6);
}

TEST_F(Retained, NotWithoutAnEndForWhoIsTooSlow) {
  Append(130);
  Pass("slow", 4);
  EXPECT_EQ(Prune(), Outcome(31, {"slow"}));
  EXPECT_EQ(Prune(), Outcome(31, {})) << "its next one is there now";
}

TEST_F(Outbox, ListsAndCountsByKind) {
  database().Write([&](Session& s) {
    for (const char* kind : {"a-b", "a", "a-b", "b"}) {
      AppendEvent(s, kind, "set", {}, 1);
    }
  });
  const struct {
    Kinds kinds;
    std::size_t count;
    std::int64_t before_last;
  } kTable[] = {{{}, 4, 3}, {{"a"}, 1, 2}, {{"a-b"}, 2, 3}, {{"a", "b"}, 2, 2}, {{"x"}, 0, 0}};
  for (const auto& row : kTable) {
    database().Read([&](Session& s) {
      EXPECT_EQ(ListEvents(s, 0, 10, row.kinds).size(), row.count);
      EXPECT_EQ(CountEvents(s, 0, row.kinds), static_cast<std::int64_t>(row.count));
      EXPECT_EQ(EventBefore(s, 4, row.kinds), row.before_last);
    });
  }
}

TEST_F(Outbox, RemembersHowADeliveryFails) {
  database().Write([](Session& s) {
    SavePosition(s, "one", 3, 1);
    SaveKinds(s, "one", {"a", "b"});
    RecordDeliveryFailure(s, "one", "exit code 1", 12, 10);
    RecordDeliveryFailure(s, "one", "exit code 2", 24, 20);
  });
  FeedPosition one = database().Read(ListPositions).at(0);
  EXPECT_EQ(one.subscriber, "one");
  EXPECT_EQ(one.seq, 3);
  EXPECT_EQ(one.kinds, (Kinds{"a", "b"}));
  EXPECT_EQ(one.failures, 2);
  EXPECT_EQ(one.failing_since, 10);
  EXPECT_EQ(one.next_try, 24);
  EXPECT_EQ(one.last_error, "exit code 2");
  database().Write([](Session& s) { SavePosition(s, "one", 4, 30); });
  one = database().Read(ListPositions).at(0);
  EXPECT_EQ(one.failures, 0);
  EXPECT_EQ(one.last_error, "");
  EXPECT_EQ(one.kinds, (Kinds{"a", "b"}));
}

TEST_F(Outbox, RemembersPositions) {
  database().Write([](Session& s) {
    EXPECT_FALSE(FindPosition(s, "traefik"));
    SavePosition(s, "traefik", 0, 1);
    EXPECT_EQ(FindPosition(s, "traefik"), 0);
    SavePosition(s, "traefik", 5, 2);
    EXPECT_EQ(FindPosition(s, "traefik"), 5);
    EXPECT_FALSE(FindPosition(s, "handlers"));
  });
}

class Settings : public StoreTest {};

TEST_F(Settings, KeepOneSelfSignedPairApartFromTheCertificates) {
  EXPECT_FALSE(database().Read([](Session& s) { return FindSelfSigned(s); }));
  for (const char* serial : {"01", "02"}) {
    database().Write([&](Session& s) {
      auto version = VersionFor({}, serial);
      version.names = {{model::IdentifierType::kDns, "node.example.org"}};
      SaveSelfSigned(s, version);
    });
  }
  database().Read([](Session& s) {
    const auto pair = FindSelfSigned(s);
    ASSERT_TRUE(pair);
    EXPECT_EQ(pair->serial_hex, "02");
    EXPECT_EQ(pair->key_pem.Reveal(), "KEY-02-KEY");
    EXPECT_EQ(pair->origin, model::Origin::kSelfSigned);
    EXPECT_EQ(pair->certificate_id, 0);
    EXPECT_FALSE(FindBySerial(s, "02"));
    EXPECT_TRUE(FindCovering(s, "node.example.org").empty());
    EXPECT_TRUE(ListCertificates(s, true).empty());
  });
}

TEST_F(Settings, RememberOneNameForEachModule) {
  database().Write([](Session& s) {
    SaveNameRequest(s, {"module/mail1", "a.example.org", 1});
    SaveNameRequest(s, {"module/mail1", "b.example.org", 2});
    SaveNameRequest(s, {"module/a1", "c.example.org", 3});
    EXPECT_EQ(FindNameRequest(s, "module/mail1")->fqdn, "b.example.org");
    EXPECT_EQ(FindNameRequest(s, "module/mail1")->created_at, 2);
    ASSERT_EQ(ListNameRequests(s).size(), 2u);
    EXPECT_EQ(ListNameRequests(s)[0].owner, "module/a1");
    DeleteNameRequest(s, "module/mail1");
    EXPECT_FALSE(FindNameRequest(s, "module/mail1"));
    EXPECT_TRUE(FindNameRequest(s, "module/a1"));
  });
}

}  // namespace
}  // namespace certwright::store
