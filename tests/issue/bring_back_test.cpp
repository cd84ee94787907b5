#include "certwright/issue/bring_back.h"

#include "certwright/store/revocations.h"
#include "fixture.h"

namespace certwright::issue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class BringBackTest : public IssueTest {
 protected:
  BringBackTest() {
    first_ = Obtain({"a.example.org"}).held.current->serial_hex;
    ObtainRequest again = Wish({"a.example.org"});
    again.renew = true;
    second_ = Obtain(again).held.current->serial_hex;
    clock_.Pass(std::chrono::hours(1));
  }
  BroughtBack Bring(const std::string& serial) {
    return BringBack(*process_->database, process_->feed, clock_, serial);
  }
  Failure Refused(const std::string& serial) {
    const std::size_t events = Events().size();
    const Failure failure = FailureOf([&] { Bring(serial); });
    EXPECT_EQ(Events().size(), events);
    EXPECT_EQ(Held("a.example.org").current->serial_hex, second_) << "nothing was changed";
    return failure;
  }

  std::string first_, second_;
};

TEST_F(BringBackTest, MakesAFormerVersionTheCurrentOneAndTellsIt) {
  const BroughtBack result = Bring(first_);
  EXPECT_EQ(result.held.current->serial_hex, first_);
  EXPECT_EQ(Held("a.example.org").current->serial_hex, first_);
  const model::Event told = Events().back();
  EXPECT_EQ(told.seq, result.event_seq);
  EXPECT_EQ(told.name, "certificate-changed");
  EXPECT_EQ(told.reason, "restored");
  EXPECT_THAT(told.names, ElementsAre("a.example.org"));
  EXPECT_EQ(told.not_after, result.held.current->not_after);
  EXPECT_EQ(Held("a.example.org").certificate.next_action_at, clock_.Now()) << "planned from it";
  EXPECT_EQ(Bring(second_).held.current->serial_hex, second_) << "and back again";
}

TEST_F(BringBackTest, TheCurrentOneIsLeftAlone) {
  const std::size_t events = Events().size();
  EXPECT_EQ(Bring(second_).event_seq, 0);
  EXPECT_EQ(Events().size(), events);
}

TEST_F(BringBackTest, AnUnknownSerialIsNotFound) {
  EXPECT_EQ(Refused("ff00ff").code, FailureCode::kNotFound);
}

TEST_F(BringBackTest, WhatIsRevokedNeverComesBack) {
  process_->database->Write([&](store::Session& session) {
    store::WantRevoked(session, store::FindVersionBySerial(session, first_)->id, {"superseded"});
  });
  EXPECT_THAT(Refused(first_).detail, HasSubstr("about to be revoked"));
  process_->database->Write([&](store::Session& session) {
    store::RecordRevoked(session, store::FindVersionBySerial(session, first_)->id, kNow);
  });
  const Failure failure = Refused(first_);
  EXPECT_EQ(failure.code, FailureCode::kRefused);
  EXPECT_THAT(failure.detail, HasSubstr("it is revoked"));
}

TEST_F(BringBackTest, WhatIsOutOfItsTimeIsRefused) {
  clock_.Pass(std::chrono::hours(24 * 91));
  EXPECT_THAT(Refused(first_).detail, HasSubstr("valid until"));
  clock_.Pass(-std::chrono::hours(24 * 200));
  EXPECT_THAT(Refused(first_).detail, HasSubstr("not valid before"));
}

TEST_F(BringBackTest, AKeyThatDoesNotBelongToItIsRefused) {
  Meddle("UPDATE version SET key_pem = (SELECT key_pem FROM version WHERE is_current = 1)");
  EXPECT_THAT(Refused(first_).detail, HasSubstr("key does not belong"));
}

}  // namespace
}  // namespace certwright::issue
