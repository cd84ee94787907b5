#include "exchange.h"

#include "certwright/base/error.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"

namespace certwright::http {

Exchange::Exchange(ServerRequest request, const SocketServer::Handler& handler)
    : worker_([this, request = std::move(request), &handler] { Run(request, handler); }) {}

Exchange::~Exchange() {
  {
    const std::lock_guard lock(mutex_);
    gone_ = true;
  }
  changed_.notify_all();
  worker_.join();
}

void Exchange::Run(const ServerRequest& request, const SocketServer::Handler& handler) {
  bool failed = false;
  try {
    handler(request, *this);
  } catch (...) {
    failed = true;
    log::Error(Cat("a request ended with an error: ", Printable(CurrentFailure().detail)));
  }
  const std::lock_guard lock(mutex_);
  // What went wrong is in the log; a caller is told by the handler itself, where it can be told.
  if (!choice_) choice_ = Choice{false, 500, "text/plain; charset=utf-8", "internal error\n", {}};
  ended_ = true;
  failed_ = failed;
  changed_.notify_all();
}

void Exchange::Whole(int status, std::string content_type, std::string body, Headers headers) {
  const std::lock_guard lock(mutex_);
  if (choice_) return;
  choice_ = Choice{false, status, std::move(content_type), std::move(body), std::move(headers)};
}

void Exchange::StartLines(int status, std::string content_type) {
  const std::lock_guard lock(mutex_);
  if (choice_) return;
  choice_ = Choice{true, status, std::move(content_type), {}, {}};
  changed_.notify_all();
}

bool Exchange::Line(std::string_view text) {
  std::unique_lock lock(mutex_);
  if (gone_ || !choice_ || !choice_->lines) return false;
  line_ = Cat(text, "\n");
  changed_.notify_all();
  changed_.wait(lock, [&] { return gone_ || !line_; });
  return !gone_;
}

Exchange::Choice Exchange::WaitForChoice() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ended_ || (choice_ && choice_->lines); });
  return std::move(*choice_);
}

bool Exchange::WriteLines(const std::function<bool(std::string_view)>& write) {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return line_ || ended_; });
    if (!line_) return !failed_;
    lock.unlock();
    const bool written = write(*line_);  // the worker waits meanwhile, and does not touch it
    lock.lock();
    line_.reset();
    gone_ = !written;
    changed_.notify_all();
    if (gone_) return false;
  }
}

}  // namespace certwright::http
