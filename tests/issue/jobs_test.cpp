#include "certwright/issue/jobs.h"

#include <future>

#include "fixture.h"

namespace certwright::issue {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Millis kLong{20'000};

// Holds each newOrder back until it is opened, or the request is stopped.
class Gate : public http::Transport {
 public:
  explicit Gate(http::Transport& behind) : behind_(behind) {}

  http::Response Send(const http::Request& request, std::stop_token stop) override {
    if (request.url.ends_with("/new-order")) {
      std::unique_lock guard(mutex_);
      ++waiting_;
      changed_.notify_all();
      const bool open = changed_.wait(guard, stop, [this] { return open_; });
      --waiting_;
      if (!open) throw Error(FailureCode::kCancelled, "stopped");
    }
    return behind_.Send(request, stop);
  }
  void Open() {
    const std::lock_guard guard(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  // Whether so many requests came to stand before the gate.
  bool WaitFor(int requests) {
    std::unique_lock guard(mutex_);
    return changed_.wait_for(guard, kLong, [&] { return waiting_ >= requests; });
  }
  int waiting() {
    const std::lock_guard guard(mutex_);
    return waiting_;
  }

 private:
  http::Transport& behind_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool open_ = false;
  int waiting_ = 0;
};

class JobsTest : public IssueTest {
 protected:
  JobsTest() { ChangeCa(kDirectoryUrl, gate_); }
  void SetUp() override { UseWorkers(4); }
  void UseWorkers(std::size_t most) {
    jobs_.reset();
    jobs_.emplace(process_->obtainer, clock_, most);
  }
  std::shared_ptr<Job> Submit(const std::vector<std::string>& names) {
    return jobs_->Submit(Wish(names));
  }
  static ObtainResult Wait(Job& job) { return job.Wait(kLong, nullptr, {}); }
  // Waits in a thread of its own, as a call of the API does.
  static std::future<ObtainResult> Waiter(const std::shared_ptr<Job>& job) {
    return std::async(std::launch::async, [job] { return Wait(*job); });
  }

  Gate gate_{ca_};
  std::optional<Jobs> jobs_;
};

TEST_F(JobsTest, ManyWhoAskForOneNameSetGetOneOrder) {
  const auto first = Submit({"a.example.org", "b.example.org"});
  std::vector<std::future<ObtainResult>> waiters;
  for (int i = 0; i < 10; ++i) {
    const auto job = Submit({"B.example.org", "a.example.org"});
    EXPECT_EQ(job, first);
    waiters.push_back(Waiter(job));
  }
  ASSERT_TRUE(gate_.WaitFor(1));
  EXPECT_EQ(Submit({"a.example.org", "b.example.org"}), first) << "also while it is under way";
  EXPECT_TRUE(jobs_->IsUnderWay("a.example.org,b.example.org"));
  gate_.Open();
  std::vector<std::string> serials;
  for (auto& waiter : waiters) {
    const ObtainResult result = waiter.get();
    EXPECT_TRUE(result.issued);
    EXPECT_EQ(result.event_seq, 1);
    serials.push_back(result.held.current->serial_hex);
  }
  EXPECT_THAT(serials, Each(serials.front()));
  EXPECT_EQ(ca_.Orders(), 1u);
}

TEST_F(JobsTest, AJobThatWouldNotGiveWhatIsAskedForIsNotJoined) {
  ObtainRequest plain = Wish({"a.example.org"});
  ObtainRequest other = plain;
  other.wish.key_type = model::KeyType::kEc384;
  ObtainRequest forced = plain;
  forced.force = true;
  struct Row {
    const char* name;
    ObtainRequest first;
    ObtainRequest second;
    bool joined;
  };
  for (const Row& row : {Row{"the same", plain, plain, true}, Row{"other key", plain, other, false},
                         Row{"forced", plain, forced, false},
                         Row{"any will do", other, plain, true},
                         Row{"forced already", forced, plain, true}}) {
    SCOPED_TRACE(row.name);
    UseWorkers(1);
    const auto first = jobs_->Submit(row.first);
    if (row.joined) {
      EXPECT_EQ(jobs_->Submit(row.second), first);
    } else {
      EXPECT_EQ(FailureOf([&] { jobs_->Submit(row.second); }).code, FailureCode::kBusy);
    }
  }
}

TEST_F(JobsTest, AnotherNameSetIsAnotherJobBesideIt) {
  const auto one = Submit({"a.example.org"});
  const auto both = Submit({"a.example.org", "b.example.org"});
  const auto other = Submit({"b.example.org"});
  EXPECT_TRUE(gate_.WaitFor(3)) << "none waits for another";
  gate_.Open();
  for (const auto& job : {one, both, other}) EXPECT_TRUE(Wait(*job).issued);
  EXPECT_EQ(ca_.Orders(), 3u);
}

TEST_F(JobsTest, NoMoreThanTheWorkersRunAtOnce) {
  UseWorkers(2);
  std::vector<std::shared_ptr<Job>> jobs;
  for (const char* name : {"a.example.org", "b.example.org", "c.example.org", "d.example.org"}) {
    jobs.push_back(Submit({name}));
  }
  ASSERT_TRUE(gate_.WaitFor(2));
  std::this_thread::sleep_for(Millis(30));
  EXPECT_EQ(gate_.waiting(), 2);
  EXPECT_TRUE(jobs_->IsUnderWay("d.example.org")) << "it is joined, too, while it stands in line";
  EXPECT_EQ(Submit({"d.example.org"}), jobs[3]);
  gate_.Open();
  for (const auto& job : jobs) EXPECT_TRUE(Wait(*job).issued);
  EXPECT_EQ(ca_.Orders(), 4u);
}

TEST_F(JobsTest, WhoAsksAfterTheEndGetsANewLook) {
  gate_.Open();
  const auto job = Submit({"a.example.org"});
  EXPECT_TRUE(Wait(*job).issued);
  EXPECT_FALSE(jobs_->IsUnderWay("a.example.org"));
  const auto next = Submit({"a.example.org"});
  EXPECT_NE(next, job);
  EXPECT_FALSE(Wait(*next).issued) << "it is there";
  EXPECT_TRUE(Wait(*job).issued) << "an ended job keeps its answer";
  EXPECT_EQ(ca_.Orders(), 1u);
}

TEST_F(JobsTest, AFailureIsToldToEveryWaiter) {
  UseWorkers(1);
  Answers("newOrder", ProblemAnswer(403, "rejectedIdentifier", "on our list"));
  const auto job = Submit({"a.example.org"});
  std::vector<std::future<ObtainResult>> waiters;
  for (int i = 0; i < 5; ++i) waiters.push_back(Waiter(job));
  ASSERT_TRUE(gate_.WaitFor(1));
  gate_.Open();
  for (auto& waiter : waiters) {
    const Failure failure = FailureOf([&] { waiter.get(); });
    EXPECT_EQ(failure.acme_type, "rejectedIdentifier");
    EXPECT_THAT(failure.detail, HasSubstr("on our list"));
    EXPECT_THAT(failure.identifiers, ElementsAre("a.example.org"));
  }
  EXPECT_EQ(FailureOf([&] { Wait(*job); }).acme_type, "rejectedIdentifier") << "also afterwards";
  EXPECT_EQ(ca_.Count("newOrder"), 1);
  // The worker lives on, and the failure is not the next one's.
  ca_.before = nullptr;
  EXPECT_TRUE(Wait(*Submit({"a.example.org"})).issued);
}

TEST_F(JobsTest, EveryWaiterIsToldEveryStepFromTheBeginning) {
  gate_.Open();
  const auto job = Submit({"a.example.org"});
  const auto steps = [&] {
    std::vector<std::string> told;
    job->Wait(kLong, [&](const model::Progress& step) { told.push_back(step.step); }, {});
    return told;
  };
  const std::vector<std::string> first = steps();
  EXPECT_THAT(first, testing::Contains("order"));
  EXPECT_EQ(first.back(), "certificate");
  EXPECT_EQ(steps(), first) << "also one who comes late";
}

TEST_F(JobsTest, PatienceEndsButTheJobGoesOn) {
  const auto job = Submit({"a.example.org"});
  ASSERT_TRUE(gate_.WaitFor(1));
  const Failure failure = FailureOf([&] { job->Wait(Millis(20), nullptr, {}); });
  EXPECT_EQ(failure.code, FailureCode::kTimeout);
  EXPECT_TRUE(failure.transient);
  EXPECT_THAT(failure.identifiers, ElementsAre("a.example.org"));
  EXPECT_THAT(failure.detail, HasSubstr("account ready")) << "the last step";
  EXPECT_TRUE(jobs_->IsUnderWay("a.example.org"));
  gate_.Open();
  EXPECT_TRUE(Wait(*job).issued);
}

TEST_F(JobsTest, OneWhoStopsWaitingStopsNobodyElse) {
  const auto job = Submit({"a.example.org"});
  auto other = Waiter(job);
  ASSERT_TRUE(gate_.WaitFor(1));
  std::stop_source stop;
  auto stopped = std::async(std::launch::async, [&] {
    return FailureOf([&] { job->Wait(kLong, nullptr, stop.get_token()); }).code;
  });
  stop.request_stop();
  EXPECT_EQ(stopped.get(), FailureCode::kCancelled);
  gate_.Open();
  EXPECT_TRUE(other.get().issued);
}

TEST_F(JobsTest, TheEndStopsWhatRunsAndWhatStandsInLineAndKeepsTheOrder) {
  UseWorkers(1);
  auto running = Waiter(Submit({"a.example.org"}));
  ASSERT_TRUE(gate_.WaitFor(1));
  auto in_line = Waiter(Submit({"b.example.org"}));
  jobs_.reset();
  EXPECT_EQ(FailureOf([&] { running.get(); }).code, FailureCode::kCancelled);
  EXPECT_EQ(FailureOf([&] { in_line.get(); }).code, FailureCode::kCancelled);
  ASSERT_EQ(Orders("a.example.org").size(), 1u);
  EXPECT_EQ(Orders("a.example.org")[0].state, model::OrderState::kCreating);
  EXPECT_EQ(Held("a.example.org").certificate.failures, 0) << "nobody's failure";
  gate_.Open();
  UseWorkers(1);
  EXPECT_TRUE(Wait(*Submit({"a.example.org"})).issued);
  EXPECT_EQ(Orders("a.example.org").size(), 1u) << "the same order";
}

}  // namespace
}  // namespace certwright::issue
