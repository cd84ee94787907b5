// ACME plumbing: directory cache, nonce pool, signed requests (RFC 8555 section 6).
//
// Retries badNonce (at once, with the nonce of that very answer, ten times at most) and nothing
// else. Safe from several threads: the requests of one order run side by side.
#pragma once

#include <deque>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "certwright/acme/resources.h"
#include "certwright/base/clock.h"
#include "certwright/base/error.h"
#include "certwright/base/sync.h"
#include "certwright/crypto/key.h"
#include "certwright/http/transport.h"
#include "certwright/json/value.h"
#include "certwright/model/renewal.h"

namespace certwright::acme {

// An account as a signer: key and, once it is known, its URL (the "kid").
struct Signer {
  crypto::PrivateKey key;
  std::string account_url;
};

struct Answer {
  int status = 0;
  std::string url;                      // that was asked
  std::string text;                     // the body as it came
  std::string location;                 // checked URL, or ""
  std::vector<std::string> alternates;  // Link rel="alternate", checked URLs (section 7.4.2)
  std::optional<Millis> retry_after;    // clamped to 0 .. 24 h (RFC 9110 section 10.2.3)

  // The body as JSON. Throws Error(kProtocol).
  json::Value Json() const;
};

// A 4xx or 5xx as it is thrown: the Failure of its problem document, and which answer it was.
class AnswerError : public Error {
 public:
  AnswerError(Failure failure, int status, std::string url)
      : Error(std::move(failure)), status_(status), url_(std::move(url)) {}

  int status() const { return status_; }
  const std::string& url() const { return url_; }  // that was asked

 private:
  int status_;
  std::string url_;
};

class Client {
 public:
  Client(std::string directory_url, http::Transport& transport, Clock& clock,
         UrlPolicy policy = {});

  const std::string& directory_url() const { return directory_url_; }
  const UrlPolicy& policy() const { return policy_; }

  // Fetched when first needed and kept for an hour. Throws as Post.
  Directory GetDirectory(std::stop_token stop);
  // The same, whatever is kept: whether the CA answers now.
  Directory FetchDirectory(std::stop_token stop);

  // POST of a JWS with "kid" (or "jwk" where the signer has no account URL). An empty payload is
  // POST-as-GET. Any 4xx and 5xx is thrown as AnswerError, retry_at filled from Retry-After; a
  // redirect is Error(kProtocol); network errors come as http::Transport throws them. `max_body`
  // bounds the answer.
  Answer Post(const Signer& signer, const std::string& url, std::string_view payload,
              std::stop_token stop, std::size_t max_body = 64 * 1024);
  Answer PostAsGet(const Signer& signer, const std::string& url, std::stop_token stop,
                   std::size_t max_body = 64 * 1024);

  // RFC 9773 section 4.1: when the CA would like the certificate `ari_id` (its certID) renewed;
  // nullopt where the CA has no renewalInfo. A GET without an account; nothing is retried. Throws
  // as Post and as ParseRenewalWindow, and Error(kInput) where `ari_id` is no certID.
  std::optional<model::RenewalWindow> GetRenewalWindow(const std::string& ari_id,
                                                       std::stop_token stop);

  // Throws Error(kConfig) where our wall clock is more than a day off the CA's, as the Date of its
  // answers told (RFC 9110 section 6.6.1): what would be issued now, we would refuse. A CA that says
  // none is not asked for it.
  void CheckClock(std::stop_token stop);

 private:
  struct CaTime {
    UnixSeconds date = 0;
    Steady read_at{};
  };

  Answer Get(const std::string& url, std::stop_token stop);
  http::Response Send(const http::Request& request, std::stop_token stop);
  std::string TakeNonce(std::stop_token stop);
  http::Response AskNonce(std::stop_token stop);
  std::optional<UnixSeconds> ClockAhead();
  void KeepNonce(const http::Response& response);
  Answer Read(const http::Response& response, const std::string& url) const;

  struct CachedDirectory {
    std::optional<Directory> directory;
    Steady until{};
  };

  const std::string directory_url_;
  http::Transport& transport_;
  Clock& clock_;
  const UrlPolicy policy_;
  Sync<std::deque<std::string>> nonces_;
  Sync<CachedDirectory> directory_;
  Sync<std::optional<CaTime>> ca_time_;
};

}  // namespace certwright::acme
