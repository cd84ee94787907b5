// The step protocol of a node's agent (contract.md, "How an action is called").
#pragma once

#include <string_view>

#include "certwright/base/file.h"

namespace certwright::cli {

class AgentChannel {
 public:
  // Takes over the descriptor that AGENT_COMFD names. To be made before anything else is opened: a
  // number that nobody handed over would otherwise become that of a file of ours, the store's for
  // instance, and be written to.
  AgentChannel();

  bool open() const { return static_cast<bool>(fd_); }
  // Nothing where it is not open; that nobody listens is no failure.
  void SetStatus(std::string_view status);
  void SetProgress(int percent);  // 0..100; what does not go forward is not told

 private:
  void Write(std::string_view line);

  Fd fd_;
  int told_ = -1;
};

}  // namespace certwright::cli
