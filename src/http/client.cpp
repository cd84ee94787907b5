#include "certwright/http/client.h"

#include <algorithm>
#include <map>
#include <optional>

#include "answer.h"
#include "certwright/base/error.h"
#include "certwright/base/sync.h"
#include "certwright/base/text.h"
#include "compose.h"
#include "connect.h"
#include "patience.h"
#include "plain_talk.h"
#include "stream.h"
#include "tls.h"

namespace certwright::http {
namespace {

constexpr std::chrono::seconds kMaxIdleTime{60};  // routers forget quiet connections
constexpr std::size_t kMaxIdleInAll = 64;         // whatever number of hosts a CA's URLs name

struct IdleConnection {
  std::unique_ptr<Stream> stream;
  Steady since;
};
using Pool = std::map<std::string, std::vector<IdleConnection>>;

std::string HostAndPort(const Url& url, bool leave_default) {
  const bool six = url.host.find(':') != std::string::npos;
  const std::string host = six ? Cat("[", url.host, "]") : url.host;
  const bool is_default = url.port == (url.scheme == "https" ? 443 : 80);
  return is_default && leave_default ? host : Cat(host, ":", url.port);
}

}  // namespace

struct Client::Impl {
  explicit Impl(ClientOptions given) : options(std::move(given)) {
    if (!options.ca_bundle.empty()) Tls();  // whether it is any good is told at once
  }

  // Made for who needs it: it costs as much as all else that a command does that asks nobody.
  const TlsContext& Tls() {
    auto lock = tls.Acquire();
    if (!*lock) lock->emplace(TlsContext::Verifying(options.ca_bundle));
    return **lock;
  }

  Url Checked(const std::string& text) const {
    Url url = ParseUrl(text);
    if (url.scheme == "https" || (options.allow_http_loopback && IsLoopback(url))) return url;
    throw Error(FailureCode::kProtocol, Cat("URL is not https: ", Printable(text, 200)));
  }

  std::unique_ptr<Stream> TakeIdle(const std::string& key) {
    auto lock = pool.Acquire();
    const auto entry = lock->find(key);
    if (entry == lock->end()) return nullptr;
    const Steady oldest = SystemClock().SteadyNow() - kMaxIdleTime;
    std::unique_ptr<Stream> found;
    while (!found && !entry->second.empty()) {
      IdleConnection last = std::move(entry->second.back());
      entry->second.pop_back();
      if (last.since >= oldest && last.stream->Quiet()) found = std::move(last.stream);
    }
    if (entry->second.empty()) lock->erase(entry);
    return found;
  }

  void Keep(const std::string& key, std::unique_ptr<Stream> stream) {
    auto lock = pool.Acquire();
    std::size_t all = 0;
    for (const auto& [name, idle] : *lock) all += idle.size();
    if (all >= kMaxIdleInAll) lock->clear();
    auto& idle = (*lock)[key];
    if (idle.size() < options.max_idle_connections) {
      idle.push_back({std::move(stream), SystemClock().SteadyNow()});
    }
    if (idle.empty()) lock->erase(key);
  }

  std::unique_ptr<Stream> Open(const Url& url, Patience& patience) {
    Fd fd = Connect(url.host, url.port, options.connect_timeout, patience,
                    options.public_addresses_only);
    if (url.scheme == "http") return std::make_unique<Stream>(std::move(fd));
    return std::make_unique<Stream>(std::move(fd), Tls(), url.host, patience);
  }

  const ClientOptions options;
  Sync<std::optional<TlsContext>> tls;
  Sync<Pool> pool;
};

Client::Client(ClientOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Client::~Client() = default;

Response Client::Send(const Request& request, std::stop_token stop) {
  const ClientOptions& options = impl_->options;
  const Url url = impl_->Checked(request.url);
  const std::string text = Compose(request, url.target, HostAndPort(url, true), options.user_agent);
  const std::string peer = HostAndPort(url, false);
  const std::string key = Cat(url.scheme, "://", peer);
  Patience patience(peer, options.exchange_timeout, std::move(stop));
  if (patience.stop().stop_requested()) patience.ThrowStopped();

  std::unique_ptr<Stream> stream = impl_->TakeIdle(key);
  if (!stream) stream = impl_->Open(url, patience);
  stream->WriteAll(text, patience);
  AnswerReader reader(*stream, patience,
                      {options.max_header_bytes, options.max_headers, request.max_body});
  Response response = reader.Read(request.method == "HEAD");
  if (reader.reusable()) impl_->Keep(key, std::move(stream));
  return response;
}

Response LookAt(const Request& request, const std::string& address, Millis timeout,
                std::stop_token stop) {
  const Url url = ParseUrl(request.url);
  const std::string text = Compose(request, url.target, HostAndPort(url, true), "certwright");
  Url peer = url;
  peer.host = address;
  Patience patience(HostAndPort(peer, false), timeout, std::move(stop));
  if (patience.stop().stop_requested()) patience.ThrowStopped();
  Fd fd = Connect(address, url.port, timeout, patience);
  std::optional<TlsContext> tls;
  std::optional<Stream> stream;
  if (url.scheme == "https") {
    tls.emplace(TlsContext::Looking());
    stream.emplace(std::move(fd), *tls, url.host, patience);
  } else {
    stream.emplace(std::move(fd));
  }
  stream->WriteAll(text, patience);
  AnswerReader reader(*stream, patience, {32 * 1024, 100, request.max_body});
  return reader.Read(request.method == "HEAD");
}

namespace {

std::string PeerText(const std::string& address, int port) {
  const bool six = address.find(':') != std::string::npos;
  return six ? Cat("[", address, "]:", port) : Cat(address, ":", port);
}

std::string Shown(const Stream& stream, const Patience& patience) {
  std::string der = stream.PeerCertificate();
  if (der.empty()) patience.ThrowNetwork("shows no certificate");
  return der;
}

}  // namespace

std::string PeerCertificate(const std::string& address, int port, const std::string& server_name,
                            Millis timeout) {
  Patience patience(PeerText(address, port), timeout, {});
  const TlsContext tls = TlsContext::Looking();
  const Stream stream(Connect(address, port, timeout, patience), tls, server_name, patience);
  return Shown(stream, patience);
}

std::string PeerCertificateAfter(const std::string& address, int port,
                                 const std::string& server_name,
                                 const std::function<void(PlainTalk&)>& talk, Millis timeout,
                                 std::stop_token stop) {
  Patience patience(PeerText(address, port), timeout, std::move(stop));
  Stream plain(Connect(address, port, timeout, patience));
  if (talk) {
    BoundedTalk bounded(plain, patience);
    talk(bounded);
    bounded.End();
  }
  const TlsContext tls = talk ? TlsContext::LookingAtAnything() : TlsContext::Looking();
  const Stream stream(plain.TakeSocket(), tls, server_name, patience);
  return Shown(stream, patience);
}

}  // namespace certwright::http
