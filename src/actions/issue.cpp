#include "certwright/base/text.h"
#include "handler.h"

namespace certwright::actions {

namespace {

issue::ObtainRequest RequestOf(const Invocation& call) {
  issue::ObtainRequest request;
  request.identifiers = model::ParseIdentifiers(call.input.Strings("names"));
  if (call.input.Has("key_type")) {
    request.wish.key_type = model::KeyTypeFromName(call.input.String("key_type"));
  }
  if (call.input.Has("profile")) request.wish.profile = call.input.String("profile");
  request.force = call.input.Bool("force");
  return request;
}

}  // namespace

std::optional<json::Value> Issue(const Invocation& call) {
  const issue::ObtainRequest request = RequestOf(call);
  if (call.input.Bool("dry_run")) {
    const std::vector<std::string> report = call.context.obtainer.DryRun(request, call.stop);
    return json::Value::Object({{"dry_run", true}, {"report", report}});
  }
  const Millis timeout = std::chrono::seconds(call.input.Int("timeout", 90));
  const issue::ObtainResult result = ObtainNow(call, request, timeout);
  json::Value output =
      json::Value::Object({{"issued", result.issued},
                           {"certificate", DescribeNow(call.context, result.held)},
                           {"served", json::Value()}});
  // It was obtained, which was the question. That it is not served yet is told beside it.
  const Served served = AwaitServedOrTell(call, *result.held.current, result.event_seq);
  if (served.seen) output.Set("served", true);
  if (served.failure) {
    output.Set("served", false)
        .Set("warning", Cat(served.failure->detail, "; ", served.failure->advice));
  }
  return output;
}

}  // namespace certwright::actions
