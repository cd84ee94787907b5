// Tells systemd (or nobody) how the daemon is: the datagram protocol of sd_notify(3).
#pragma once

#include <string_view>

namespace certwright::app {

// "READY=1", "RELOADING=1", "STOPPING=1"; does nothing without NOTIFY_SOCKET.
void NotifySystemd(std::string_view state);

}  // namespace certwright::app
