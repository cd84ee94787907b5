// Answers exact, live tokens, and nothing else, and knows when the CA has fetched them.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "certwright/acme/http01.h"
#include "certwright/base/clock.h"
#include "certwright/base/sync.h"
#include "certwright/http/responder.h"

namespace certwright::challenge {

class Http01Responder : public acme::Http01Presenter {
 public:
  // Does not listen yet.
  Http01Responder(http::ResponderOptions options, Clock& clock);
  ~Http01Responder() override;

  // Listens; done by the first Present too (a one-shot command that orders nothing opens no port).
  // Throws Error(kConfig) as http::Responder. Idempotent.
  void Listen();

  void Present(const std::string& token, const std::string& key_authorization) override;
  void Withdraw(const std::string& token) override;

  bool WaitFetched(const std::vector<std::string>& tokens, Millis quiet, Millis timeout,
                   std::stop_token stop) override;

  // How often a token was answered so far; 0 for an unknown one.
  int Fetches(const std::string& token);
  int port();  // 0 before Listen

 private:
  struct Token {
    std::string key_authorization;
    int presented = 0;  // so often, and not withdrawn
    int fetches = 0;
    int told = 0;  // of them, by WaitFetched
    Steady last_fetch{};
  };
  struct State {
    std::map<std::string, Token> tokens;
    std::unique_ptr<http::Responder> responder;
  };
  http::Responder::Reply Answer(const std::string& path);

  const http::ResponderOptions options_;
  Clock& clock_;
  Sync<State> state_;
  std::condition_variable_any fetched_;
};

}  // namespace certwright::challenge
