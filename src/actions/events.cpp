// events, replay-events.
#include <algorithm>

#include "certwright/base/text.h"
#include "certwright/store/events.h"
#include "handler.h"

namespace certwright::actions {

namespace {

constexpr int kEventsAtOnce = 1000;

// What is gone was had by nobody who asks for it: told, and never passed over in silence.
void RefuseWhatIsGone(std::int64_t after, std::int64_t first) {
  if (first == 0 || after + 1 >= first) return;
  throw Error(FailureCode::kGone,
              Cat("the events after ", after, " are not all there any more; the first that is there "
                  "is ", first),
              Cat("read what there is to know anew, and go on after ", first - 1));
}

}  // namespace

std::optional<json::Value> ListEvents(const Invocation& call) {
  const Context& context = call.context;
  const auto limit = static_cast<int>(call.input.Int("limit", kEventsAtOnce));
  const std::string kind = call.input.String("kind");
  const events::Node node{context.node_id, context.module_id};
  json::Value list = json::Array{};
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t next = call.input.Int("after");
  context.database.Read([&](store::Session& session) {
    first = store::FirstEvent(session);
    last = store::LastEvent(session);
    if (call.input.Has("after")) RefuseWhatIsGone(next, first);
    const auto found = store::ListEvents(session, next, limit,
                                         kind.empty() ? store::Kinds{} : store::Kinds{kind});
    for (const model::Event& event : found) list.Append(events::FeedEntry(event, node));
    // Fewer than asked for: all up to the last one were looked at.
    const bool all = static_cast<int>(found.size()) < limit;
    next = all ? std::max(next, last) : found.back().seq;
  });
  return json::Value::Object(
      {{"events", list}, {"first", first}, {"last", last}, {"next", next}});
}

std::optional<json::Value> ReplayEvents(const Invocation& call) {
  const std::int64_t from = call.input.Int("from");
  const Context& context = call.context;
  RefuseWhatIsGone(from - 1, context.database.Read(store::FirstEvent));
  return json::Value::Object(
      {{"handlers", context.feed.TellFrom(from, call.input.String("handler"))}});
}

}  // namespace certwright::actions
