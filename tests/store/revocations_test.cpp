#include "certwright/store/revocations.h"

#include <gmock/gmock.h>

#include "store_fixture.h"

namespace certwright::store {
namespace {

class RevocationsTest : public StoreTest {
 protected:
  RevocationsTest() {
    certificate_ = Hold({"a.example.org"}, "01");
    database().Write([&](Session& session) {
      AddCurrentVersion(session, VersionFor(certificate_, "02"), 5000, 1000);
    });
  }
  model::CertificateVersion Version(const std::string& serial) {
    return *database().Read(
        [&](Session& session) { return FindVersionBySerial(session, serial); });
  }
  std::string ToRevoke() {
    return database().Read([](Session& session) {
      std::string serials;
      for (const auto& version : ListToRevoke(session)) serials += version.serial_hex + " ";
      return serials;
    });
  }
  void Want(const std::string& serial, const RevocationWish& wish) {
    const std::int64_t id = Version(serial).id;
    database().Write([&](Session& session) { WantRevoked(session, id, wish); });
  }
  HeldCertificate Held() {
    return *database().Read([&](Session& session) { return FindById(session, certificate_.id); });
  }

  model::ManagedCertificate certificate_;
};

TEST_F(RevocationsTest, FindsAnyVersionByItsSerialWithItsKey) {
  EXPECT_EQ(Version("01").serial_hex, "01");
  EXPECT_EQ(Version("0:2").key_pem, Secret("KEY-02-KEY"));
  EXPECT_FALSE(database().Read(
      [](Session& session) { return FindVersionBySerial(session, "ff00ff"); }));
}

TEST_F(RevocationsTest, AWishStandsUntilItIsFulfilled) {
  Want("01", {"keyCompromise", true, true});
  Close();
  EXPECT_EQ(ToRevoke(), "01 ");
  const model::CertificateVersion wanted = Version("01");
  EXPECT_EQ(wanted.revocation_reason, "keyCompromise");
  EXPECT_TRUE(wanted.revoke_with_key);
  EXPECT_TRUE(wanted.revoke_replaced);
  database().Write([&](Session& session) { RecordRevoked(session, wanted.id, 2000); });
  EXPECT_EQ(ToRevoke(), "");
  EXPECT_EQ(Version("01").revoked_at, 2000);
  Want("01", {"superseded"});
  EXPECT_EQ(Version("01").revocation_reason, "keyCompromise") << "it is over";
}

TEST_F(RevocationsTest, AWishCanBeTakenBack) {
  Want("01", {"superseded", true, true});
  const std::int64_t id = Version("01").id;
  database().Write([&](Session& session) { ForgetRevocation(session, id); });
  EXPECT_EQ(ToRevoke(), "");
  EXPECT_FALSE(Version("01").revoke_with_key);
}

TEST_F(RevocationsTest, IsRememberedWhenTheCertificateIsGone) {
  Want("02", {"superseded"});
  const model::CertificateVersion version = Version("02");
  database().Write([&](Session& session) {
    EXPECT_FALSE(IsRevoked(session, version.fingerprint));
    RecordRevoked(session, version.id, 2000);
    DeleteCertificate(session, certificate_.id);
    EXPECT_TRUE(IsRevoked(session, version.fingerprint));
  });
}

TEST_F(RevocationsTest, LooksForWhatIsToBeRevokedInAnIndex) {
  Want("01", {"superseded"});
  database().TakeEffort();
  ToRevoke();
  const Database::Effort effort = database().TakeEffort();
  EXPECT_EQ(effort.sorts, 0);
  EXPECT_LE(effort.full_scan_steps, 1) << "the rows of a partial index";
}

TEST_F(RevocationsTest, AVersionThatIsToBeRevokedIsNotPruned) {
  Want("01", {"superseded"});
  for (int i = 10; i < 30; ++i) {
    database().Write([&](Session& session) {
      AddCurrentVersion(session, VersionFor(certificate_, std::to_string(i)), 5000, 9'000'000);
    });
  }
  EXPECT_EQ(ToRevoke(), "01 ");
  EXPECT_FALSE(database().Read(
      [](Session& session) { return FindVersionBySerial(session, "02"); }))
      << "others of its age are";
}

TEST_F(RevocationsTest, AFormerVersionBecomesTheCurrentOneAgain) {
  Failure failure;
  failure.detail = "not today";
  const std::int64_t former = Version("01").id;
  database().Write([&](Session& session) {
    RecordFailure(session, certificate_.id, failure, 7000, 1500);
    MakeCurrent(session, former, 6000, 2000);
  });
  const HeldCertificate held = Held();
  EXPECT_EQ(held.current->serial_hex, "01");
  EXPECT_EQ(held.certificate.next_action_at, 6000);
  EXPECT_EQ(held.certificate.failures, 0);
  EXPECT_FALSE(held.certificate.last_error);
  EXPECT_EQ(FailureOf([&] {
              database().Write([](Session& session) { MakeCurrent(session, 999, 0, 0); });
            }).code,
            FailureCode::kNotFound);
}

}  // namespace
}  // namespace certwright::store
