// Planted bugs: whatever says "now", the fuse holds. Never more than four orders for one exact set in
// 168 hours, counted by the CA's clock.
#include "simulation.h"

namespace certwright::sim {
namespace {

class FuseTest : public Simulation {
 protected:
  void SetUp() override {
    ca_.limited = false;  // nothing but the fuse stands between the bug and the CA
    Have(3);
    ca_.limited = false;
  }
  void AlwaysDue() {
    plant_->database->Write([&](store::Session& session) {
      for (std::int64_t id = 1; id <= 3; ++id) {
        store::SetNextAction(session, id, clock_.Now(), clock_.Now());
      }
    });
  }
  void ExpectTheFuseHeld(int weeks) {
    EXPECT_EQ(MostOrdersOfOneSet(), 4) << "it was reached, and it held";
    EXPECT_LE(ca_.orders, 3 * 4 * (weeks + 1));
    EXPECT_GT(failures_[FailureCode::kFuse], 0);
  }
};

// The CA, or what reads it, moves each window of each new certificate into the past.
TEST_F(FuseTest, AWindowThatIsAlwaysOver) {
  ca_.window = [](const Issued& issued) {
    return Window{issued.not_before - 2 * kDay, issued.not_before - kDay};
  };
  for (int i = 0; i < 15 * 24 * 6; ++i) {
    AlwaysDue();
    Tick();
    clock_.PassSeconds(10 * kMinute);
  }
  ExpectTheFuseHeld(2);
}

// A planner that says "now" whatever happens: as it submits its jobs.
TEST_F(FuseTest, APlannerThatAlwaysSaysNow) {
  for (int i = 0; i < 15 * 24 * 2; ++i) {
    for (int name = 0; name < 3; ++name) {
      issue::ObtainRequest request;
      request.identifiers = model::ParseIdentifiers({NameOf(name)});
      request.renew = true;
      try {
        plant_->jobs.Submit(std::move(request))->Wait(Millis(3'600'000), nullptr, {});
      } catch (const Error& error) {
        ++failures_[error.failure().code];
      }
    }
    clock_.PassSeconds(30 * kMinute);
    if (i % 100 == 99) Restart();  // nothing of it is in memory
  }
  ExpectTheFuseHeld(2);
}

// `certwright renew NAME`, in a loop by somebody's timer, over a window that is always over.
TEST_F(FuseTest, ATimerThatNamesThemAll) {
  ca_.window = [](const Issued& issued) {
    return Window{issued.not_before - 2 * kDay, issued.not_before - kDay};
  };
  renewal::Wanted wanted;
  wanted.certificates = {1, 2, 3};
  for (int i = 0; i < 15 * 24 * 2; ++i) {
    for (const renewal::Looked& looked : plant_->scheduler.RunOnce(wanted, nullptr, {})) {
      if (looked.failure) ++failures_[looked.failure->code];
    }
    clock_.PassSeconds(30 * kMinute);
  }
  ExpectTheFuseHeld(2);
}

// Deleted and asked for again, each hour.
TEST_F(FuseTest, DeletingIsNoWayAround) {
  for (int hour = 0; hour < 15 * 24; ++hour) {
    issue::ObtainRequest request;
    request.identifiers = model::ParseIdentifiers({NameOf(0)});
    try {
      const auto result = plant_->jobs.Submit(request)->Wait(Millis(3'600'000), nullptr, {});
      plant_->database->Write([&](store::Session& session) {
        store::DeleteCertificate(session, result.held.certificate.id);
      });
    } catch (const Error& error) {
      ++failures_[error.failure().code];
    }
    clock_.PassSeconds(kHour);
  }
  EXPECT_EQ(MostOrdersOfOneSet(), 4);
}

// A wall clock that swings by a day, each hour, with everything due all the time.
TEST_F(FuseTest, AClockThatSwings) {
  ca_.window = [](const Issued& issued) {
    return Window{issued.not_before - 3 * kDay, issued.not_before - 2 * kDay};
  };
  for (int hour = 0; hour < 15 * 24; ++hour) {
    clock_.SetAhead(hour % 2 == 0 ? 0 : -kDay);
    AlwaysDue();
    Tick();
    clock_.PassSeconds(kHour);
  }
  EXPECT_LE(MostOrdersOfOneSet(6 * kDay), 4);
}

// One that jumps ahead by more than the fuse's window, each day, and back: what the fuse has counted
// would be out of its sight.
TEST_F(FuseTest, AClockThatLeavesTheWindowBehind) {
  ca_.window = [](const Issued& issued) {
    return Window{issued.not_before - 3 * kDay, issued.not_before - 2 * kDay};
  };
  for (int hour = 0; hour < 15 * 24; ++hour) {
    clock_.SetAhead(hour / 24 * 8 * kDay);
    AlwaysDue();
    Tick();
    clock_.PassSeconds(kHour);
  }
  EXPECT_LE(MostOrdersOfOneSet(), 4);
  EXPECT_GT(failures_[FailureCode::kConfig], 0) << "the CA's clock tells";
}

}  // namespace
}  // namespace certwright::sim
