#include "certwright/store/certificates.h"

#include "certwright/store/renewals.h"
#include "store_fixture.h"

namespace certwright::store {
namespace {

class Certificates : public StoreTest {
 protected:
  std::optional<HeldCertificate> Find(std::int64_t id) {
    return database().Read([&](Session& s) { return FindById(s, id); });
  }
};

TEST_F(Certificates, KeepsEveryFieldOfAVersion) {
  const auto certificate = Ensure({"a.example.org", "b.example.org"});
  auto version = VersionFor(certificate);
  version.names.push_back({model::IdentifierType::kIp, "2001:db8::1"});
  version.origin = model::Origin::kUpload;
  version.expiry_told = 2;
  version.revocation_reason = "superseded";
  version.revoke_with_key = true;
  version.revoke_replaced = true;
  version.revoked_at = 77;
  const auto id = database().Write(
      [&](Session& s) { return AddCurrentVersion(s, version, 5000, 2000); });
  const auto held = Find(certificate.id);
  ASSERT_TRUE(held && held->current);
  EXPECT_EQ(held->certificate.current_version, id);
  EXPECT_EQ(held->certificate.next_action_at, 5000);
  EXPECT_EQ(held->certificate.updated_at, 2000);
  const auto& read = *held->current;
  EXPECT_EQ(read.id, id);
  EXPECT_EQ(read.certificate_id, certificate.id);
  EXPECT_EQ(read.chain_pem, version.chain_pem);
  EXPECT_EQ(read.key_pem, version.key_pem);
  EXPECT_EQ(read.serial_hex, version.serial_hex);
  EXPECT_EQ(read.fingerprint, version.fingerprint);
  EXPECT_EQ(read.subject, version.subject);
  EXPECT_EQ(read.issuer, version.issuer);
  EXPECT_EQ(read.names, version.names);
  EXPECT_EQ(read.not_before, version.not_before);
  EXPECT_EQ(read.not_after, version.not_after);
  EXPECT_EQ(read.ari_id, version.ari_id);
  EXPECT_EQ(read.ca, version.ca);
  EXPECT_EQ(read.origin, version.origin);
  EXPECT_EQ(read.created_at, version.created_at);
  EXPECT_EQ(read.expiry_told, version.expiry_told);
  EXPECT_EQ(read.revocation_reason, version.revocation_reason);
  EXPECT_TRUE(read.revoke_with_key);
  EXPECT_TRUE(read.revoke_replaced);
  EXPECT_EQ(read.revoked_at, version.revoked_at);
}

TEST_F(Certificates, ListsCurrentVersionsWithoutTheirTexts) {
  const auto first = Ensure({"b.example.org"});
  const auto second = Ensure({"a.example.org"});
  Ensure({"none.example.org"});
  std::int64_t former = 0;
  std::int64_t current = 0;
  database().Write([&](Session& s) {
    former = AddCurrentVersion(s, VersionFor(first), 0, 1000);
    current = AddCurrentVersion(s, VersionFor(first), 0, 2000);
    AddCurrentVersion(s, VersionFor(second), 0, 2000);
  });
  database().TakeEffort();
  const auto listed = database().Read(ListCurrentVersions);
  EXPECT_EQ(database().TakeEffort().sorts, 0);
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].id, current);
  EXPECT_EQ(listed[0].names, first.names);
  EXPECT_EQ(listed[0].fingerprint, VersionFor(first).fingerprint);
  EXPECT_EQ(listed[0].chain_pem, "");
  EXPECT_TRUE(listed[0].key_pem.empty());
  EXPECT_EQ(listed[1].certificate_id, second.id);

  const auto find = [&](std::int64_t id, bool with_key) {
    return database().Read([&](Session& s) { return FindVersion(s, id, with_key); });
  };
  EXPECT_EQ(find(former, true)->chain_pem, VersionFor(first).chain_pem);
  EXPECT_EQ(find(former, true)->key_pem, VersionFor(first).key_pem);
  EXPECT_TRUE(find(former, false)->key_pem.empty());
  EXPECT_FALSE(find(999, true));
}

TEST_F(Certificates, EnsureReplacesPolicyAndOwnerOfAnExistingOne) {
  const auto first = Ensure({"a.example.org"}, 700);
  const auto second = database().Write([&](Session& s) {
    model::ManagedCertificate wanted = first;
    wanted.policy = {model::KeyType::kRsa3072, true, "shortlived", "Other Root"};
    wanted.owner = "module/mail1";
    wanted.next_action_at = 999;
    return EnsureManaged(s, wanted, 3000);
  });
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(second.name_set, model::NameSetKey(first.names));
  EXPECT_EQ(second.policy.key_type, model::KeyType::kRsa3072);
  EXPECT_TRUE(second.policy.reuse_key);
  EXPECT_EQ(second.policy.profile, "shortlived");
  EXPECT_EQ(second.policy.preferred_chain, "Other Root");
  EXPECT_EQ(second.owner, "module/mail1");
  EXPECT_EQ(second.next_action_at, 700) << "what is planned stays planned";
  EXPECT_EQ(second.created_at, first.created_at);
  EXPECT_EQ(second.updated_at, 3000);
  EXPECT_TRUE(database().Read([&](Session& s) { return FindByNameSet(s, first.name_set); }));
  EXPECT_FALSE(database().Read([&](Session& s) { return FindByNameSet(s, "none"); }));
}

TEST_F(Certificates, AFailureIsWrittenDownAndClearedByAVersion) {
  const auto certificate = Ensure({"a.example.org"});
  Failure failure;
  failure.code = FailureCode::kRateLimited;
  failure.detail = "too many, \"really\"\nsaid the CA";
  failure.identifiers = {"a.example.org"};
  failure.retry_at = 4000;
  for (const UnixSeconds now : {2000, 2500}) {
    database().Write([&](Session& s) { RecordFailure(s, certificate.id, failure, 4000, now); });
  }
  auto held = Find(certificate.id);
  ASSERT_TRUE(held->certificate.last_error);
  EXPECT_EQ(held->certificate.last_error->code, failure.code);
  EXPECT_EQ(held->certificate.last_error->detail, failure.detail);
  EXPECT_EQ(held->certificate.last_error->identifiers, failure.identifiers);
  EXPECT_EQ(held->certificate.last_error_at, 2500);
  EXPECT_EQ(held->certificate.failures, 2);
  EXPECT_EQ(held->certificate.next_action_at, 4000);
  database().Write(
      [&](Session& s) { AddCurrentVersion(s, VersionFor(certificate), 8000, 3000); });
  held = Find(certificate.id);
  EXPECT_FALSE(held->certificate.last_error);
  EXPECT_EQ(held->certificate.failures, 0);
  EXPECT_EQ(held->certificate.next_action_at, 8000);
}

TEST_F(Certificates, OnlyTheNewestVersionIsCurrent) {
  const auto certificate = Hold({"a.example.org"}, "01");
  Hold({"a.example.org"}, "02");
  EXPECT_EQ(Find(certificate.id)->current->serial_hex, "02");
  const auto versions =
      database().Read([&](Session& s) { return ListVersions(s, certificate.id); });
  ASSERT_EQ(versions.size(), 2u);
  EXPECT_EQ(versions[0].serial_hex, "02");
  EXPECT_EQ(versions[1].serial_hex, "01");
  EXPECT_TRUE(versions[0].key_pem.empty());
}

TEST_F(Certificates, FormerVersionsGoWhenTheyAreOldAndMany) {
  const auto certificate = Ensure({"a.example.org"});
  const UnixSeconds day = 24 * 3600;
  for (int i = 0; i < 9; ++i) {
    auto version = VersionFor(certificate, "0" + std::to_string(i));
    version.created_at = i * day;
    database().Write([&](Session& s) { AddCurrentVersion(s, version, 1, i * day); });
  }
  const auto count = [&] {
    return database().Read([&](Session& s) { return ListVersions(s, certificate.id); }).size();
  };
  EXPECT_EQ(count(), 9u) << "all are young";
  auto late = VersionFor(certificate, "0a");
  late.created_at = 100 * day;
  database().Write([&](Session& s) { AddCurrentVersion(s, late, 1, 100 * day); });
  EXPECT_EQ(count(), 6u) << "the current one and five former ones";
}

TEST_F(Certificates, AVersionOfADeletedCertificateIsRefused) {
  const auto certificate = Ensure({"a.example.org"});
  database().Write([&](Session& s) { DeleteCertificate(s, certificate.id); });
  EXPECT_EQ(FailureOf([&] {
              database().Write(
                  [&](Session& s) { AddCurrentVersion(s, VersionFor(certificate), 1, 1); });
            }).code,
            FailureCode::kNotFound);
}

TEST_F(Certificates, DeletingTakesVersionsAndOrdersAlong) {
  const auto certificate = Hold({"a.example.org"});
  const auto other = Hold({"b.example.org"}, "0c");
  model::OrderRecord order;
  order.certificate_id = certificate.id;
  const auto order_id = database().Write([&](Session& s) { return InsertOrder(s, order); });
  const auto remove = [&] {
    return database().Write([&](Session& s) { return DeleteCertificate(s, certificate.id); });
  };
  EXPECT_TRUE(remove());
  EXPECT_FALSE(remove());
  database().Read([&](Session& s) {
    EXPECT_FALSE(FindById(s, certificate.id));
    EXPECT_TRUE(ListVersions(s, certificate.id).empty());
    EXPECT_FALSE(FindOrder(s, order_id));
    EXPECT_TRUE(FindCovering(s, "a.example.org").empty());
    EXPECT_TRUE(FindById(s, other.id)->current);
  });
  EXPECT_GT(Ensure({"c.example.org"}).id, other.id) << "ids are not used twice";
}

TEST_F(Certificates, KeysAreListedOnlyWhenAsked) {
  Hold({"b.example.org"}, "02");
  Hold({"a.example.org"}, "01");
  Ensure({"c.example.org"});
  const auto with = database().Read([](Session& s) { return ListCertificates(s, true); });
  const auto without = database().Read([](Session& s) { return ListCertificates(s, false); });
  ASSERT_EQ(with.size(), 3u);
  ASSERT_EQ(without.size(), 3u);
  EXPECT_EQ(with[0].certificate.name_set, "a.example.org");
  EXPECT_FALSE(with[0].current->key_pem.empty());
  EXPECT_TRUE(without[0].current->key_pem.empty());
  EXPECT_EQ(without[0].current->chain_pem, with[0].current->chain_pem);
  EXPECT_FALSE(with[2].current);
}

struct SerialRow {
  const char* name;
  const char* typed;
  bool found;
};

void PrintTo(const SerialRow& row, std::ostream* out) { *out << row.typed; }

class BySerial : public Certificates, public testing::WithParamInterface<SerialRow> {};

TEST_P(BySerial, Finds) {
  const auto certificate = Hold({"a.example.org"}, "00f4240abcdef012345678");
  Hold({"a.example.org"}, "01");  // also a former version is found
  Hold({"b.example.org"}, "02");
  const auto held =
      database().Read([&](Session& s) { return FindBySerial(s, GetParam().typed); });
  ASSERT_EQ(held.has_value(), GetParam().found);
  if (held) {
    EXPECT_EQ(held->certificate.id, certificate.id);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, BySerial,
    testing::Values(SerialRow{"as_stored", "00f4240abcdef012345678", true},
                    SerialRow{"upper_case", "00F4240ABCDEF012345678", true},
                    SerialRow{"without_leading_zeros", "f4240abcdef012345678", true},
                    SerialRow{"more_leading_zeros", "000000f4240abcdef012345678", true},
                    SerialRow{"colons", "00:F4:24:0A:BC:DE:F0:12:34:56:78", true},
                    SerialRow{"hex_prefix", "0xf4240abcdef012345678", true},
                    SerialRow{"decimal", "1152922278345205655819896", true},
                    SerialRow{"decimal_with_zero", "01152922278345205655819896", true},
                    SerialRow{"another", "f4240abcdef012345679", false},
                    SerialRow{"empty", "", false}, SerialRow{"blank", "  ", false},
                    SerialRow{"words", "no serial", false}, SerialRow{"only_colons", ":::", false},
                    SerialRow{"sql", "' OR 1=1 --", false}),
    [](const auto& info) { return info.param.name; });

struct CoveringRow {
  const char* name;
  const char* host;
  std::vector<std::string> serials;  // in the expected order
};

void PrintTo(const CoveringRow& row, std::ostream* out) { *out << row.host; }

class Covering : public Certificates, public testing::WithParamInterface<CoveringRow> {};

TEST_P(Covering, FindsExactNamesAndOneLabelWildcards) {
  Hold({"www.example.org", "example.org"}, "01", 1000);
  Hold({"*.example.org"}, "02", 2000);
  Hold({"*.example.org", "www.example.org"}, "03", 3000);
  Hold({"old.example.net"}, "04");
  auto moved = Ensure({"old.example.net"});
  moved.names = {{model::IdentifierType::kDns, "new.example.net"}};
  database().Write([&](Session& s) { AddCurrentVersion(s, VersionFor(moved, "05"), 1, 1); });
  std::vector<std::string> serials;
  for (const auto& held :
       database().Read([&](Session& s) { return FindCovering(s, GetParam().host); })) {
    serials.push_back(held.current->serial_hex);
  }
  EXPECT_EQ(serials, GetParam().serials);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Covering,
    testing::Values(CoveringRow{"wildcards_first", "www.example.org", {"03", "02", "01"}},
                    CoveringRow{"wildcard_only", "mail.example.org", {"03", "02"}},
                    CoveringRow{"apex_is_not_under_its_wildcard", "example.org", {"01"}},
                    CoveringRow{"two_labels_are_not_one", "a.b.example.org", {}},
                    CoveringRow{"the_wildcard_itself", "*.example.org", {"03", "02"}},
                    CoveringRow{"former_versions_do_not_count", "old.example.net", {}},
                    CoveringRow{"the_current_version_counts", "new.example.net", {"05"}},
                    CoveringRow{"unknown", "example.com", {}},
                    CoveringRow{"no_pattern_of_sql", "%", {}}),
    [](const auto& info) { return info.param.name; });

TEST_F(Certificates, AHostIsCoveredWhileOneIsValid) {
  Hold({"a.example.org", "*.w.example.org"});  // 1000 .. 9000
  const struct {
    const char* host;
    UnixSeconds at;
    bool covered;
  } kTable[] = {{"a.example.org", 1000, true},    {"a.example.org", 999, false},
                {"a.example.org", 8999, true},    {"a.example.org", 9000, false},
                {"x.w.example.org", 5000, true},  {"x.y.w.example.org", 5000, false},
                {"w.example.org", 5000, false},   {"b.example.org", 5000, false}};
  for (const auto& row : kTable) {
    const bool covered = database().Read(
        [&](Session& session) { return IsCovered(session, row.host, row.at); });
    EXPECT_EQ(covered, row.covered) << row.host << row.at;
  }
}

TEST_F(Certificates, DueOnesComeEarliestFirstAndLimited) {
  Ensure({"never.example.org"}, 0);
  Ensure({"late.example.org"}, 300);
  Ensure({"early.example.org"}, 100);
  Ensure({"middle.example.org"}, 200);
  const auto due = [&](UnixSeconds now, int limit) {
    std::string names;
    for (const auto& one : database().Read([&](Session& s) { return ListDue(s, now, limit); })) {
      names += one.name_set.substr(0, one.name_set.find('.')) + " ";
    }
    return names;
  };
  EXPECT_EQ(due(99, 10), "");
  EXPECT_EQ(due(200, 10), "early middle ");
  EXPECT_EQ(due(1000, 2), "early middle ");
}

TEST_F(Certificates, ListsWhatIsDuePageByPageWithItsCa) {
  const auto a = Ensure({"a.example.org"}, 2000);
  const auto b = Ensure({"b.example.org"}, 1500);
  Ensure({"never.example.org"}, 0);
  const auto c = Ensure({"c.example.org"}, 2000);
  database().Write([&](Session& s) { AddCurrentVersion(s, VersionFor(b), 1500, 1000); });
  database().Read([&](Session& s) {
    const auto first = ListDueRows(s, 2000, {}, 2);
    ASSERT_EQ(first.size(), 2u);
    EXPECT_EQ(first[0].certificate_id, b.id);
    EXPECT_EQ(first[0].ca, "https://ca.example/dir");
    EXPECT_EQ(first[1].certificate_id, a.id);
    EXPECT_EQ(first[1].ca, "");
    const auto second = ListDueRows(s, 2000, first.back(), 2);
    ASSERT_EQ(second.size(), 1u);
    EXPECT_EQ(second[0].certificate_id, c.id);
    EXPECT_EQ(ListDueRows(s, 1999, {}, 10).size(), 1u);
    EXPECT_EQ(NextActionAfter(s, 1500), 2000);
    EXPECT_EQ(NextActionAfter(s, 2000), 0);
  });
}

TEST_F(Certificates, KnowsWhatAClockThatWasAheadHasPlanned) {
  const auto a = Ensure({"a.example.org"}, 5000);  // written at 1000
  const auto due = Ensure({"due.example.org"}, 100);
  const auto planned = [&](UnixSeconds now) {
    return database().Read([&](Session& s) { return ListWrittenAfter(s, now, 10); });
  };
  EXPECT_TRUE(planned(1000).empty());
  ASSERT_EQ(planned(999).size(), 1u) << "what is due is found anyway";
  EXPECT_EQ(planned(999)[0].certificate_id, a.id);
  database().Write([&](Session& s) { SetNextAction(s, a.id, 600, 500); });
  EXPECT_TRUE(planned(999).empty());
  database().Write([&](Session& s) { SetNextAction(s, due.id, 0, 2000); });
  EXPECT_TRUE(planned(999).empty()) << "it waits for nothing";
}

TEST_F(Certificates, ATickAndALookUpCostWhatTheyFindNotWhatIsStored) {
  database().Write([&](Session& s) {
    model::ManagedCertificate wanted;
    for (int i = 0; i < 10'000; ++i) {
      wanted.names = {{model::IdentifierType::kDns, "h" + std::to_string(i) + ".example.org"}};
      wanted.next_action_at = 10'000 + i;
      const auto made = EnsureManaged(s, wanted, 1);
      AddCurrentVersion(s, VersionFor(made, std::to_string(100'000 + i)), 10'000 + i, 1);
    }
  });
  const auto effort = [&](auto query, std::size_t expected) {
    database().TakeEffort();
    EXPECT_EQ(database().Read(query), expected);
    const auto used = database().TakeEffort();
    EXPECT_EQ(used.full_scan_steps, 0);
    EXPECT_LT(used.virtual_machine_steps, 1000);
  };
  effort([](Session& s) { return ListDue(s, 10'004, 100).size(); }, 5);
  effort([](Session& s) { return ListDueRows(s, 10'004, {}, 100).size(); }, 5);
  effort([](Session& s) { return ListDueRows(s, 10'008, {5, 10'004, ""}, 100).size(); }, 4);
  effort([](Session& s) { return ListWrittenAfter(s, 1, 100).size(); }, 0);
  effort([](Session& s) { return std::size_t{NextActionAfter(s, 15'000) == 15'001}; }, 1);
  effort([](Session& s) { return FindCovering(s, "h77.example.org").size(); }, 1);
  effort([](Session& s) { return IsCovered(s, "h77.example.org", 5000) ? 1u : 0u; }, 1);
  effort([](Session& s) { return std::size_t{FindBySerial(s, "100077").has_value()}; }, 1);
  effort([](Session& s) { return ListOpenOrders(s).size(); }, 0);
  database().Read([](Session& s) { return ListDue(s, 10'004, 100).size(); });
  EXPECT_EQ(database().TakeEffort().sorts, 0);
}

}  // namespace
}  // namespace certwright::store
