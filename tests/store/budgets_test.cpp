#include "certwright/store/budgets.h"

#include "store_fixture.h"

namespace certwright::store {
namespace {

class Budgets : public StoreTest {
 protected:
  void Save(const Budget& budget) {
    database().Write([&](Session& session) { SaveBudget(session, budget); });
  }
  std::vector<Budget> All() {
    return database().Read([](Session& session) { return ListBudgets(session); });
  }
};

TEST_F(Budgets, AreKeptByCaLimitAndSubject) {
  Save({"https://b.example/", "orders", "", 5000, 0, 4});
  Save({"https://a.example/", "orders", "", 6000, 0, 5});
  Save({"https://a.example/", "certificates-per-domain", "example.org", 7000, 0, 6});
  Save({"https://b.example/", "orders", "", 8000, 60, 7});
  Close();
  const auto all = All();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].limit, "certificates-per-domain");
  EXPECT_EQ(all[0].subject, "example.org");
  EXPECT_EQ(all[1].ca, "https://a.example/");
  EXPECT_EQ(all[2].arrival_ms, 8000) << "the newer one";
  EXPECT_EQ(all[2].interval_ms, 60);
  EXPECT_EQ(all[2].updated_at, 7);
  database().Read([](Session& session) {
    EXPECT_EQ(FindBudget(session, "https://a.example/", "orders", "")->arrival_ms, 6000);
    EXPECT_FALSE(FindBudget(session, "https://a.example/", "orders", "example.org"));
  });
  database().Write(
      [](Session& session) { DeleteBudget(session, "https://a.example/", "orders", ""); });
  EXPECT_EQ(All().size(), 2u);
}

TEST_F(Budgets, WhoseTimeHasComeArePrunedByAnIndex) {
  Save({"ca", "orders", "past", 9000, 0, 1});
  Save({"ca", "orders", "now", 10'000, 0, 1});
  Save({"ca", "orders", "to come", 10'001, 0, 1});
  database().TakeEffort();
  database().Write([](Session& session) { PruneBudgets(session, 10); });
  EXPECT_EQ(database().TakeEffort().full_scan_steps, 0);
  ASSERT_EQ(All().size(), 1u);
  EXPECT_EQ(All()[0].subject, "to come");
}

TEST_F(Budgets, AndTheFuseListsWhatWasOrdered) {
  const auto a = Ensure({"a.example.org"});
  const auto b = Ensure({"b.example.org"});
  const auto insert = [&](std::int64_t certificate_id, UnixSeconds at, bool forced) {
    model::OrderRecord order;
    order.certificate_id = certificate_id;
    order.created_at = order.updated_at = at;
    order.forced = forced;
    database().Write([&](Session& session) { InsertOrder(session, order); });
  };
  insert(b.id, 150, false);
  insert(a.id, 100, true);
  insert(a.id, 200, false);
  insert(a.id, 300, true);
  const auto since = [&](UnixSeconds time) {
    return database().Read([&](Session& session) { return ListOrderedSets(session, time); });
  };
  const auto sets = since(150);
  ASSERT_EQ(sets.size(), 2u);
  EXPECT_EQ(sets[0].name_set, "a.example.org");
  EXPECT_EQ(sets[0].times, (std::vector<UnixSeconds>{300, 200}));
  EXPECT_EQ(sets[0].forced, 1);
  EXPECT_EQ(sets[1].times.size(), 1u);
  database().Write([&](Session& session) { DeleteCertificate(session, a.id); });
  EXPECT_EQ(since(0)[0].times.size(), 3u) << "also of a certificate that is gone";
  EXPECT_TRUE(since(301).empty());
}

}  // namespace
}  // namespace certwright::store
