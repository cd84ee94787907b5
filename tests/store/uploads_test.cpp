#include "certwright/store/uploads.h"

#include "store_fixture.h"

namespace certwright::store {
namespace {

class Uploads : public StoreTest {
 protected:
  std::int64_t Save(const std::string& label, const std::string& serial,
                    const std::vector<std::string>& names) {
    model::ManagedCertificate named;
    for (const auto& name : names) named.names.push_back({model::IdentifierType::kDns, name});
    const model::CertificateVersion version = VersionFor(named, serial);
    return database().Write(
        [&](Session& session) { return SaveUpload(session, label, version, 2000); });
  }
  std::optional<HeldCertificate> Find(const std::string& label) {
    return database().Read([&](Session& session) { return FindUpload(session, label); });
  }
};

TEST_F(Uploads, LiveBesideWhatACaIssuedForTheSameNames) {
  Hold({"www.example.org"}, "01");
  EXPECT_GT(Save("Www.example.org", "02", {"www.example.org"}), 0);
  database().Read([](Session& session) {
    EXPECT_EQ(FindByNameSet(session, "www.example.org")->current->serial_hex, "01");
    EXPECT_EQ(FindCovering(session, "www.example.org").size(), 2u);
  });
  const auto held = Find("WWW.example.org");
  ASSERT_TRUE(held && held->current);
  EXPECT_EQ(held->current->origin, model::Origin::kUpload);
  EXPECT_EQ(held->current->ca, "");
  EXPECT_EQ(UploadLabel(held->certificate), "www.example.org");
  EXPECT_EQ(UploadLabel(Ensure({"www.example.org"})), std::nullopt);
}

TEST_F(Uploads, TakeTheFormerOnesPlaceAndTellItsNamesToo) {
  Save("www.example.org", "01", {"a.example.org"});
  EXPECT_EQ(Save("www.example.org", "01", {"a.example.org"}), 0) << "the same again";
  const std::int64_t seq = Save("www.example.org", "02", {"b.example.org"});
  const auto event = database().Read(
      [&](Session& session) { return ListEvents(session, seq - 1, 1).front(); });
  EXPECT_EQ(event.reason, "uploaded");
  EXPECT_EQ(event.names, (std::vector<std::string>{"a.example.org", "b.example.org"}));
  const auto held = Find("www.example.org");
  EXPECT_EQ(model::Names(held->certificate.names), std::vector<std::string>{"b.example.org"});
  EXPECT_EQ(held->certificate.id, event.certificate_id);
}

}  // namespace
}  // namespace certwright::store
