#include "walk.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>

#include "certwright/base/error.h"
#include "certwright/base/file.h"
#include "certwright/base/text.h"
#include "certwright/http/client.h"

namespace certwright::probe {
namespace {

constexpr int kMostRedirects = 10;
constexpr std::size_t kMostBody = 16 * 1024;
constexpr std::size_t kShownBody = 80;

bool IsSix(const std::string& address) { return address.find(':') != std::string::npos; }

// Whether this machine could send anything there at all: a host without IPv6 cannot say anything about
// an AAAA record. Connecting a datagram socket sends nothing.
bool HasRoute(const std::string& address) {
  const Fd fd(socket(IsSix(address) ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return errno != EAFNOSUPPORT;
  int result = 0;
  if (IsSix(address)) {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(80);
    inet_pton(AF_INET6, address.c_str(), &six.sin6_addr);
    result = connect(fd.get(), reinterpret_cast<const sockaddr*>(&six), sizeof six);
  } else {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(80);
    inet_pton(AF_INET, address.c_str(), &four.sin_addr);
    result = connect(fd.get(), reinterpret_cast<const sockaddr*>(&four), sizeof four);
  }
  return result == 0 ||
         (errno != ENETUNREACH && errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT);
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// RFC 3986 section 5.2, as far as servers use it in Location; "" where it is none of these forms.
std::string Absolute(const std::string& location, const http::Url& base, const std::string& origin) {
  if (location.find("://") != std::string::npos) return location.substr(0, location.find('#'));
  if (location.starts_with("//")) return Cat(base.scheme, ":", location);
  return location.starts_with("/") ? Cat(origin, location) : "";
}

std::string OriginOf(const std::string& url) {
  return url.substr(0, url.find_first_of("/?", url.find("://") + 3));
}

class Walker {
 public:
  Walker(const std::string& name, const std::string& address, const Token& token,
         Resolver& resolver, const PathOptions& options, std::stop_token stop)
      : token_(token), resolver_(resolver), options_(options), stop_(std::move(stop)) {
    sight_.name = name;
    sight_.address = address;
  }

  Sight Go() {
    const std::string host = IsSix(sight_.name) ? Cat("[", sight_.name, "]") : sight_.name;
    std::string url =
        Cat("http://", host, options_.http_port == 80 ? "" : Cat(":", options_.http_port),
            "/.well-known/acme-challenge/", token_.value);
    std::string address = sight_.address;
    for (int redirects = 0; redirects <= kMostRedirects; ++redirects) {
      if (!HasRoute(address)) {
        return Say(Verdict::kUnknown, Cat("this machine has no route to ", address), "");
      }
      http::Request request;
      request.url = url;
      request.max_body = kMostBody;
      const http::Response response = http::LookAt(request, address, options_.timeout, stop_);
      if (!IsRedirect(response.status)) return Judge(response, url);
      if (!Follow(response, url, address)) return sight_;
    }
    return Say(Verdict::kBad, Cat("more than ", kMostRedirects, " redirects"),
               "let /.well-known/acme-challenge/ pass without a redirect");
  }

  Sight Say(Verdict verdict, std::string saw, std::string advice) {
    sight_.verdict = verdict;
    sight_.saw = std::move(saw);
    sight_.advice = std::move(advice);
    return sight_;
  }

 private:
  // Where it goes on; false where it does not, which is said.
  bool Follow(const http::Response& response, std::string& url, std::string& address) {
    const std::string location(response.Header("location"));
    const http::Url before = http::ParseUrl(url);
    const std::string next = Absolute(location, before, OriginOf(url));
    const std::string advice = "let /.well-known/acme-challenge/ pass without a redirect";
    const auto refuse = [&](std::string_view why) {
      Say(Verdict::kBad, Cat("redirected to \"", Printable(location, 200), "\", ", why), advice);
      return false;
    };
    if (next.empty()) return refuse("which is no URL that can be followed");
    const http::Url target = http::ParseUrl(next);
    if (target.port != options_.http_port && target.port != options_.https_port) {
      return refuse("a port that no CA follows to");
    }
    if (target.host != before.host) {
      const Addresses found = resolver_.LookUpAddresses(target.host, stop_);
      if (found.status == DnsStatus::kFailed) {
        Say(Verdict::kUnknown, found.problem, "check the name servers of the domain");
        return false;
      }
      if (found.addresses.empty()) return refuse("a host that has no address");
      address = found.addresses.front();
    }
    url = next;
    return true;
  }

  Sight Judge(const http::Response& response, const std::string& url) {
    const std::string at = Printable(url, 200);
    const std::string_view body = Trim(response.body);  // section 8.3: blanks at the end are fine
    if (response.status == 200 && body == token_.key_authorization()) {
      return Say(Verdict::kGood, "the token was answered", "");
    }
    const std::string shown = Printable(body, kShownBody);
    if (response.status == 200) {
      return Say(Verdict::kBad, Cat(at, " answers something else: \"", shown, "\""),
                 "another server answers there: lead /.well-known/acme-challenge/ to Certwright");
    }
    return Say(Verdict::kBad, Cat(at, " answers ", response.status, ": \"", shown, "\""),
               "lead /.well-known/acme-challenge/ to Certwright, on every address of the name");
  }

  const Token& token_;
  Resolver& resolver_;
  const PathOptions& options_;
  const std::stop_token stop_;
  Sight sight_;
};

}  // namespace

Sight Walk(const std::string& name, const std::string& address, const Token& token,
           Resolver& resolver, const PathOptions& options, std::stop_token stop) {
  Walker walker(name, address, token, resolver, options, std::move(stop));
  try {
    return walker.Go();
  } catch (const Error& error) {
    if (error.failure().code == FailureCode::kCancelled) {
      return walker.Say(Verdict::kUnknown, "stopped", "");
    }
    return walker.Say(Verdict::kBad, error.failure().detail,
                      Cat("make port ", options.http_port,
                          " of this address lead to this machine, or remove its record"));
  } catch (const std::exception& error) {
    return walker.Say(Verdict::kUnknown, Printable(error.what()), "");
  }
}

}  // namespace certwright::probe
