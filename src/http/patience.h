// How long one exchange may take, and who may end it early.
#pragma once

#include <poll.h>

#include <optional>
#include <stop_token>
#include <string>

#include "certwright/base/clock.h"
#include "certwright/base/file.h"

namespace certwright::http {

// One deadline for everything: names, connection, TLS, request and answer. Every wait of an
// exchange goes through Wait, so neither a silent peer nor one that sends a byte a second can
// outlast it.
class Patience {
 public:
  // `peer` ("host:port") is for the errors.
  Patience(std::string peer, Millis limit, std::stop_token stop);

  // Until `fd` is ready for `events` (poll). Throws Error(kNetwork) at the deadline, kCancelled on
  // stop.
  void Wait(int fd, short events);
  // As Wait for several descriptors, but returns false where `at_most` is over first.
  bool WaitAny(pollfd* fds, std::size_t count, Millis at_most);

  // The whole limit again: for an answer that comes as the work goes on, from a peer that is
  // trusted.
  void Renew() { deadline_ = SystemClock().SteadyNow() + limit_; }

  Millis Left() const;
  const std::string& peer() const { return peer_; }
  const std::stop_token& stop() const { return stop_; }

  [[noreturn]] void ThrowTimeout() const;
  [[noreturn]] void ThrowStopped() const;
  // Error(kNetwork), transient: "<peer>: <what>".
  [[noreturn]] void ThrowNetwork(std::string_view what, std::string_view advice = "") const;

 private:
  struct Ring {
    int fd;
    void operator()() const;
  };

  const std::string peer_;
  const Millis limit_;
  Steady deadline_;
  const std::stop_token stop_;
  Fd stopped_;  // an eventfd, where a stop is possible
  std::optional<std::stop_callback<Ring>> on_stop_;
};

// "connection refused" and the like: an errno in words, lower case.
std::string ErrnoWords(int error);

}  // namespace certwright::http
