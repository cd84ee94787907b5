#include <algorithm>

#include "certwright/base/encoding.h"
#include "certwright/base/log.h"
#include "certwright/base/text.h"
#include "certwright/issue/upload.h"
#include "handler.h"

namespace certwright::actions {

namespace {

using issue::UploadRefused;
using issue::UploadTrust;

constexpr int kExitSchema = 10;
constexpr std::size_t kMaxRootBytes = 4 << 20;

// What was uploaded is never part of what is wrong with it (I1).
CheckFailed Failed(int exit_code, const char* field, const char* parameter, std::string error,
                   std::string details) {
  return {exit_code, field, parameter, {}, std::move(error), std::move(details), {}};
}

CheckFailed Failed(const UploadRefused& refused) {
  const auto of = [&](int exit_code, const char* field, const char* parameter, const char* error) {
    return Failed(exit_code, field, parameter, error, refused.detail);
  };
  switch (refused.why) {
    case UploadRefused::Why::kKey: return of(2, "keyFile", "keyFile", "invalid_key");
    case UploadRefused::Why::kFormat: return of(4, "certFile", "certFile", "invalid_format");
    case UploadRefused::Why::kNoName: return of(5, "certFile", "certFile", "empty_common_name");
    case UploadRefused::Why::kMismatch: return of(3, "certFile", "certFile", "key_mismatch");
    case UploadRefused::Why::kUntrusted:
      return of(33, "chainFile", "certFile", "cert_verification_failed_chain");
    case UploadRefused::Why::kNotSelfSigned:
      return of(34, "chainFile", "certFile", "cert_verification_failed_selfsigned");
  }
  return of(kExitSchema, "(root)", "(root)", "(root)_invalid");
}

std::string Decoded(const Invocation& call, const char* field) {
  std::string text = call.input.String(field);
  std::erase(text, '\r');  // lines that end as on other systems
  if (auto bytes = FromBase64(Trim(text))) return std::move(*bytes);
  throw Failed(kExitSchema, field, field, Cat(field, "_format"), Cat(field, " is no base64"));
}

// What the owner's call says goes before what is configured.
UploadTrust TrustOf(const Invocation& call) {
  const std::string& by =
      call.upload_verify.empty() ? call.context.upload.verify : call.upload_verify;
  if (by == "none") return UploadTrust::kNone;
  if (by == "selfsign") return UploadTrust::kSelfSigned;
  if (by != "chain") {
    log::Warning(Cat("UPLOAD_CERTIFICATE_VERIFY_TYPE is '", Printable(by, 40),
                     "', which is none of chain, selfsign and none: taken as chain"));
  }
  return UploadTrust::kRoots;
}

}  // namespace

std::optional<json::Value> UploadCertificate(const Invocation& call) {
  const Context& context = call.context;
  issue::UploadRequest request;
  request.key_pem = Secret(Decoded(call, "keyFile"));
  request.chain_pem = Decoded(call, "certFile");
  request.trust = TrustOf(call);
  const Path& roots = context.upload.roots;
  if (request.trust == UploadTrust::kRoots && !roots.empty()) {
    request.roots_pem = ReadFile(roots, kMaxRootBytes);
  }
  issue::Uploaded uploaded;
  try {
    uploaded = issue::Upload(context.database, context.feed, context.clock, request);
  } catch (const UploadRefused& refused) {
    throw Failed(refused);
  }
  if (uploaded.event_seq == 0) return std::nullopt;
  const Served served = AwaitServedOrTell(call, uploaded.version, uploaded.event_seq);
  if (served.failure) call.Note(served.failure->detail);
  return std::nullopt;
}

}  // namespace certwright::actions
