#include "certwright/challenge/http01_responder.h"

#include <algorithm>
#include <utility>

#include "certwright/base/text.h"

namespace certwright::challenge {
namespace {

constexpr std::string_view kPrefix = "/.well-known/acme-challenge/";  // RFC 8555 section 8.3

}  // namespace

Http01Responder::Http01Responder(http::ResponderOptions options, Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

Http01Responder::~Http01Responder() {
  // Ended without the lock, which its thread may be waiting for, and while the rest is still there.
  std::unique_ptr<http::Responder> responder = std::move(state_.Acquire()->responder);
  responder.reset();
}

void Http01Responder::Listen() {
  auto state = state_.Acquire();
  if (state->responder) return;
  state->responder = std::make_unique<http::Responder>(
      options_, [this](const std::string& path) { return Answer(path); });
}

void Http01Responder::Present(const std::string& token, const std::string& key_authorization) {
  {
    auto state = state_.Acquire();
    Token& entry = state->tokens[token];
    // The same again (an order that is carried on) keeps what is known of its fetches.
    if (entry.key_authorization != key_authorization) {
      entry = {key_authorization, entry.presented, 0, 0, {}};
    }
    ++entry.presented;
  }
  Listen();
}

void Http01Responder::Withdraw(const std::string& token) {
  auto state = state_.Acquire();
  const auto entry = state->tokens.find(token);
  if (entry != state->tokens.end() && --entry->second.presented == 0) state->tokens.erase(entry);
}

http::Responder::Reply Http01Responder::Answer(const std::string& path) {
  http::Responder::Reply reply;
  reply.answer.body = "no such challenge\n";
  if (!path.starts_with(kPrefix) || path.size() == kPrefix.size()) return reply;
  std::string token = path.substr(kPrefix.size());
  auto state = state_.Acquire();
  const auto entry = state->tokens.find(token);
  if (entry == state->tokens.end()) return reply;
  reply.answer = {200, "application/octet-stream", entry->second.key_authorization};
  reply.after = [this, token = std::move(token)] {
    {
      auto locked = state_.Acquire();
      const auto fetched = locked->tokens.find(token);
      if (fetched == locked->tokens.end()) return;
      ++fetched->second.fetches;
      fetched->second.last_fetch = clock_.SteadyNow();
    }
    fetched_.notify_all();
  };
  return reply;
}

bool Http01Responder::WaitFetched(const std::vector<std::string>& tokens, Millis quiet,
                                  Millis timeout, std::stop_token stop) {
  const Steady deadline = clock_.SteadyNow() + timeout;
  auto state = state_.Acquire();
  for (;;) {
    std::vector<Token*> fetched;
    bool news = false;
    Steady last{};
    for (const std::string& token : tokens) {
      const auto entry = state->tokens.find(token);
      if (entry == state->tokens.end() || entry->second.fetches == 0) break;
      fetched.push_back(&entry->second);
      news = news || entry->second.fetches > entry->second.told;
      last = std::max(last, entry->second.last_fetch);
    }
    news = news && fetched.size() == tokens.size();
    const Steady now = clock_.SteadyNow();
    if (news && now >= last + quiet) {
      for (Token* token : fetched) token->told = token->fetches;
      return true;
    }
    if (now >= deadline || stop.stop_requested()) return false;
    const Steady until = news ? std::min(deadline, last + quiet) : deadline;
    // Woken by any fetch (the predicate is the loop), by the stop, or by the time.
    fetched_.wait_for(state.guard(), stop, std::chrono::ceil<Millis>(until - now),
                      [woken = false]() mutable { return std::exchange(woken, true); });
  }
}

int Http01Responder::Fetches(const std::string& token) {
  auto state = state_.Acquire();
  const auto entry = state->tokens.find(token);
  return entry == state->tokens.end() ? 0 : entry->second.fetches;
}

int Http01Responder::port() {
  auto state = state_.Acquire();
  return state->responder ? state->responder->port() : 0;
}

}  // namespace certwright::challenge
