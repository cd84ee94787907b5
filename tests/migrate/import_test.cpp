#include "certwright/migrate/import.h"

#include <filesystem>
#include <map>

#include "certwright/crypto/certificate.h"
#include "certwright/crypto/key.h"
#include "certwright/store/accounts.h"
#include "certwright/store/certificates.h"
#include "certwright/store/events.h"
#include "certwright/store/orders.h"
#include "certwright/store/revocations.h"
#include "certwright/store/routes.h"
#include "certwright/store/settings.h"
#include "certwright/store/uploads.h"
#include "fixture.h"

namespace certwright::migrate {
namespace {

using testing::AcmeJson;
using testing::kLater;
using testing::kNow;
using testing::Known;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kCa = "https://127.0.0.1:23827/dir";

class ImportTest : public ::testing::Test {
 protected:
  ImportTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cw-imp-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    dir_ = pattern;
    database_ = store::Database::Open(dir_);
  }
  ~ImportTest() override {
    database_.reset();
    std::filesystem::remove_all(dir_);
  }

  ImportReport Run(const Found& found, UnixSeconds now = kNow, bool dry_run = false) {
    ImportOptions options;
    options.now = now;
    options.dry_run = dry_run;
    options.defaults.profile = "tlsserver";
    return Import(*database_, found, options);
  }
  static std::vector<Fate> Fates(const ImportReport& report) {
    std::vector<Fate> fates;
    for (const auto& certificate : report.certificates) fates.push_back(certificate.fate);
    return fates;
  }
  std::optional<store::HeldCertificate> Held(const std::string& name_set) {
    return database_->Read(
        [&](store::Session& session) { return store::FindByNameSet(session, name_set); });
  }
  std::vector<model::Event> Events() {
    return database_->Read(
        [](store::Session& session) { return store::ListEvents(session, 0, 100); });
  }
  std::optional<model::Account> AccountAt(const std::string& directory) {
    return database_->Read(
        [&](store::Session& session) { return store::FindAccount(session, directory); });
  }

  Path dir_;
  std::unique_ptr<store::Database> database_;
  inline static const Found found_ = ReadTraefikAcme(AcmeJson(), Known());
};

TEST_F(ImportTest, MakesEachCertificateTheCurrentOneAndTellsIt) {
  const ImportReport report = Run(found_);
  EXPECT_THAT(Fates(report), ElementsAre(Fate::kImported, Fate::kImported));
  EXPECT_THAT(report.left_out, IsEmpty());

  const auto held = Held("tr-a.example.org,tr-b.example.org");
  ASSERT_TRUE(held && held->current);
  EXPECT_EQ(held->current->ca, kCa);
  EXPECT_EQ(held->current->origin, model::Origin::kAcme);
  EXPECT_THAT(held->current->ari_id, HasSubstr("."));
  EXPECT_EQ(held->certificate.next_action_at, kNow);  // to be planned
  EXPECT_EQ(held->certificate.policy.key_type, model::KeyType::kEc256);
  EXPECT_EQ(held->certificate.policy.profile, "tlsserver");
  EXPECT_EQ(Held("tr-c.example.org")->certificate.policy.key_type, model::KeyType::kRsa2048);

  ASSERT_THAT(Events(), SizeIs(2));
  EXPECT_EQ(Events()[1].seq, report.last_event);
  for (const model::Event& event : Events()) {
    EXPECT_EQ(event.name, "certificate-changed");
    EXPECT_EQ(event.reason, "issued");
  }
  EXPECT_THAT(database_->Read(store::ListOpenOrders), IsEmpty());
}

TEST_F(ImportTest, StoresTheAccountWhereItsCaHasNone) {
  const ImportReport report = Run(found_);
  ASSERT_THAT(report.accounts, SizeIs(2));
  EXPECT_EQ(report.accounts[0].fate, Fate::kImported);
  EXPECT_EQ(report.accounts[1].fate, Fate::kKept);  // of the other resolver, at the same CA
  const auto account = AccountAt(kCa);
  ASSERT_TRUE(account);
  EXPECT_EQ(account->url, found_.accounts[0].url);
  EXPECT_EQ(account->status, "valid");
  EXPECT_EQ(crypto::PrivateKey::FromPem(account->key_pem).PublicKeyDer(),
            crypto::PrivateKey::FromPem(found_.accounts[0].key_pem).PublicKeyDer());
}

TEST_F(ImportTest, ChangesNothingTheSecondTime) {
  Run(found_);
  const ImportReport again = Run(found_);
  EXPECT_THAT(Fates(again), ElementsAre(Fate::kPresent, Fate::kPresent));
  EXPECT_EQ(again.accounts[0].fate, Fate::kPresent);
  EXPECT_EQ(again.last_event, 0);
  EXPECT_THAT(Events(), SizeIs(2));
}

TEST_F(ImportTest, LeavesAsItIsWhatIsValidForLonger) {
  const auto names = model::ParseIdentifiers({"tr-c.example.org"});
  model::ManagedCertificate wanted;
  wanted.names = names;
  wanted.owner = "module/mail1";
  const auto hold = [&](UnixSeconds not_after) {
    database_->Write([&](store::Session& session) {
      model::CertificateVersion version = crypto::SelfSigned(names, kNow - 100, not_after);
      version.origin = model::Origin::kAcme;
      version.certificate_id = store::EnsureManaged(session, wanted, kNow).id;
      store::AddCurrentVersion(session, version, kNow, kNow);
    });
  };
  hold(kLater);
  const ImportReport report = Run(found_);
  EXPECT_THAT(Fates(report), ElementsAre(Fate::kImported, Fate::kKept));
  EXPECT_THAT(report.certificates[1].why, HasSubstr("valid until 2027-"));
  EXPECT_THAT(report.left_out, IsEmpty());

  hold(kNow + 1000);
  EXPECT_THAT(Fates(Run(found_)), ElementsAre(Fate::kPresent, Fate::kImported));
  const auto held = Held("tr-c.example.org");
  EXPECT_EQ(held->current->ca, kCa);
  EXPECT_EQ(held->certificate.owner, "module/mail1");
  EXPECT_EQ(held->certificate.policy.key_type, model::KeyType::kEc256);  // as its owner wants it
}

TEST_F(ImportTest, TakesOfTwoForTheSameNamesTheOneThatIsValidLonger) {
  Found found;
  for (const UnixSeconds end : {kNow + 1000, kNow + 3000, kNow + 2000}) {
    const auto version =
        crypto::SelfSigned(model::ParseIdentifiers({"a.example.org"}), kNow - 100, end);
    found.certificates.push_back({"x", version.chain_pem, version.key_pem, "", {}});
  }
  EXPECT_THAT(Fates(Run(found)), ElementsAre(Fate::kKept, Fate::kImported, Fate::kKept));
  EXPECT_EQ(Held("a.example.org")->current->not_after, kNow + 3000);
  EXPECT_EQ(Held("a.example.org")->current->ca, "");
  EXPECT_THAT(Events(), SizeIs(1));
}

TEST_F(ImportTest, NamesWhatIsExpiredOrRevokedAndPassesItOver) {
  EXPECT_THAT(Fates(Run(found_, kLater)), ElementsAre(Fate::kExpired, Fate::kExpired));
  EXPECT_FALSE(Held("tr-c.example.org"));

  Run(found_);
  database_->Write([&](store::Session& session) {
    const auto held = store::FindByNameSet(session, "tr-c.example.org");
    store::RecordRevoked(session, held->current->id, kNow);
    store::DeleteCertificate(session, held->certificate.id);
  });
  EXPECT_THAT(Fates(Run(found_)), ElementsAre(Fate::kPresent, Fate::kRevoked));
  EXPECT_FALSE(Held("tr-c.example.org"));
}

TEST_F(ImportTest, LeavesOutWhatIsDamagedAndImportsTheRest) {
  Found found = found_;
  found.left_out.push_back({"reader", "words"});
  found.certificates[0].key_pem = found.certificates[1].key_pem;
  FoundCertificate& no_chain = found.certificates.emplace_back(found.certificates[1]);
  no_chain.from = "no chain";
  no_chain.chain_pem = "nothing";
  found.accounts[0].key_pem = Secret("nothing");
  const ImportReport report = Run(found);
  EXPECT_THAT(Fates(report), ElementsAre(Fate::kLeftOut, Fate::kImported, Fate::kLeftOut));
  ASSERT_THAT(report.left_out, SizeIs(4));
  EXPECT_EQ(report.left_out[0].from, "reader");
  EXPECT_THAT(report.left_out[1].why, HasSubstr("private key"));
  EXPECT_THAT(report.left_out[2].why, HasSubstr("another key"));
  EXPECT_EQ(report.left_out[3].from, "no chain");
  EXPECT_EQ(report.accounts[1].fate, Fate::kImported);
}

FoundRoute RouteTo(const std::string& instance, const std::string& url) {
  return {"configs/" + instance + ".yml",
          json::Value::Object({{"instance", instance}, {"url", url}, {"path", "/" + instance}})};
}

model::Route ReadRoute(const json::Value& request) {
  model::Route route;
  route.instance = request.String("instance");
  route.url = request.String("url");
  route.path = request.String("path");
  if (route.url.empty()) throw Error(FailureCode::kInput, "no url");
  return route;
}

TEST_F(ImportTest, StoresRoutesWhereNoneOfThatNameIs) {
  Found found;
  found.routes = {RouteTo("a", "http://a"), RouteTo("b", "http://b"), RouteTo("c", "")};
  ImportOptions options;
  options.now = kNow;
  options.read_route = ReadRoute;
  database_->Write([&](store::Session& session) {
    store::SaveRoute(session, ReadRoute(RouteTo("b", "http://other").request), kNow);
  });
  const ImportReport report = Import(*database_, found, options);
  ASSERT_THAT(report.routes, SizeIs(3));
  EXPECT_EQ(report.routes[0].fate, Fate::kImported);
  EXPECT_EQ(report.routes[1].fate, Fate::kKept);
  EXPECT_EQ(report.routes[2].fate, Fate::kLeftOut);
  EXPECT_THAT(report.left_out, ElementsAre(LeftOut{"configs/c.yml", "no url"}));
  EXPECT_EQ(report.last_event, Events().back().seq);
  EXPECT_EQ(Import(*database_, found, options).routes[0].fate, Fate::kPresent);
  database_->Read([&](store::Session& session) {
    EXPECT_EQ(store::FindRoute(session, "a")->url, "http://a");
    EXPECT_EQ(store::FindRoute(session, "b")->url, "http://other");
  });
}

TEST_F(ImportTest, WhatARouteWantsBelongsToRoutes) {
  Found found = found_;
  found.routes = {RouteTo("a", "http://a")};
  ImportOptions options;
  options.now = kNow;
  options.read_route = [](const json::Value& request) {
    model::Route route = ReadRoute(request);
    route.host = "tr-c.example.org";
    route.lets_encrypt = true;
    return route;
  };
  Import(*database_, found, options);
  EXPECT_EQ(Held("tr-c.example.org")->certificate.owner, model::kRouteOwner);
  EXPECT_EQ(Held("tr-a.example.org,tr-b.example.org")->certificate.owner, "");
}

TEST_F(ImportTest, StoresUploadsWhereNoneOfThatNameIsValidForLonger) {
  const auto pair = [](const char* from, UnixSeconds end) {
    const auto version =
        crypto::SelfSigned(model::ParseIdentifiers({"shop.example.org"}), kNow - 100, end);
    return FoundUpload{from, version.chain_pem, version.key_pem};
  };
  Found found;
  found.uploads = {pair("old", kNow - 1), pair("mixed", kLater), pair("good", kLater)};
  found.uploads[1].key_pem = found.uploads[0].key_pem;
  const auto fates = [&] {
    std::vector<Fate> result;
    for (const auto& upload : Run(found).uploads) result.push_back(upload.fate);
    return result;
  };
  EXPECT_THAT(fates(), ElementsAre(Fate::kExpired, Fate::kLeftOut, Fate::kImported));
  EXPECT_EQ(Events().back().reason, "uploaded");
  EXPECT_THAT(fates(), ElementsAre(Fate::kExpired, Fate::kLeftOut, Fate::kPresent));
  found.uploads[2] = pair("shorter", kLater - 1);
  EXPECT_THAT(fates(), ElementsAre(Fate::kExpired, Fate::kLeftOut, Fate::kKept));
  database_->Read([&](store::Session& session) {
    EXPECT_EQ(store::FindUpload(session, "shop.example.org")->current->not_after, kLater);
  });
}

TEST_F(ImportTest, StoresSettingsThatNobodyHasSet) {
  Found found;
  found.settings = {kCa, "admin@example.org", {"192.0.2.1"}, 0, {"tr-a.example.org"}};
  const ImportReport report = Run(found);
  ASSERT_THAT(report.settings, SizeIs(2));
  for (const SettingOutcome& setting : report.settings) {
    EXPECT_EQ(setting.fate, Fate::kImported) << setting.name;
  }
  found.settings.proxies_depth = 2;
  const ImportReport again = Run(found);
  ASSERT_THAT(again.settings, SizeIs(2));
  EXPECT_EQ(again.settings[0].fate, Fate::kKept);
  EXPECT_EQ(again.settings[1].fate, Fate::kPresent);
  database_->Read([&](store::Session& session) {
    EXPECT_EQ(store::FindTrustedProxies(session), (store::TrustedProxies{{"192.0.2.1"}, 1}));
    EXPECT_THAT(store::FindDefaultNames(session), ElementsAre("tr-a.example.org"));
  });
  EXPECT_THAT(Run(found_).settings, IsEmpty());
}

TEST_F(ImportTest, SaysTheSameInADryRunAndStoresNothing) {
  const ImportReport dry = Run(found_, kNow, true);
  EXPECT_THAT(Fates(dry), ElementsAre(Fate::kImported, Fate::kImported));
  EXPECT_EQ(dry.accounts[0].fate, Fate::kImported);
  EXPECT_EQ(dry.last_event, 0);
  EXPECT_THAT(Events(), IsEmpty());
  EXPECT_FALSE(Held("tr-c.example.org"));
  EXPECT_FALSE(AccountAt(kCa));
}

}  // namespace
}  // namespace certwright::migrate
