#include "certwright/base/text.h"
#include "certwright/store/events.h"
#include "status.h"

namespace certwright::actions {

namespace {

std::string Counted(std::int64_t behind) {
  return Cat(behind, behind == 1 ? " event" : " events", " behind");
}

}  // namespace

// One line for all that is well, one for each that is not.
void FeedStatus(const Invocation& call, std::vector<Component>& components) {
  int well = 0;
  std::int64_t waiting = 0;
  call.context.database.Read([&](store::Session& session) {
    for (const store::FeedPosition& one : store::ListPositions(session)) {
      const std::int64_t behind = store::CountEvents(session, one.seq, one.kinds);
      if (one.failures == 0) {
        ++well;
        waiting += behind;
        continue;
      }
      components.push_back({one.subscriber, Health::kWarning,
                            Cat("failing since ", FormatUtc(one.failing_since), ", ", one.failures,
                                one.failures == 1 ? " time" : " times in a row", ", ",
                                Counted(behind), ", told again at ", FormatUtc(one.next_try), ": ",
                                one.last_error)});
    }
  });
  components.push_back({"events", Health::kOk,
                        Cat(well, " are told of events", waiting == 0 ? ", and have had all" : "",
                            waiting == 0 ? "" : Cat(" (", Counted(waiting), ")"))});
}

}  // namespace certwright::actions
