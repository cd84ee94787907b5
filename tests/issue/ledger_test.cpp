// The ledger over a real store; its place in an issuance: obtain_ledger_test.cpp.
#include "certwright/issue/ledger.h"

#include "certwright/store/budgets.h"
#include "fixture.h"

namespace certwright::issue {
namespace {

using model::Limit;
using model::LimitName;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kCa[] = "https://ca.test/directory";
constexpr UnixSeconds kHour = 3600;

std::vector<model::CaLimits> Limits() {
  return {{"Test CA",
           {kCa},
           {{LimitName::kOrders, 300, 3 * kHour, true, true, 30},
            {LimitName::kCertificatesPerDomain, 50, 7 * kDay, true, true, 5},
            {LimitName::kCertificatesPerExactSet, 5, 7 * kDay, true, false, 0},
            {LimitName::kFailedAuthorizations, 5, kHour, true, false, 0},
            {LimitName::kConsecutiveFailures, 1152, 1152 * kDay, true, false, 0},
            {LimitName::kAccounts, 10, 3 * kHour, false, false, 0}}}};
}

using Names = std::vector<std::string>;
Asked For(const Names& names) {
  Asked asked;
  asked.ca = kCa;
  asked.identifiers = model::ParseIdentifiers(names);
  return asked;
}
Asked For(const char* name) { return For(Names{name}); }

Asked Renewing(Asked asked) {
  asked.renewal = true;
  return asked;
}

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() : database_(store::Database::Open(temp_.path() / "state")) {}

  // As an order that has never been.
  model::OrderRecord Admit(const Asked& asked, bool forced = false) {
    model::OrderRecord order;
    order.directory = asked.ca;
    order.identifiers = asked.identifiers;
    order.replaces = asked.replaces ? "its certID" : "";
    order.forced = forced;
    const auto held = HeldFor(asked);
    database_->Write([&](store::Session& session) { ledger_.Admit(session, order, held, now_); });
    return order;
  }
  static std::optional<model::CertificateVersion> HeldFor(const Asked& asked) {
    if (!asked.renewal) return std::nullopt;
    model::CertificateVersion held;
    held.ca = asked.same_set ? asked.ca : "https://another.test/directory";
    return held;
  }
  void Fail(model::OrderRecord& order, const Failure& failure,
            model::OrderState reached = model::OrderState::kValidating) {
    database_->Write([&](store::Session& session) {
      ledger_.Failed(session, order, failure, reached, now_);
    });
  }
  static Failure RefusedBy(const std::string& type, const std::vector<std::string>& names) {
    Failure failure;
    failure.code = FailureCode::kRefused;
    failure.acme_type = type;
    failure.identifiers = names;
    return failure;
  }
  Failure Refused(const Asked& asked) {
    return FailureOf([&] { Admit(asked); });
  }
  // Orders for so many names below the domain, made one after the other.
  void Use(int orders, const std::string& domain) {
    for (int i = 0; i < orders; ++i) Admit(Renewing(For(Names{Cat("n", used_++, ".", domain)})));
  }
  std::int64_t Left(LimitName name, const std::string& subject) {
    return database_->Read([&](store::Session& session) {
      for (const LedgerEntry& entry : ledger_.Entries(session, now_)) {
        if (entry.limit.name == name && entry.subject == subject) return entry.room.left;
      }
      return std::int64_t{-1};  // untouched
    });
  }
  // The CA answers newOrder with that.
  void Learn(const Asked& asked, const std::string& words, UnixSeconds retry_in) {
    Failure failure;
    failure.code = FailureCode::kRateLimited;
    failure.acme_type = "rateLimited";
    failure.detail = words;
    failure.retry_at = retry_in == 0 ? 0 : now_ + retry_in;
    model::OrderRecord order;
    order.directory = asked.ca;
    order.identifiers = asked.identifiers;
    Fail(order, failure, model::OrderState::kCreating);
  }

  TempDir temp_;
  std::unique_ptr<store::Database> database_;
  Ledger ledger_{Limits()};
  UnixSeconds now_ = kNow;
  int used_ = 0;
};

TEST_F(LedgerTest, TakesOneOfEachLimitForAnOrder) {
  Admit(For(Names{"a.example.org", "b.example.org", "c.example.net"}));
  EXPECT_EQ(Left(LimitName::kOrders, ""), 299);
  EXPECT_EQ(Left(LimitName::kCertificatesPerDomain, "example.org"), 49) << "one certificate";
  EXPECT_EQ(Left(LimitName::kCertificatesPerDomain, "example.net"), 49);
  EXPECT_EQ(Left(LimitName::kCertificatesPerExactSet, "a.example.org,b.example.org,c.example.net"),
            4);
  EXPECT_EQ(Left(LimitName::kFailedAuthorizations, "a.example.org"), -1) << "nothing failed";
}

TEST_F(LedgerTest, SaysWhichLimitIsUsedUpForWhatAndUntilWhen) {
  for (int i = 0; i < 5; ++i) Admit(For("a.example.org"));
  const Failure failure = Refused(For("a.example.org"));
  EXPECT_EQ(failure.code, FailureCode::kRateLimited);
  EXPECT_EQ(failure.acme_type, "") << "the CA said nothing";
  EXPECT_THAT(failure.detail, HasSubstr("refused here before Test CA would: 5 of 5 certificates "
                                        "for exactly these names within 168 hours are used"));
  EXPECT_THAT(failure.detail, HasSubstr(FormatUtc(failure.retry_at)));
  EXPECT_THAT(failure.advice, HasSubstr("--force"));
  EXPECT_THAT(failure.identifiers, ElementsAre("a.example.org"));
  EXPECT_EQ(failure.retry_at, kNow + 120960) << "one each 33.6 hours";
  EXPECT_EQ(Left(LimitName::kOrders, ""), 295) << "what is refused takes nothing";
  now_ = failure.retry_at - 1;
  Refused(For("a.example.org"));
  now_ = failure.retry_at;
  Admit(For("a.example.org"));
}

TEST_F(LedgerTest, NamesTheLimitThatTakesLongest) {
  for (int i = 0; i < 5; ++i) Admit(For(Names{"a.example.org", "a.example.net"}));
  Use(45, "example.org");
  const Failure failure = Refused(Renewing(For(Names{"a.example.org", "a.example.net"})));
  EXPECT_THAT(failure.detail, HasSubstr("exactly these names"));
  const Failure other = Refused(Renewing(For(Names{"b.example.org", "b.example.net"})));
  EXPECT_THAT(other.detail, HasSubstr("50 of 50 certificates for example.org"));
  EXPECT_THAT(other.identifiers, ElementsAre("b.example.org")) << "not the other domain's";
}

TEST_F(LedgerTest, KeepsRoomForRenewals) {
  Use(45, "example.org");
  const Failure failure = Refused(For("new.example.org"));
  EXPECT_THAT(failure.detail, HasSubstr("45 of 50 certificates for example.org"));
  EXPECT_THAT(failure.detail, HasSubstr("the last 5 are kept for renewals"));
  EXPECT_EQ(failure.retry_at, kNow + 12096);
  Use(5, "example.org");
  EXPECT_EQ(Left(LimitName::kCertificatesPerDomain, "example.org"), 0);
  EXPECT_THAT(Refused(Renewing(For("x.example.org"))).detail, HasSubstr("50 of 50"));
  Admit(For("new.example.net"));
}

TEST_F(LedgerTest, LetsThroughWhatTheCaExempts) {
  for (int i = 0; i < 5; ++i) Admit(For("a.example.org"));
  Use(45, "example.org");
  Asked same_set = Renewing(For("b.example.org"));
  same_set.same_set = true;
  Admit(same_set);
  EXPECT_EQ(Left(LimitName::kCertificatesPerDomain, "example.org"), 0);
  EXPECT_EQ(Left(LimitName::kOrders, ""), 250) << "takes nothing of it";
  EXPECT_EQ(Left(LimitName::kCertificatesPerExactSet, "b.example.org"), 4) << "but of this";
  Asked replaces = Renewing(For("a.example.org"));
  replaces.replaces = true;
  Admit(replaces);
  EXPECT_EQ(Left(LimitName::kCertificatesPerExactSet, "a.example.org"), 0) << "nothing of anything";
}

TEST_F(LedgerTest, CountsAfterAllWhatTheCaDidNotTakeForAReplacement) {
  Asked asked = Renewing(For("a.example.org"));
  asked.replaces = asked.same_set = true;
  model::OrderRecord order = Admit(asked);
  EXPECT_TRUE(order.counted.empty());
  EXPECT_EQ(Left(LimitName::kCertificatesPerExactSet, "a.example.org"), -1);
  order.replaces.clear();
  for (int i = 0; i < 2; ++i) {  // also where it is told twice
    database_->Write([&](store::Session& session) {
      ledger_.DropReplaces(session, order, HeldFor(asked), now_);
    });
    EXPECT_EQ(Left(LimitName::kCertificatesPerExactSet, "a.example.org"), 4);
    EXPECT_EQ(Left(LimitName::kOrders, ""), -1) << "it is still for the same set";
  }
}

TEST_F(LedgerTest, ForcePassesAndIsCounted) {
  for (int i = 0; i < 5; ++i) Admit(For("a.example.org"));
  Admit(For("a.example.org"), true);
  EXPECT_EQ(Refused(For("a.example.org")).retry_at, kNow + 2 * 120960);
}

TEST_F(LedgerTest, GivesBackWhatCameToNothing) {
  Failure limited;
  limited.code = FailureCode::kRateLimited;
  limited.acme_type = "rateLimited";
  Failure network;
  network.code = FailureCode::kNetwork;
  const auto url = [](model::OrderRecord& order) { order.url = "https://ca.test/order/1"; };
  const struct {
    const char* name;
    std::function<void(model::OrderRecord&)> arrange;
    Failure failure;
    bool given_up;
    std::int64_t orders;  // left; -1: untouched
    std::int64_t set;
  } kTable[] = {
      {"the CA made no order", [](auto& order) { order.state = model::OrderState::kFailed; },
       RefusedBy("rejectedIdentifier", {}), false, -1, -1},
      {"not validated",
       [&](auto& order) {
         url(order);
         order.state = model::OrderState::kFailed;
       },
       RefusedBy("unauthorized", {}), false, 299, -1},
      {"it may have been made", [](auto&) {}, network, false, 299, 4},
      {"under way",
       [&](auto& order) {
         url(order);
         order.state = model::OrderState::kValidating;
       },
       limited, false, 0, 4},
      {"issued, and not what was asked for",
       [&](auto& order) {
         url(order);
         order.certificate_url = "https://ca.test/cert/1";
         order.state = model::OrderState::kFailed;
       },
       RefusedBy("", {}), false, 299, 4},
      {"given up", url, {}, true, 299, -1},
      {"given up when it may have been issued",
       [&](auto& order) {
         url(order);
         order.state = model::OrderState::kProcessing;
       },
       {}, true, 299, 4},
  };
  for (const auto& row : kTable) {
    database_->Write([](store::Session& session) {
      store::PruneBudgets(session, kNow + 10'000 * kDay);
    });
    model::OrderRecord order = Admit(For("a.example.org"));
    row.arrange(order);
    for (int i = 0; i < 2; ++i) {  // told twice, given back once
      if (row.given_up) {
        database_->Write(
            [&](store::Session& session) { ledger_.GiveUp(session, order, now_); });
      } else {
        Fail(order, row.failure);
      }
      EXPECT_EQ(Left(LimitName::kOrders, ""), row.orders) << row.name;
      EXPECT_EQ(Left(LimitName::kCertificatesPerExactSet, "a.example.org"), row.set) << row.name;
      EXPECT_EQ(Left(LimitName::kCertificatesPerDomain, "example.org"), row.set < 0 ? -1 : 49)
          << row.name;
    }
  }
}

TEST_F(LedgerTest, RefusesANameThatFailedTooOften) {
  for (int i = 0; i < 5; ++i) {
    model::OrderRecord order = Admit(For(Names{"a.example.org", "b.example.org"}));
    order.url = "https://ca.test/order/1";
    order.state = model::OrderState::kFailed;
    Fail(order, RefusedBy("unauthorized", {"a.example.org"}));
    Fail(order, RefusedBy("caa", {"b.example.org"}), model::OrderState::kProcessing);
  }
  const Failure failure = Refused(For(Names{"a.example.org", "b.example.org"}));
  EXPECT_THAT(failure.detail, HasSubstr("5 of 5 failed validations of a.example.org within 1 hour"));
  EXPECT_THAT(failure.identifiers, ElementsAre("a.example.org"));
  EXPECT_EQ(failure.retry_at, kNow + 720);
  Admit(For("b.example.org"));
  EXPECT_EQ(Left(LimitName::kConsecutiveFailures, "a.example.org"), 1147);
  model::OrderRecord order;
  order.directory = kCa;
  order.identifiers = For("a.example.org").identifiers;
  database_->Write([&](store::Session& session) { ledger_.Succeeded(session, order); });
  EXPECT_EQ(Left(LimitName::kConsecutiveFailures, "a.example.org"), -1) << "one succeeded";
  EXPECT_EQ(Left(LimitName::kFailedAuthorizations, "a.example.org"), 0) << "those stay";
}

TEST_F(LedgerTest, CountsAccounts) {
  const auto admit = [&] {
    database_->Write([&](store::Session& session) { ledger_.AdmitAccount(session, kCa, now_); });
  };
  for (int i = 0; i < 10; ++i) admit();
  const Failure failure = FailureOf(admit);
  EXPECT_THAT(failure.detail, HasSubstr("10 of 10 new accounts within 3 hours"));
  EXPECT_EQ(failure.retry_at, kNow + 1080);
}

TEST_F(LedgerTest, LearnsFromTheCa) {
  const std::string domain =
      "too many certificates (50) already issued for \"example.org\" in the last 168h0m0s";
  const Asked two = For(Names{"a.example.org", "a.example.net"});
  const struct {
    const char* name;
    Asked asked;
    std::string words;
    UnixSeconds retry_in;
    LimitName limit;
    const char* subject;
    UnixSeconds next_in;  // 0: nothing was learned
  } kTable[] = {
      {"of a domain", two, domain, 3000, LimitName::kCertificatesPerDomain, "example.org", 3000},
      {"with the time in words, beyond what Retry-After may say", two,
       domain + ", retry after " + FormatUtc(kNow + 100'000).substr(0, 10) + " " +
           FormatUtc(kNow + 100'000).substr(11, 8) + " UTC",
       3000, LimitName::kCertificatesPerDomain, "example.org", 100'000},
      {"of a domain that was not asked for", two,
       "too many certificates (50) already issued for \"google.com\"", 3000,
       LimitName::kCertificatesPerDomain, "google.com", 0},
      {"of the only domain, without its name", For("a.example.org"),
       "too many certificates already issued", 3000, LimitName::kCertificatesPerDomain,
       "example.org", 3000},
      {"of the set", two, "too many certificates (5) already issued for this exact set", 99,
       LimitName::kCertificatesPerExactSet, "a.example.net,a.example.org", 99},
      {"of orders", two, "too many new orders (300) from this account", 36, LimitName::kOrders, "",
       36},
      {"of failures", two, "too many failed authorizations (5) for \"a.example.net\"", 700,
       LimitName::kFailedAuthorizations, "a.example.net", 700},
      {"of accounts", two, "too many new registrations (10)", 500, LimitName::kAccounts, "", 500},
      {"unknown words", two, "Bitte sp\xc3\xa4ter", 1234, LimitName::kOrders, "", 1234},
      {"no time", two, "too many new orders", 0, LimitName::kOrders, "", 36},
  };
  for (const auto& row : kTable) {
    database_->Write([](store::Session& session) {
      store::PruneBudgets(session, kNow + 10'000 * kDay);
    });
    Learn(row.asked, row.words, row.retry_in);
    const auto entries = database_->Read(
        [&](store::Session& session) { return ledger_.Entries(session, kNow); });
    if (row.next_in == 0) {
      EXPECT_TRUE(entries.empty()) << row.name;
      continue;
    }
    ASSERT_EQ(entries.size(), 1u) << row.name;
    EXPECT_EQ(entries[0].limit.name, row.limit) << row.name;
    EXPECT_EQ(entries[0].subject, row.subject) << row.name;
    EXPECT_EQ(entries[0].room.left, 0) << row.name;
    EXPECT_EQ(entries[0].room.next_at, kNow + row.next_in) << row.name;
  }
}

TEST_F(LedgerTest, ACaWithoutLimitsHasNone) {
  Asked asked = For("a.example.org");
  asked.ca = "https://other.test/directory";
  for (int i = 0; i < 1000; ++i) Admit(asked);
  Learn(asked, "too many new orders", 100);
  Admit(asked);
  EXPECT_TRUE(database_
                  ->Read([&](store::Session& session) { return ledger_.Entries(session, now_); })
                  .empty());
}

TEST_F(LedgerTest, ForeseesWherePlannedOrdersRunIntoALimit) {
  Use(48, "example.org");
  const auto plan = [](const char* name, UnixSeconds in, bool replaces = false) {
    Planned planned{Renewing(For(name)), kNow + in};
    planned.asked.replaces = replaces;
    return planned;
  };
  const std::vector<Planned> planned = {
      plan("a.example.org", 10), plan("b.example.org", 20, true), plan("c.example.org", 30),
      plan("d.example.org", 40), plan("e.example.org", 40 + 12096), plan("f.example.net", 50'000)};
  const auto forecasts = database_->Read(
      [&](store::Session& session) { return ledger_.Foresee(session, planned, now_); });
  ASSERT_EQ(forecasts.size(), 6u);
  EXPECT_FALSE(forecasts[0].shortage);
  EXPECT_FALSE(forecasts[1].shortage);
  EXPECT_TRUE(forecasts[1].needs.front().exempt);
  EXPECT_FALSE(forecasts[2].shortage) << "the fiftieth";
  ASSERT_TRUE(forecasts[3].shortage);
  EXPECT_EQ(forecasts[3].shortage->need.subject, "example.org");
  EXPECT_EQ(forecasts[3].shortage->room.next_at, kNow + 12096);
  ASSERT_TRUE(forecasts[4].shortage) << "what came back was for the one before";
  EXPECT_EQ(forecasts[4].shortage->room.next_at, kNow + 2 * 12096);
  EXPECT_FALSE(forecasts[5].shortage);
  EXPECT_EQ(Left(LimitName::kCertificatesPerDomain, "example.org"), 2) << "nothing was taken";
}

TEST_F(LedgerTest, ALimitThatWasChangedCountsWhatWasOrdered) {
  for (int i = 0; i < 3; ++i) Admit(For("a.example.org"));
  auto changed = Limits();
  for (Limit& limit : changed.front().limits) {
    if (limit.name == LimitName::kCertificatesPerExactSet) limit.window /= 7;
  }
  const Ledger after{changed};
  database_->Read([&](store::Session& session) {
    for (const LedgerEntry& entry : after.Entries(session, now_)) {
      if (entry.limit.name != LimitName::kCertificatesPerExactSet) continue;
      EXPECT_EQ(entry.room.left, 2);
    }
  });
}

TEST_F(LedgerTest, TellsWhenOnePassesThatRenewsNothing) {
  Use(46, "example.org");
  database_->Read([&](store::Session& session) {
    for (const LedgerEntry& entry : ledger_.Entries(session, now_)) {
      if (entry.limit.name != LimitName::kCertificatesPerDomain) continue;
      EXPECT_EQ(entry.room.left, 4);
      EXPECT_EQ(entry.new_at, kNow + 2 * 12096) << "the last five are kept for renewals";
    }
  });
}

TEST_F(LedgerTest, AClockThatIsPutBackDoesNotLockUp) {
  for (int i = 0; i < 5; ++i) Admit(For("a.example.org"));
  now_ = kNow - 3000 * kDay;
  EXPECT_EQ(Refused(For("a.example.org")).retry_at, now_ + 120960);
}

}  // namespace
}  // namespace certwright::issue
