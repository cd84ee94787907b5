#include "copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace certwright::store {

std::string QuoteLiteral(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  return quoted + "'";
}

void CopyInto(Connection& connection, const Path& file) {
  // VACUUM INTO takes a file that is there only where it is empty; made here for its mode.
  ::unlink(file.c_str());
  const Fd made(::open(file.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!made) ThrowErrno(errno, "make a copy of the store", file);
  try {
    connection.Execute("VACUUM INTO " + QuoteLiteral(file.string()));
    if (::fsync(made.get()) != 0) ThrowErrno(errno, "write the copy of the store", file);
  } catch (...) {
    ::unlink(file.c_str());
    throw;
  }
}

}  // namespace certwright::store
