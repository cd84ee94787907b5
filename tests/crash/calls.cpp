#include "calls.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace certwright::crash {
namespace {

// Which argument is what; -1: there is none.
struct Entry {
  long number;
  std::string_view name;
  std::string_view kind;
  int descriptor;
  int path;
  int open_flags;
};

constexpr Entry kEntries[] = {
    {SYS_write, "write", "write", 0, -1, -1},
    {SYS_writev, "writev", "write", 0, -1, -1},
    {SYS_sendto, "sendto", "socket", 0, -1, -1},
    {SYS_sendmsg, "sendmsg", "socket", 0, -1, -1},
    {SYS_sendmmsg, "sendmmsg", "socket", 0, -1, -1},
    {SYS_pwrite64, "pwrite64", "pwrite64", 0, -1, -1},
    {SYS_fsync, "fsync", "fsync", 0, -1, -1},
    {SYS_fdatasync, "fdatasync", "fdatasync", 0, -1, -1},
    {SYS_ftruncate, "ftruncate", "ftruncate", 0, -1, -1},
    {SYS_openat, "openat", "create", -1, 1, 2},
    {SYS_mkdirat, "mkdirat", "mkdir", -1, 1, -1},
    {SYS_unlinkat, "unlinkat", "unlink", -1, 1, -1},
    {SYS_renameat2, "renameat2", "rename", -1, 3, -1},
// Calls that younger architectures (aarch64) do not have any more.
#ifdef SYS_renameat
    {SYS_renameat, "renameat", "rename", -1, 3, -1},
#endif
#ifdef SYS_rename
    {SYS_rename, "rename", "rename", -1, 1, -1},
#endif
#ifdef SYS_unlink
    {SYS_unlink, "unlink", "unlink", -1, 0, -1},
#endif
#ifdef SYS_mkdir
    {SYS_mkdir, "mkdir", "mkdir", -1, 0, -1},
#endif
#ifdef SYS_open
    {SYS_open, "open", "create", -1, 0, 1},
#endif
};

std::string LinkOf(pid_t process, unsigned long descriptor) {
  char target[512];
  const std::string link =
      "/proc/" + std::to_string(process) + "/fd/" + std::to_string(static_cast<int>(descriptor));
  const ssize_t size = readlink(link.c_str(), target, sizeof(target));
  return size < 0 ? std::string() : std::string(target, static_cast<std::size_t>(size));
}

// A text in the other process, cut at the end of a page rather than reading past it.
std::string TextAt(pid_t process, unsigned long address) {
  char text[512];
  const std::size_t in_page = 4096 - address % 4096;
  iovec here{text, std::min(sizeof(text), in_page)};
  iovec there{reinterpret_cast<void*>(address), here.iov_len};
  const ssize_t size = process_vm_readv(process, &here, 1, &there, 1, 0);
  if (size < 0) return {};
  return std::string(text, strnlen(text, static_cast<std::size_t>(size)));
}

}  // namespace

const std::vector<std::string_view>& KindNames() {
  static const std::vector<std::string_view> names = {
      "write", "socket", "pwrite64", "fsync",     "fdatasync",
      "rename", "unlink", "create",  "ftruncate", "mkdir"};
  return names;
}

std::vector<long> NumbersOf(const std::vector<std::string>& kinds) {
  const auto wanted = [&](std::string_view kind) {
    return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
  };
  std::vector<long> numbers;
  for (const Entry& entry : kEntries) {
    if (wanted(entry.kind) || (entry.kind == "write" && wanted("socket"))) {
      numbers.push_back(entry.number);
    }
  }
  return numbers;
}

Described Describe(pid_t process, const Call& call) {
  const Entry* entry = std::find_if(std::begin(kEntries), std::end(kEntries), [&](const Entry& e) {
    return e.number == call.number;
  });
  if (entry == std::end(kEntries)) return {};
  Described described{std::string(entry->kind), std::string(entry->name), ""};
  if (entry->open_flags >= 0 && (call.arguments[entry->open_flags] & O_CREAT) == 0) return {};
  if (entry->path >= 0) described.target = TextAt(process, call.arguments[entry->path]);
  if (entry->descriptor >= 0) {
    described.target = LinkOf(process, call.arguments[entry->descriptor]);
    const bool socket = described.target.rfind("socket:", 0) == 0;
    if (entry->kind == "write" && socket) described.kind = "socket";
    // Wakes a thread of the same process; there is no disk behind it that could be full.
    if (described.target == "anon_inode:[eventfd]") return {};
  }
  return described;
}

}  // namespace certwright::crash
