#include "certwright/acme/client.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "certwright/base/encoding.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/crypto/jws.h"

namespace certwright::acme {

namespace {

constexpr std::size_t kMaxNonces = 64;
constexpr std::size_t kMaxNonceBytes = 1024;
constexpr int kMaxBadNonces = 10;
constexpr std::size_t kMaxAlternates = 10;
constexpr std::chrono::hours kDirectoryAge{1};
constexpr std::chrono::hours kMaxRetryAfter{24};
constexpr UnixSeconds kClockTolerance = 24 * 3600;

// RFC 9110 section 10.2.3: seconds or a date. What is neither, or negative, is no Retry-After.
std::optional<Millis> ParseRetryAfter(std::string_view text, UnixSeconds now) {
  text = Trim(text);
  if (text.empty()) return std::nullopt;
  constexpr std::int64_t kMax = std::chrono::seconds(kMaxRetryAfter).count();
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (end == text.data() + text.size() && text.front() >= '0' && text.front() <= '9') {
    if (error == std::errc::result_out_of_range) seconds = kMax;
  } else {
    const UnixSeconds date = ParseHttpDate(text);
    if (date < 0) return std::nullopt;
    seconds = date - now;
  }
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kMax));
}

// RFC 8288, as far as ACME uses it: <URL>;rel="alternate", several in one field or in several. One
// that may not be asked is left out: it is no reason to lose the certificate beside it.
std::vector<std::string> ParseAlternates(const std::vector<std::string>& fields,
                                         const UrlPolicy& policy) {
  std::vector<std::string> urls;
  for (const std::string& field : fields) {
    std::size_t at = 0;
    while ((at = field.find('<', at)) != std::string::npos) {
      const std::size_t end = field.find('>', at);
      if (end == std::string::npos) break;
      const std::size_t next = field.find('<', end);
      const std::string_view parameters = std::string_view(field).substr(
          end + 1, next == std::string::npos ? std::string::npos : next - end - 1);
      const bool alternate = parameters.find("rel=\"alternate\"") != std::string_view::npos ||
                             parameters.find("rel=alternate") != std::string_view::npos;
      if (alternate && urls.size() < kMaxAlternates) {
        try {
          urls.push_back(CheckedUrl(field.substr(at + 1, end - at - 1), policy,
                                    "the URL of an alternate chain"));
        } catch (const Error& error) {
          log::Warning(error.what());
        }
      }
      at = end;
    }
  }
  return urls;
}

[[noreturn]] void ThrowProblem(const http::Response& response, const std::string& url,
                               std::optional<Millis> retry_after, UnixSeconds now) {
  json::Value problem;
  try {
    problem = json::Parse(response.body);
  } catch (const Error&) {
    // An HTML page of a proxy, or nothing: the status says enough.
  }
  Failure failure = FailureFromProblem(problem, response.status);
  if (!problem.IsObject()) {
    failure.detail = Cat("the CA answered ", response.status, " without a problem document at ",
                         Printable(url, 200));
    failure.advice = response.status < 500
                         ? "acme.directory may be no directory, or something in between answered"
                         : "the CA, or a proxy before it, has a fault; try again later";
  }
  if (retry_after) {
    failure.retry_at = now + std::chrono::duration_cast<std::chrono::seconds>(*retry_after).count();
  }
  throw AnswerError(std::move(failure), response.status, url);
}

// Two parts, so that it can be nothing but one segment of a path.
bool IsCertId(std::string_view text) {
  const std::size_t dot = std::min(text.find('.'), text.size());
  return IsBase64Url(text.substr(0, dot)) && dot < text.size() && IsBase64Url(text.substr(dot + 1));
}

}  // namespace

json::Value Answer::Json() const {
  try {
    json::ParseLimits limits;
    limits.max_bytes = text.size();  // the transport has bounded it already
    return json::Parse(text, limits);
  } catch (const Error& error) {
    const bool html = Trim(text).starts_with("<");
    Failure failure;
    failure.code = FailureCode::kProtocol;
    failure.detail =
        Cat("the CA at ", Printable(url, 200), " sent ", html ? "an HTML page" : "a text",
            " where JSON is expected: ", error.failure().detail);
    failure.advice = "a proxy or a captive portal may stand between this machine and the CA";
    failure.transient = true;
    throw Error(std::move(failure));
  }
}

Client::Client(std::string directory_url, http::Transport& transport, Clock& clock,
               UrlPolicy policy)
    : directory_url_(std::move(directory_url)),
      transport_(transport),
      clock_(clock),
      policy_(policy) {}

http::Response Client::Send(const http::Request& request, std::stop_token stop) {
  try {
    http::Response response = transport_.Send(request, stop);
    const UnixSeconds date = ParseHttpDate(response.Header("date"));
    if (date > 0) *ca_time_.Acquire() = CaTime{date, clock_.SteadyNow()};
    return response;
  } catch (const Error& error) {
    Failure failure = error.failure();
    if (failure.code == FailureCode::kNetwork) {
      failure.detail = Cat("the CA cannot be reached: ", failure.detail);
      if (failure.advice.empty()) {
        failure.advice = "check acme.directory and this machine's network, then try again";
      }
    }
    throw Error(std::move(failure));
  }
}

Answer Client::Get(const std::string& url, std::stop_token stop) {
  http::Request request;
  request.url = url;
  request.headers = {{"Accept-Language", "en"}};
  const http::Response response = Send(request, stop);
  KeepNonce(response);
  return Read(response, url);
}

Directory Client::GetDirectory(std::stop_token stop) {
  {
    auto cached = directory_.Acquire();
    if (cached->directory && clock_.SteadyNow() < cached->until) return *cached->directory;
  }
  return FetchDirectory(stop);
}

Directory Client::FetchDirectory(std::stop_token stop) {
  const Directory directory = ParseDirectory(Get(directory_url_, stop).Json(), policy_);
  auto cached = directory_.Acquire();
  cached->directory = directory;
  cached->until = clock_.SteadyNow() + kDirectoryAge;
  return directory;
}

void Client::KeepNonce(const http::Response& response) {
  const std::string_view nonce = response.Header("replay-nonce");
  // Section 6.5.1: what is not base64url is no nonce.
  if (nonce.empty() || nonce.size() > kMaxNonceBytes || !IsBase64Url(nonce)) return;
  auto nonces = nonces_.Acquire();
  if (nonces->size() == kMaxNonces) nonces->pop_front();
  nonces->emplace_back(nonce);
}

http::Response Client::AskNonce(std::stop_token stop) {
  http::Request request;
  request.method = "HEAD";
  request.url = GetDirectory(stop).new_nonce;
  http::Response response = Send(request, stop);
  Read(response, request.url);
  return response;
}

std::string Client::TakeNonce(std::stop_token stop) {
  const auto take = [this]() -> std::string {
    auto nonces = nonces_.Acquire();
    if (nonces->empty()) return "";
    std::string nonce = std::move(nonces->back());  // the freshest: CAs let old ones expire
    nonces->pop_back();
    return nonce;
  };
  if (std::string nonce = take(); !nonce.empty()) return nonce;
  const http::Response response = AskNonce(stop);
  const std::string_view nonce = response.Header("replay-nonce");
  if (nonce.empty() || nonce.size() > kMaxNonceBytes || !IsBase64Url(nonce)) {
    Failure failure;
    failure.code = FailureCode::kProtocol;
    failure.detail =
        nonce.empty() ? "the CA sent no nonce" : "the CA sent a nonce that is not base64url";
    failure.advice = "this is a fault of the CA, or of something between it and here";
    failure.transient = nonce.empty();  // a page of a proxy has none, and may be gone the next time
    throw Error(std::move(failure));
  }
  return std::string(nonce);
}

std::optional<UnixSeconds> Client::ClockAhead() {
  const std::optional<CaTime> known = *ca_time_.Acquire();
  if (!known) return std::nullopt;
  const auto since = clock_.SteadyNow() - known->read_at;
  return clock_.Now() - known->date - std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

void Client::CheckClock(std::stop_token stop) {
  const auto is_right = [](std::optional<UnixSeconds> ahead) {
    return !ahead || (-kClockTolerance <= *ahead && *ahead <= kClockTolerance);
  };
  if (is_right(ClockAhead())) return;
  KeepNonce(AskNonce(stop));  // maybe we slept since it said its time
  const UnixSeconds ahead = ClockAhead().value_or(0);
  if (is_right(ahead)) return;
  throw Error(FailureCode::kConfig,
              Cat("this machine's clock is ", std::abs(ahead) / 3600, " hours ",
                  ahead > 0 ? "ahead of" : "behind", " the CA's: nothing is ordered by it"),
              "set the clock (timedatectl); what is due is ordered by itself then");
}

Answer Client::Read(const http::Response& response, const std::string& url) const {
  Answer answer;
  answer.status = response.status;
  answer.url = url;
  answer.retry_after = ParseRetryAfter(response.Header("retry-after"), clock_.Now());
  if (response.status >= 400) ThrowProblem(response, url, answer.retry_after, clock_.Now());
  if (response.status < 200 || response.status >= 300) {
    throw Error(FailureCode::kProtocol,
                Cat("the CA answered ", response.status, " (a redirect?) at ", Printable(url, 200),
                    ": redirects are not followed"),
                "check acme.directory: it must be the directory's own URL");
  }
  answer.text = response.body;
  if (const std::string_view location = response.Header("location"); !location.empty()) {
    answer.location = CheckedUrl(location, policy_, "the URL in Location");
  }
  answer.alternates = ParseAlternates(response.All("link"), policy_);
  return answer;
}

Answer Client::Post(const Signer& signer, const std::string& url, std::string_view payload,
                    std::stop_token stop, std::size_t max_body) {
  for (int tries = 0;; ++tries) {
    json::Value header = json::Value::Object({{"alg", crypto::JwsAlgorithm(signer.key)}});
    // Section 6.2: exactly one of the two.
    if (signer.account_url.empty()) {
      header.Set("jwk", json::Parse(crypto::Jwk(signer.key)));
    } else {
      header.Set("kid", signer.account_url);
    }
    header.Set("nonce", TakeNonce(stop));
    header.Set("url", url);

    http::Request request;
    request.method = "POST";
    request.url = url;
    request.content_type = "application/jose+json";
    request.headers = {{"Accept-Language", "en"}};
    request.body = crypto::SignJws(signer.key, json::Write(header), payload);
    request.max_body = max_body;
    const http::Response response = Send(request, stop);
    KeepNonce(response);
    try {
      return Read(response, url);
    } catch (const Error& error) {
      if (error.failure().acme_type != "badNonce") throw;
      if (tries == kMaxBadNonces) {
        Failure failure = error.failure();
        failure.code = FailureCode::kServer;
        failure.detail = "the CA refused eleven nonces of its own in a row (badNonce)";
        failure.advice = "this is a fault of the CA; try again later";
        failure.transient = true;
        throw Error(std::move(failure));
      }
    }
  }
}

Answer Client::PostAsGet(const Signer& signer, const std::string& url, std::stop_token stop,
                         std::size_t max_body) {
  return Post(signer, url, "", stop, max_body);
}

std::optional<model::RenewalWindow> Client::GetRenewalWindow(const std::string& ari_id,
                                                             std::stop_token stop) {
  if (!IsCertId(ari_id)) {
    throw Error(FailureCode::kInput,
                Cat("'", Printable(ari_id, 100), "' is no certID of renewal information"));
  }
  const std::string base = GetDirectory(stop).renewal_info;
  if (base.empty()) return std::nullopt;
  const Answer answer = Get(Cat(base, "/", ari_id), stop);
  model::RenewalWindow window = ParseRenewalWindow(answer.Json());
  window.retry_after = answer.retry_after;
  return window;
}

}  // namespace certwright::acme
