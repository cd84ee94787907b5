#include "webhooks.h"

#include <mutex>
#include <optional>

#include "certwright/base/encoding.h"
#include "certwright/base/file.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"
#include "certwright/crypto/mac.h"
#include "certwright/events/webhook.h"
#include "certwright/http/client.h"
#include "engine.h"

namespace certwright::app {

namespace {

constexpr std::size_t kLeastSecret = 16;  // bytes

Secret ReadSecret(const Path& file) {
  constexpr std::string_view kPrefix = "whsec_";
  constexpr const char* kAdvice =
      "put there what the receiver has: whsec_ and base64, or a text of 16 bytes at least";
  std::string text;
  try {
    text = Trim(ReadFile(file, 4096));
  } catch (const Error& error) {
    throw Error(FailureCode::kConfig, Cat("secret_file: ", error.what()), kAdvice);
  }
  std::optional<std::string> key = text;
  if (text.starts_with(kPrefix)) key = FromBase64(std::string_view(text).substr(kPrefix.size()));
  if (key && key->size() >= kLeastSecret) return Secret(*key);
  throw Error(FailureCode::kConfig,
              Cat("secret_file: what ", Printable(file.string()), " holds is ",
                  key ? "too short" : "no base64"),
              kAdvice);
}

http::ClientOptions OptionsOf(const config::Webhook& hook) {
  http::ClientOptions options;
  options.user_agent = Cat("certwright/", kVersion);
  options.ca_bundle = hook.ca_bundle;
  options.allow_http_loopback = hook.allow_private;
  options.public_addresses_only = !hook.allow_private;
  return options;
}

// One hook's secret and connections, made when they are first needed.
class Sender {
 public:
  explicit Sender(config::Webhook hook) : hook_(std::move(hook)) {}

  std::string Sign(const std::string& text) {
    const std::lock_guard guard(mutex_);
    if (!secret_) secret_ = ReadSecret(hook_.secret_file);
    return Base64(crypto::HmacSha256(*secret_, text));
  }

  int Post(const http::Headers& headers, const std::string& body, std::stop_token stop) {
    http::Request request;
    request.method = "POST";
    request.url = hook_.url;
    request.headers = headers;
    request.content_type = "application/json";
    request.body = body;
    request.max_body = 1 << 20;  // nobody reads it
    return Client().Send(request, stop).status;
  }

 private:
  http::Client& Client() {
    const std::lock_guard guard(mutex_);
    if (!client_) client_.emplace(OptionsOf(hook_));
    return *client_;
  }

  const config::Webhook hook_;
  std::mutex mutex_;
  std::optional<Secret> secret_;
  std::optional<http::Client> client_;
};

// The path of a URL may be a secret of the receiver's: it shows nowhere.
std::string NameOf(const config::Webhook& hook) {
  return Cat("webhook:", http::ParseUrl(hook.url).host, "-",
             Hex(crypto::Sha256(hook.url)).substr(0, 8));
}

}  // namespace

std::vector<std::unique_ptr<events::Subscriber>> MakeWebhooks(const config::Config& config,
                                                              Clock& clock) {
  std::vector<std::unique_ptr<events::Subscriber>> hooks;
  for (const config::Webhook& hook : config.events_webhooks) {
    const auto sender = std::make_shared<Sender>(hook);
    events::WebhookOptions options;
    options.name = NameOf(hook);
    options.kinds = hook.kinds;
    options.node = {config.node_id, config.module_id};
    options.sign = [sender](const std::string& text) { return sender->Sign(text); };
    options.post = [sender](const events::WebhookOptions::Headers& headers,
                            const std::string& body, std::stop_token stop) {
      return sender->Post(headers, body, std::move(stop));
    };
    hooks.push_back(events::MakeWebhook(std::move(options), clock));
  }
  return hooks;
}

void CheckWebhooks(const config::Config& config) {
  for (const config::Webhook& hook : config.events_webhooks) {
    try {
      ReadSecret(hook.secret_file);
      http::Client(OptionsOf(hook));
    } catch (const Error& error) {
      throw Error(FailureCode::kConfig,
                  Cat("events.webhook: ", NameOf(hook), ": ", error.what()),
                  error.failure().advice);
    }
  }
}

}  // namespace certwright::app
