#include "patience.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::http {

void Patience::Ring::operator()() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(fd, &one, sizeof one);
}

Patience::Patience(std::string peer, Millis limit, std::stop_token stop)
    : peer_(std::move(peer)),
      limit_(limit),
      deadline_(SystemClock().SteadyNow() + limit),
      stop_(std::move(stop)) {
  if (!stop_.stop_possible()) return;
  stopped_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stopped_) ThrowNetwork(Cat("no descriptor to wait with: ", ErrnoWords(errno)));
  on_stop_.emplace(stop_, Ring{stopped_.get()});
}

Millis Patience::Left() const {
  const auto left = deadline_ - SystemClock().SteadyNow();
  // Rounded up: a poll that returns a part of a millisecond early would spin.
  return std::max(std::chrono::ceil<Millis>(left), Millis(0));
}

void Patience::Wait(int fd, short events) {
  pollfd one{fd, events, 0};
  while (!WaitAny(&one, 1, limit_)) {
  }
}

bool Patience::WaitAny(pollfd* fds, std::size_t count, Millis at_most) {
  if (stop_.stop_requested()) ThrowStopped();
  const Millis left = Left();
  if (left == Millis(0)) ThrowTimeout();
  std::vector<pollfd> all(fds, fds + count);
  if (stopped_) all.push_back({stopped_.get(), POLLIN, 0});
  const int ready = poll(all.data(), all.size(), static_cast<int>(std::min(left, at_most).count()));
  if (ready < 0 && errno != EINTR) ThrowNetwork(Cat("poll: ", ErrnoWords(errno)));
  if (stop_.stop_requested()) ThrowStopped();
  if (ready <= 0) return false;
  std::copy_n(all.begin(), count, fds);
  return true;
}

void Patience::ThrowTimeout() const {
  const auto ms = limit_.count();
  ThrowNetwork(ms % 1000 == 0 ? Cat("no complete answer within ", ms / 1000, " s")
                              : Cat("no complete answer within ", ms, " ms"));
}

void Patience::ThrowStopped() const {
  throw Error(FailureCode::kCancelled, Cat("told to stop while waiting for ", peer_));
}

void Patience::ThrowNetwork(std::string_view what, std::string_view advice) const {
  Failure failure;
  failure.code = FailureCode::kNetwork;
  failure.detail = Cat(peer_, ": ", what);
  failure.advice = advice;
  failure.transient = true;
  throw Error(std::move(failure));
}

std::string ErrnoWords(int error) { return ToLower(std::generic_category().message(error)); }

}  // namespace certwright::http
