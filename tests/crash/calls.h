// The system calls at which a process can be stopped, by kind.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace certwright::crash {

// A call as it is about to be made: number and arguments.
struct Call {
  long number = 0;
  unsigned long arguments[6] = {};
};

// The kinds: write, pwrite64, fsync, fdatasync, rename, unlink, create (open with O_CREAT), ftruncate,
// mkdir, and socket (write and send on sockets; `write` is then what goes anywhere else).
const std::vector<std::string_view>& KindNames();

// The numbers that calls of these kinds may have: more is stopped than matches.
std::vector<long> NumbersOf(const std::vector<std::string>& kinds);

// The kind of this call of `process`, and what it is done to: a path, or what stands behind the
// descriptor. Kind "" where it is of no kind (open without O_CREAT).
struct Described {
  std::string kind;
  std::string name;
  std::string target;
};
Described Describe(pid_t process, const Call& call);

}  // namespace certwright::crash
