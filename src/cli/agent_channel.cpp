#include "agent_channel.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "certwright/base/text.h"

namespace certwright::cli {

AgentChannel::AgentChannel() {
  const char* name = std::getenv("AGENT_COMFD");
  if (name == nullptr) return;
  const std::string_view text = name;
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return;
  fd_ = Fd(fcntl(number, F_DUPFD_CLOEXEC, 3));
}

void AgentChannel::SetStatus(std::string_view status) { Write(Cat("set-status ", status, '\n')); }

void AgentChannel::SetProgress(int percent) {
  if (percent <= told_ || percent > 100) return;
  told_ = percent;
  Write(Cat("set-progress ", percent, '\n'));
}

void AgentChannel::Write(std::string_view line) {
  if (fd_) (void)!write(fd_.get(), line.data(), line.size());
}

}  // namespace certwright::cli
