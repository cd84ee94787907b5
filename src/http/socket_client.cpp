#include <fcntl.h>

#include <cerrno>
#include <limits>

#include "answer.h"
#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/http/local_socket.h"
#include "compose.h"
#include "patience.h"
#include "socket_path.h"
#include "stream.h"

namespace certwright::http {
namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

// "http://unix/path?query" or just "/path?query".
std::string Target(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t start = scheme == url.npos ? 0 : url.find('/', scheme + 3);
  std::string target = start == url.npos ? "/" : url.substr(start);
  if (!target.starts_with('/') ||
      target.find_first_of(std::string_view(" \r\n\0", 4)) != target.npos) {
    throw Error(FailureCode::kInternal, Cat("no path of a request: ", Printable(url, 100)));
  }
  return target;
}

Fd ConnectOrThrow(const Path& path, const Patience& patience) {
  int error = 0;
  Fd fd = ConnectUnix(path, error);
  if (fd) {
    fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    return fd;
  }
  if (error == EACCES || error == EPERM) {
    throw Error(FailureCode::kPermission, Cat("no permission to speak to ", path.string()),
                "run the command as the daemon's user, or as a member of the socket's group");
  }
  patience.ThrowNetwork(ErrnoWords(error), "is the daemon running? certwright serve");
}

}  // namespace

int SendToSocket(const Path& path, const Request& request,
                 const std::function<void(std::string_view)>& on_line, Millis silence) {
  Patience patience(path.string(), silence, {});
  const std::string text = Compose(request, Target(request.url), "localhost", "certwright");
  Stream stream(ConnectOrThrow(path, patience));

  std::string line;
  AnswerReader reader(stream, patience, {64 * 1024, 100, kNoLimit});
  const auto on_part = [&](std::string_view part) {
    patience.Renew();
    for (std::size_t end; (end = part.find('\n')) != part.npos; part.remove_prefix(end + 1)) {
      line.append(part.substr(0, end));
      on_line(line);
      line.clear();
    }
    line.append(part);
  };
  try {
    stream.WriteAll(text, patience);
    const int status = reader.Read(request.method == "HEAD", on_part).status;
    if (!line.empty()) on_line(line);
    return status;
  } catch (const Error& error) {
    Failure failure = error.failure();
    failure.transient = !reader.any() && patience.Left() > Millis(0);
    throw Error(std::move(failure));
  }
}

}  // namespace certwright::http
