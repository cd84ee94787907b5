#include "certwright/traefik/publisher.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "api.h"
#include "certwright/base/error.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/http/client.h"
#include "certwright/store/events.h"
#include "certwright/traefik/dynamic.h"
#include "plan.h"

namespace certwright::traefik {
namespace {

// The first change after quiet is live in 3 ms, one right after it has to wait for Traefik's
// throttle.
constexpr Millis kFirstPoll{3};
constexpr Millis kLastPoll{20};
// A Traefik that is being started again is given this long to answer at all.
constexpr Millis kSilence{3'000};

std::optional<std::string> Present(const Path& file) {
  try {
    return ReadFile(file, 64 << 20);
  } catch (const Error& error) {
    if (error.failure().code == FailureCode::kNotFound) return std::nullopt;
    throw;
  }
}

void CheckDynamicDir(const Path& dir) {
  std::error_code error;
  if (!dir.empty() && std::filesystem::is_directory(dir, error)) return;
  throw Error(
      FailureCode::kConfig,
      Cat("traefik.dynamic_dir: ", Printable(dir.string()), " is no directory"),
      "make the directory that Traefik's file provider watches (providers.file.directory), and "
      "start Traefik again: it watches only what was there when it started");
}

bool SameFileSystem(const Path& a, const Path& b) {
  struct stat of_a {
  }, of_b{};
  return ::stat(a.c_str(), &of_a) == 0 && ::stat(b.c_str(), &of_b) == 0 &&
         of_a.st_dev == of_b.st_dev;
}

// What changes with whatever somebody does to the file; "" where there is none.
std::string LookOf(const Path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return "";
  return Cat(info.st_ino, " ", info.st_size, " ", info.st_mtim.tv_sec, ".", info.st_mtim.tv_nsec,
             " ", info.st_ctim.tv_sec, ".", info.st_ctim.tv_nsec);
}

// A directory below the watched one: Traefik reads it (so it may enter) but does not watch it.
Path TemporaryDirBelow(const Path& dynamic_dir) {
  const Path dir = dynamic_dir / ".certwright";
  if (::mkdir(dir.c_str(), 0755) < 0 && errno != EEXIST) ThrowErrno(errno, "cannot make", dir);
  ::chmod(dir.c_str(), 0755);
  return dir;
}

}  // namespace

Publisher::Publisher(TraefikOptions options, store::Database& database, http::Transport& transport,
                     Clock& clock, PeerLookup peer)
    : options_(std::move(options)),
      database_(database),
      transport_(transport),
      clock_(clock),
      peer_(peer ? std::move(peer) : PeerLookup(http::PeerCertificate)) {}

std::string Publisher::RenderText() { return MakePlan().text; }

bool Publisher::Shows(std::int64_t event_seq) {
  const std::lock_guard lock(publishing_);
  return live_event_ >= event_seq;
}

Millis Publisher::GoodFor() {
  constexpr UnixSeconds kLook = 60;
  const std::lock_guard lock(publishing_);
  return std::chrono::seconds(std::clamp<UnixSeconds>(live_until_ - clock_.Now(), 1, kLook));
}

bool Publisher::IsLive() {
  const UnixSeconds now = clock_.Now();
  return live_event_ == database_.Read(store::LastEvent) && live_from_ <= now &&
         now < live_until_ && live_file_ == LookOf(options_.dynamic_dir / kFileName);
}

void Publisher::Publish(std::stop_token stop) {
  const std::lock_guard lock(publishing_);
  CheckDynamicDir(options_.dynamic_dir);
  if (IsLive()) return;
  bool changed = false;
  Plan plan = MakePlan();
  while (!WritePems(plan, changed)) plan = MakePlan();
  for (const auto& words : plan.left_out) log::Warning(Cat("traefik: ", words));

  const Path file = options_.dynamic_dir / kFileName;
  std::string look = LookOf(file);  // before it is read: what comes between is seen the next time
  const auto former = Present(file);
  changed |= former != plan.text;
  if (changed) {
    WriteText(plan.text);
    look = LookOf(file);
    log::Info(Cat("traefik: generation ", plan.generation, " with ", plan.versions.size(),
                  " certificates is written"));
  }
  if (!options_.api.empty()) WaitLive(plan.generation, stop);
  RemoveOthers(plan, changed, former.value_or(""));
  live_event_ = plan.last_event;
  live_from_ = plan.ranked_at;
  live_until_ = plan.ranked_until;
  live_file_ = look;
}

// The temporary file must not be made in the watched directory: Traefik would read everything
// twice.
void Publisher::WriteText(const std::string& text) const {
  WriteOptions options;
  options.mode = 0644;
  const Path target = options_.dynamic_dir / kFileName;
  if (SameFileSystem(options_.certificate_dir, options_.dynamic_dir)) {
    options.temporary_dir = options_.certificate_dir;
    try {
      WriteFileAtomically(target, text, options);
      return;
    } catch (const Error& error) {
      // One file system can be mounted twice, and no rename crosses mounts.
      if (error.failure().code != FailureCode::kDisk) throw;
    }
  }
  options.temporary_dir = TemporaryDirBelow(options_.dynamic_dir);
  WriteFileAtomically(target, text, options);
}

void Publisher::WaitLive(const std::string& generation, std::stop_token stop) {
  const Api api(transport_, options_.api);
  const Steady start = clock_.SteadyNow();
  Steady last_answer = start;
  Millis pause = kFirstPoll;
  std::string reason = "it does not show this generation";
  for (;;) {
    try {
      if (api.HasMiddleware(MarkerName(generation), stop)) return;
      last_answer = clock_.SteadyNow();
      reason = "it does not show this generation";
    } catch (const Error& error) {
      if (error.failure().code != FailureCode::kNetwork) throw;
      reason = error.failure().detail;
    }
    const Steady now = clock_.SteadyNow();
    if (now - start >= options_.live_timeout || now - last_answer >= kSilence) break;
    if (!clock_.Sleep(pause, stop)) {
      throw Error(FailureCode::kCancelled, "stopped while waiting for Traefik");
    }
    pause = std::min(pause * 3 / 2, kLastPoll);
  }
  Failure failure;
  failure.code = FailureCode::kTraefik;
  failure.transient = true;
  failure.detail = Cat("Traefik does not serve what was written to ",
                       Printable((options_.dynamic_dir / kFileName).string()), ": ", reason);
  failure.advice =
      Cat("run `certwright traefik check` and look into Traefik's log: it must run, watch this "
          "directory, and be able to read every other file there");
  throw Error(std::move(failure));
}

}  // namespace certwright::traefik
