// Which CA it was: other clients write down the URL of an account or of a certificate, not always
// that of the CA's directory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace certwright::migrate {

struct Directories {
  std::vector<std::string> known;  // directory URLs; of two at one host the first is meant
  std::string otherwise;           // of what is at no known host; "" : it stays unknown

  // The directory at the same scheme, host and port as `url`, else `otherwise`.
  std::string Of(std::string_view url) const;
  // The same for "host" or "host_port", as lego names its folders.
  std::string OfHost(std::string_view host) const;
};

}  // namespace certwright::migrate
