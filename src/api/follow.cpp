// The feed for who waits at it: long polls and server-sent events.
#include <charconv>

#include "answers.h"
#include "certwright/base/text.h"
#include "door.h"

namespace certwright::api {

namespace {

// A comment this often tells both ends that the other one is there.
constexpr Millis kHeartbeat{15'000};
constexpr int kAtOnce = 200;

std::optional<std::int64_t> NumberIn(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

bool SendEvents(http::ServerReply& reply, const json::Value& output) {
  for (const json::Value& entry : output["events"].Items()) {
    const std::string text = Cat("id: ", entry.Int("id"), "\ndata: ", json::Write(entry), "\n");
    if (!reply.Line(text)) return false;
  }
  return true;
}

}  // namespace

void Door::AnswerFailed(const Exchange& exchange, actions::Call call,
                        const actions::Result& result) {
  json::Members more;
  if (result.failure && result.failure->code == FailureCode::kGone) {
    call.input = R"({"limit":1})";
    const actions::Result there = runner_.Run(call, nullptr, stop_.get_token());
    if (there.output) more.emplace_back("first", there.output->Int("first"));
  }
  AnswerProblem(exchange.reply, result, more);
}

actions::Result Door::WaitForEvents(const actions::Call& call, Millis patience) {
  const std::shared_ptr<void> place = Place(may_poll_);
  if (!place) return Busy(Cat(kMostPolling, " callers wait for something already"));
  Clock& clock = SystemClock();
  const Steady end = clock.SteadyNow() + patience;
  while (true) {
    actions::Result now = runner_.Run(call, nullptr, stop_.get_token());
    if (now.exit_code != 0 || !(*now.output)["events"].Items().empty()) return now;
    const auto left = std::chrono::ceil<Millis>(end - clock.SteadyNow());
    const bool news =
        left > Millis(0) &&
        runner_.AwaitEvent(now.output->Int("next"), left, stop_.get_token());
    if (!news) return now;
  }
}

void Door::Follow(const Exchange& exchange, actions::Call call) {
  const auto run = [&](const json::Value& input) {
    call.input = json::Write(input);
    return runner_.Run(call, nullptr, stop_.get_token());
  };
  const std::shared_ptr<void> place = Place(may_follow_);
  if (!place) {
    return AnswerProblem(exchange.reply, Busy(Cat(kMostFollowing, " callers follow it already")));
  }
  json::Value input = json::Parse(call.input);
  if (const auto header = exchange.request.Header("last-event-id"); !header.empty()) {
    const auto number = NumberIn(header);
    if (!number) return AnswerProblem(exchange.reply, 400, "Last-Event-ID is no event's number");
    input.Set("after", *number);
  }
  input.Set("limit", input.Has("after") ? kAtOnce : 1);
  actions::Result result = run(input);
  if (result.exit_code != 0) return AnswerFailed(exchange, call, result);
  if (!input.Has("after")) {
    input.Set("after", result.output->Int("last")).Set("limit", kAtOnce);
    result = run(input);
  }
  exchange.reply.StartLines(200, kEventStream);
  bool here = exchange.reply.Line(":\n");
  while (here && result.exit_code == 0 && !stop_.stop_requested()) {
    here = SendEvents(exchange.reply, *result.output);
    const std::int64_t next = result.output->Int("next");
    input.Set("after", next);
    const bool news =
        here && runner_.AwaitEvent(next, kHeartbeat, stop_.get_token());
    if (here && !news) here = exchange.reply.Line(":\n");
    if (here) result = run(input);
  }
}

}  // namespace certwright::api
