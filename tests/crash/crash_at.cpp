// crash-at: runs a command and ends it, or fails it, at its k-th system call of a kind. One counter for
// all threads; see --help.
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "tracee.h"

namespace certwright::crash {
namespace {

constexpr char kUsage[] =
    "usage: crash-at [OPTION...] -- COMMAND...\n"
    "  --calls KIND,...  write, socket, pwrite64, fsync, fdatasync, rename, unlink, create,\n"
    "                    ftruncate, mkdir (socket: write and send on sockets; write: on all else)\n"
    "  --at K            at the K-th such call of the process, all its threads counted together,\n"
    "                    before it is executed (0, the default: only count)\n"
    "  --kill            ... end the process with SIGKILL (the default)\n"
    "  --error NAME      ... or do not execute the call: it fails with ENOSPC, EIO or EINTR\n"
    "  --always          ... and so does each one after it\n"
    "  --children        calls of the processes that it starts count as well\n"
    "  --report FILE     writes there how many calls matched, and which one was hit, as JSON:\n"
    "                    when it is hit (code -1), and at the end\n"
    "Ends with the command's exit code, or 128 and its signal.\n";

struct Options {
  std::vector<std::string> kinds;
  long at = 0;
  int error = 0;  // 0: kill
  bool always = false;
  bool children = false;
  std::string report;
  char** command = nullptr;
};

[[noreturn]] void Wrong(const std::string& what) {
  std::fprintf(stderr, "crash-at: %s\n%s", what.c_str(), kUsage);
  std::exit(64);
}

std::vector<std::string> ReadKinds(const std::string& text) {
  std::vector<std::string> kinds;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    kinds.push_back(text.substr(begin, end - begin));
    bool known = false;
    for (const std::string_view name : KindNames()) known = known || name == kinds.back();
    if (!known) Wrong("no kind of call: '" + kinds.back() + "'");
    begin = end + 1;
  }
  return kinds;
}

int ReadError(const std::string& name) {
  if (name == "ENOSPC") return ENOSPC;
  if (name == "EIO") return EIO;
  if (name == "EINTR") return EINTR;
  Wrong("no error that is known here: '" + name + "'");
}

Options ReadOptions(int count, char** words) {
  Options options;
  int i = 1;
  const auto value = [&] {
    if (i + 1 >= count) Wrong(std::string(words[i]) + " needs a value");
    return std::string(words[++i]);
  };
  for (; i < count && std::string_view(words[i]) != "--"; ++i) {
    const std::string_view word = words[i];
    if (word == "--calls") options.kinds = ReadKinds(value());
    else if (word == "--at") options.at = std::atol(value().c_str());
    else if (word == "--kill") options.error = 0;
    else if (word == "--error") options.error = ReadError(value());
    else if (word == "--always") options.always = true;
    else if (word == "--children") options.children = true;
    else if (word == "--report") options.report = value();
    else if (word == "--help") std::exit(std::fputs(kUsage, stdout) < 0 ? 1 : 0);
    else Wrong("unknown option '" + std::string(word) + "'");
  }
  if (i + 1 >= count) Wrong("no command");
  if (options.kinds.empty()) Wrong("--calls is missing");
  options.command = words + i + 1;
  return options;
}

// Only what stands in paths and names: enough for JSON.
std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' || c == '\\' || c < ' ' ? '?' : c;
  return quoted + "\"";
}

void Report(const Options& options, long seen, const Described& hit, int code) {
  if (options.report.empty()) return;
  std::ofstream(options.report) << "{\"seen\": " << seen << ", \"hit\": " << Quoted(hit.name)
                                << ", \"target\": " << Quoted(hit.target)
                                << ", \"code\": " << code << "}\n";
}

int Run(const Options& options) {
  long seen = 0;
  Described hit;
  const auto judge = [&](pid_t process, bool own, const Call& call) -> Verdict {
    if (!own && !options.children) return {};
    const Described described = Describe(process, call);
    bool matches = false;
    for (const std::string& kind : options.kinds) matches = matches || kind == described.kind;
    if (!matches) return {};
    ++seen;
    const bool now = seen == options.at || (options.always && options.at > 0 && seen > options.at);
    if (!now) return {};
    if (seen == options.at) {
      hit = described;
      Report(options, seen, hit, -1);  // a daemon may go on for long
    }
    if (options.error == 0) return {Verdict::What::kKill, 0};
    return {Verdict::What::kFail, options.error};
  };
  const int status = Trace(options.command, NumbersOf(options.kinds), judge);
  const int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  Report(options, seen, hit, code);
  return code;
}

}  // namespace
}  // namespace certwright::crash

int main(int count, char** words) {
  return certwright::crash::Run(certwright::crash::ReadOptions(count, words));
}
