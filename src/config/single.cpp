// The checks of the file for values that come from elsewhere.
#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/config/config.h"
#include "checks.h"

namespace certwright::config {

namespace {

template <typename Check>
auto OrInputError(const std::string& text, Check check) {
  try {
    return check();
  } catch (const Problem& problem) {
    throw Error(FailureCode::kInput, Cat("'", Printable(text, 200), "' ", problem.text));
  }
}

}  // namespace

std::string CheckedDirectory(const std::string& text, bool allow_http_loopback) {
  return OrInputError(text, [&] {
    std::string url = ResolveDirectory(text);
    if (!IsHttp(url) || (IsLoopbackUrl(url) && allow_http_loopback)) return url;
    throw Problem{"is plain http: a CA is asked by https only"};
  });
}

void CheckContact(const std::string& email) {
  OrInputError(email, [&] { CheckEmail(email); });
}

}  // namespace certwright::config
