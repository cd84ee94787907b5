// Web hooks: each event of the feed as a signed POST (Standard Webhooks, version 1).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/events/feed.h"

namespace certwright::events {

struct WebhookOptions {
  std::string name;    // "webhook:...", the key of its stored position
  store::Kinds kinds;  // none: all
  Node node;
  // base64 of the HMAC-SHA-256 of a text by the hook's secret.
  std::function<std::string(const std::string& text)> sign;
  // Sends it, with these headers. Gives the status; throws Error where there is no answer.
  using Headers = std::vector<std::pair<std::string, std::string>>;
  std::function<int(const Headers& headers, const std::string& body, std::stop_token stop)> post;
};

// The body is the feed entry; webhook-id ("<module_id>_<node_id>_<number>") is the same each time that
// an event is sent, webhook-timestamp is when it was sent, and webhook-signature is "v1," and the
// signature of "<id>.<timestamp>.<body>". A status of 200 to 299 means that it was taken; all else
// is a failure: it comes again, after 1 s, 2 s ... 10 min.
std::unique_ptr<Subscriber> MakeWebhook(WebhookOptions options, Clock& clock);

}  // namespace certwright::events
