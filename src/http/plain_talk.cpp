#include "plain_talk.h"

#include <array>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::http {
namespace {

constexpr std::size_t kMaxPlain = 16 * 1024;

[[noreturn]] void ThrowProtocol(const Patience& patience, std::string_view what) {
  throw Error(FailureCode::kProtocol, Cat(patience.peer(), ": ", what));
}

}  // namespace

std::string BoundedTalk::ReadLine() {
  std::size_t end = unread_.find('\n');
  while (end == std::string::npos) {
    ReadMore();
    end = unread_.find('\n');
  }
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

std::string BoundedTalk::ReadBytes(std::size_t count) {
  if (count > kMaxPlain) ThrowProtocol(patience_, "wants to say too much before TLS begins");
  while (unread_.size() < count) ReadMore();
  std::string bytes = unread_.substr(0, count);
  unread_.erase(0, count);
  return bytes;
}

void BoundedTalk::Send(std::string_view text) { stream_.WriteAll(text, patience_); }

void BoundedTalk::End() const {
  if (!unread_.empty()) ThrowProtocol(patience_, "goes on in plain text where TLS should begin");
}

void BoundedTalk::ReadMore() {
  std::array<char, 1024> buffer;
  bool clean = false;
  const std::size_t count = stream_.Read(buffer.data(), buffer.size(), patience_, clean);
  if (count == 0) patience_.ThrowNetwork("the connection ended before TLS began");
  bytes_ += count;
  if (bytes_ > kMaxPlain) ThrowProtocol(patience_, "says too much before TLS begins");
  unread_.append(buffer.data(), count);
}

}  // namespace certwright::http
