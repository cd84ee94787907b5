#include "tracee.h"

#include <elf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace certwright::crash {
namespace {

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "how a system call is skipped on this architecture is not known here"
#endif

volatile pid_t traced = 0;

void PassOn(int signal) {
  if (traced > 0) kill(traced, signal);
}

[[noreturn]] void Die(const char* what) {
  std::fprintf(stderr, "crash-at: %s: %s\n", what, std::strerror(errno));
  _exit(125);
}

long Ptrace(int request, pid_t tid, unsigned long address, unsigned long data) {
  return syscall(SYS_ptrace, request, tid, address, data);
}

void InstallFilter(const std::vector<long>& numbers) {
  std::vector<sock_filter> code;
  const auto load = [&](std::size_t offset) {
    code.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset)));
  };
  const auto give_if = [&](unsigned value, unsigned result) {
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
    code.push_back(BPF_STMT(BPF_RET | BPF_K, result));
  };
  load(offsetof(seccomp_data, arch));
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
  code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  load(offsetof(seccomp_data, nr));
  for (const long number : numbers) give_if(static_cast<unsigned>(number), SECCOMP_RET_TRACE);
  code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Die("no_new_privs");
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) Die("seccomp");
}

// The child waits until it is traced: a filtered call without a tracer fails with ENOSYS.
pid_t Start(char* const* command, const std::vector<long>& numbers) {
  int gate[2];
  if (pipe(gate) != 0) Die("pipe");
  const pid_t child = fork();
  if (child < 0) Die("fork");
  if (child == 0) {
    char open = 0;
    close(gate[1]);
    if (read(gate[0], &open, 1) != 1) _exit(125);
    close(gate[0]);
    InstallFilter(numbers);
    execvp(command[0], command);
    Die(command[0]);
  }
  close(gate[0]);
  const unsigned long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                                PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL;
  if (Ptrace(PTRACE_SEIZE, child, 0, options) != 0) Die("ptrace");
  if (write(gate[1], "g", 1) != 1) Die("write");
  close(gate[1]);
  return child;
}

// The process that a thread belongs to.
pid_t ProcessOf(pid_t tid) {
  const std::string file = "/proc/" + std::to_string(tid) + "/status";
  std::FILE* status = std::fopen(file.c_str(), "r");
  if (status == nullptr) return tid;
  int process = tid;
  char line[256];
  while (std::fgets(line, sizeof(line), status) != nullptr) {
    if (std::sscanf(line, "Tgid: %d", &process) == 1) break;
  }
  std::fclose(status);
  return process;
}

bool ReadCall(pid_t tid, Call& call) {
  __ptrace_syscall_info info{};
  const long size = Ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info),
                           reinterpret_cast<unsigned long>(&info));
  if (size < 0 || info.op != PTRACE_SYSCALL_INFO_SECCOMP) return false;
  call.number = static_cast<long>(info.seccomp.nr);
  for (int i = 0; i < 6; ++i) call.arguments[i] = info.seccomp.args[i];
  return true;
}

// Number -1 is executed by nobody, and what stands in the register of the result stays there.
void SkipWithError(pid_t tid, int error) {
  user_regs_struct registers{};
  iovec all{&registers, sizeof(registers)};
  const auto at = [](iovec& part) { return reinterpret_cast<unsigned long>(&part); };
  if (Ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, at(all)) != 0) return;
#if defined(__x86_64__)
  registers.orig_rax = static_cast<unsigned long long>(-1);
  registers.rax = static_cast<unsigned long long>(-static_cast<long long>(error));
#else
  int nothing = -1;
  iovec number{&nothing, sizeof(nothing)};
  Ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, at(number));
  registers.regs[0] = static_cast<unsigned long long>(-static_cast<long long>(error));
#endif
  Ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, at(all));
}

}  // namespace

int Trace(char* const* command, const std::vector<long>& numbers,
          const std::function<Verdict(pid_t, bool, const Call&)>& judge) {
  const pid_t own = Start(command, numbers);
  traced = own;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::signal(signal, PassOn);
  int result = 0;
  for (;;) {
    int status = 0;
    const pid_t tid = waitpid(-1, &status, __WALL);
    if (tid < 0 && errno == EINTR) continue;
    if (tid < 0) return result;  // nobody is left
    if (!WIFSTOPPED(status)) {
      if (tid == own) {
        result = status;
        traced = 0;
      }
      continue;
    }
    const int event = status >> 16;
    Call call;
    if (event == PTRACE_EVENT_SECCOMP && ReadCall(tid, call)) {
      const pid_t process = ProcessOf(tid);
      const Verdict verdict = judge(process, process == own, call);
      if (verdict.what == Verdict::What::kKill) kill(own, SIGKILL);
      if (verdict.what == Verdict::What::kFail) SkipWithError(tid, verdict.error);
    }
    const bool group_stop = event == PTRACE_EVENT_STOP && WSTOPSIG(status) != SIGTRAP;
    const int signal = event == 0 ? WSTOPSIG(status) : 0;
    Ptrace(group_stop ? PTRACE_LISTEN : PTRACE_CONT, tid, 0, static_cast<unsigned long>(signal));
  }
}

}  // namespace certwright::crash
