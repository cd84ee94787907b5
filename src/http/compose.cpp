#include "compose.h"

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::http {
namespace {

void AddHeader(std::string& text, std::string_view name, std::string_view value) {
  constexpr std::string_view kLineEnds("\r\n\0", 3);
  if (name.empty() || name.find_first_of(std::string_view("\r\n\0: ", 5)) != name.npos ||
      value.find_first_of(kLineEnds) != value.npos) {
    throw Error(FailureCode::kInternal, Cat("header ", Printable(name, 60), " cannot be sent"));
  }
  text.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string Compose(const Request& request, const std::string& target, const std::string& host,
                    const std::string& user_agent) {
  const bool post = request.method == "POST";
  if (!post && request.method != "GET" && request.method != "HEAD") {
    throw Error(FailureCode::kInternal, Cat("method ", Printable(request.method, 20)));
  }
  std::string text = Cat(request.method, " ", target, " HTTP/1.1\r\n");
  AddHeader(text, "Host", host);
  AddHeader(text, "User-Agent", user_agent);
  AddHeader(text, "Accept-Encoding", "identity");
  for (const auto& [name, value] : request.headers) AddHeader(text, name, value);
  if (!request.content_type.empty()) AddHeader(text, "Content-Type", request.content_type);
  if (post) AddHeader(text, "Content-Length", Cat(request.body.size()));
  text.append("\r\n");
  if (post) text.append(request.body);
  return text;
}

}  // namespace certwright::http
