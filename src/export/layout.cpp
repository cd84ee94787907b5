// Which files an export has.
#include <algorithm>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/export/keeper.h"

namespace certwright::exports {
namespace {

std::string FileName(std::string name) {
  std::replace(name.begin(), name.end(), '*', '_');
  return name;
}

std::string_view Ending(Format format) {
  switch (format) {
    case Format::kPkcs12: return ".p12";
    case Format::kDer: return ".der";
    case Format::kJson: return ".json";
    case Format::kPem:
    case Format::kFullchain:
    case Format::kCert:
    case Format::kChain:
    case Format::kKey:
    case Format::kCombined:
    case Format::kHaproxy: return ".pem";
  }
  throw Error(FailureCode::kInternal, "a format without an ending");
}

}  // namespace

std::vector<LayoutFile> LayoutOf(const Target& target, const std::string& name) {
  if (target.dir.empty()) return {{Path(), target.format}};
  if (target.format != Format::kPem) {
    return {{Cat(FileName(name), Ending(target.format)), target.format}};
  }
  // As `certwright export --dir`: certbot's names.
  const Path folder = target.names.size() > 1 ? Path(FileName(name)) : Path();
  return {{folder / "privkey.pem", Format::kKey},
          {folder / "fullchain.pem", Format::kFullchain},
          {folder / "cert.pem", Format::kCert},
          {folder / "chain.pem", Format::kChain}};
}

}  // namespace certwright::exports
