#include "certwright/migrate/directories.h"

#include "certwright/base/text.h"

namespace certwright::migrate {
namespace {

// "https://host:port" of a URL, lower case.
std::string OriginOf(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return "";
  return ToLower(url.substr(0, url.find('/', scheme + 3)));
}

}  // namespace

std::string Directories::Of(std::string_view url) const {
  const std::string origin = OriginOf(url);
  for (const std::string& directory : known) {
    if (!origin.empty() && OriginOf(directory) == origin) return directory;
  }
  return otherwise;
}

std::string Directories::OfHost(std::string_view host) const {
  std::string authority(host);
  if (const std::size_t port = authority.rfind('_'); port != std::string::npos) {
    authority[port] = ':';
  }
  return Of(Cat("https://", authority, "/"));
}

}  // namespace certwright::migrate
