// One request at a socket, answered.
#pragma once

#include <memory>
#include <semaphore>
#include <stop_token>
#include <string>

#include "certwright/api/server.h"
#include "certwright/http/local_socket.h"
#include "operations.h"
#include "target.h"

namespace certwright::api {

// Calls that wait for the CA or for Traefik, long polls for events, those for the end of a task, and
// those who follow the feed, each have a bound of their own; the others answer what needs no waiting, whatever happens.
inline constexpr int kMostWaiting = 48;
inline constexpr int kMostPolling = 32;
inline constexpr int kMostFollowing = 32;
inline constexpr int kOthers = 16;
inline constexpr int kLongestPoll = 60;  // seconds

// Gives the place back when it goes; empty where there is none.
template <typename Semaphore>
std::shared_ptr<void> Place(Semaphore& semaphore) {
  if (!semaphore.try_acquire()) return nullptr;
  return std::shared_ptr<void>(&semaphore, [](void* s) { static_cast<Semaphore*>(s)->release(); });
}

actions::Result Busy(std::string detail);

class Door {
 public:
  Door(const actions::Runner& runner, std::string version)
      : runner_(runner), version_(std::move(version)) {}

  void Answer(const Socket& socket, const http::ServerRequest& request, http::ServerReply& reply);
  // Who waits is told that it stops.
  void Stop() { stop_.request_stop(); }

 private:
  struct Exchange {
    const Socket& socket;
    const http::ServerRequest& request;
    http::ServerReply& reply;
    const Operation& operation;
    const Target& target;
    std::string parameter;  // of the path
  };

  actions::Call CallOf(const Exchange& exchange) const;
  void AnswerOperation(const Exchange& exchange);
  void AnswerActions(http::ServerReply& reply) const;
  void AnswerMetrics(const Exchange& exchange) const;
  void RunAction(const Exchange& exchange);
  void SubmitTask(const Exchange& exchange);
  void ReadResource(const Exchange& exchange);
  actions::Result WaitForEnd(const actions::Call& call, const std::string& task, Millis patience);
  actions::Result WaitForEvents(const actions::Call& call, Millis patience);
  // Server-sent events (HTML Living Standard, section 9.2) from the call's `after` on, or from now on.
  void Follow(const Exchange& exchange, actions::Call call);
  void AnswerFailed(const Exchange& exchange, actions::Call call, const actions::Result& result);

  const actions::Runner& runner_;
  const std::string version_;
  std::stop_source stop_;
  std::counting_semaphore<kMostWaiting> may_wait_{kMostWaiting};
  std::counting_semaphore<kMostPolling> may_poll_{kMostPolling};  // for events
  std::counting_semaphore<kMostPolling> may_await_{kMostPolling};  // the end of a task
  std::counting_semaphore<kMostFollowing> may_follow_{kMostFollowing};
};

}  // namespace certwright::api
