#include "socket_path.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/http/local_socket.h"

namespace certwright::http {
namespace {

gid_t GroupId(const std::string& name) {
  std::vector<char> buffer(64 * 1024);
  group entry{};
  group* found = nullptr;
  if (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || !found) {
    throw Error(FailureCode::kConfig, Cat("there is no group ", Printable(name, 60)),
                "make the group, or name another one in api.socket");
  }
  return found->gr_gid;
}

}  // namespace

Fd ConnectUnix(const Path& path, int& error) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path) {
    error = ENAMETOOLONG;
    return {};
  }
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd && connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
    return fd;
  error = errno;
  return {};
}

bool SocketAnswers(const Path& path) {
  int error = 0;
  // Where we may not connect there is a listener as far as we can know; sending tells why it fails.
  return static_cast<bool>(ConnectUnix(path, error)) || error == EACCES || error == EPERM;
}

void ClearSocketPath(const Path& path) {
  if (path.native().size() >= sizeof sockaddr_un::sun_path) {
    throw Error(FailureCode::kConfig, Cat("the socket's path is too long: ", path.string()),
                "choose a runtime_dir or api.socket path of less than 108 bytes in all");
  }
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return;
    ThrowErrno(errno, "cannot look at", path);
  }
  if (!S_ISSOCK(info.st_mode)) {
    throw Error(FailureCode::kConfig, Cat(path.string(), " is there and is no socket"),
                "remove it, or set another path in api.socket");
  }
  int error = 0;
  if (ConnectUnix(path, error)) {
    throw Error(FailureCode::kBusy, Cat("another process answers at ", path.string()),
                "stop the other daemon, or set another runtime_dir");
  }
  if (error != ECONNREFUSED && error != ENOENT) ThrowErrno(error, "cannot use the socket", path);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) ThrowErrno(errno, "cannot remove", path);
}

void SetSocketOwner(const Path& path, mode_t mode, const std::string& group) {
  if (!group.empty() && lchown(path.c_str(), static_cast<uid_t>(-1), GroupId(group)) != 0) {
    ThrowErrno(errno, Cat("cannot give to group ", group, " the socket"), path);
  }
  if (chmod(path.c_str(), mode) != 0) ThrowErrno(errno, "cannot set the mode of", path);
}

}  // namespace certwright::http
