#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/issue/bring_back.h"
#include "handler.h"

namespace certwright::actions {

std::optional<json::Value> Activate(const Invocation& call) {
  const std::string serial = call.input.String("serial");
  const Context& context = call.context;
  context.database.Read([&](store::Session& session) {
    if (const auto held = store::FindBySerial(session, serial)) RefuseWhileUnderWay(call, *held);
  });
  const issue::BroughtBack result =
      issue::BringBack(context.database, context.feed, context.clock, serial);
  json::Value output =
      json::Value::Object({{"activated", result.event_seq > 0},
                           {"certificate", DescribeNow(context, result.held)}});
  if (result.event_seq == 0) return output;
  try {
    AwaitServed(call, *result.held.current, result.event_seq);
  } catch (const Error& error) {
    if (error.failure().code != FailureCode::kTraefik) throw;
    log::Warning(error.failure().detail);
    output.Set("warning", Cat(error.failure().detail, "; ", error.failure().advice));
  }
  return output;
}

}  // namespace certwright::actions
