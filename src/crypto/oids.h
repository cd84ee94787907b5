// Object identifiers as the content octets of their DER.
#pragma once

#include <string_view>

namespace certwright::crypto::oid {

using namespace std::string_view_literals;

// Public keys (RFC 3279, RFC 5480, RFC 8410) and curves.
inline constexpr auto kRsa = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"sv;
inline constexpr auto kEc = "\x2a\x86\x48\xce\x3d\x02\x01"sv;
inline constexpr auto kEd25519 = "\x2b\x65\x70"sv;
inline constexpr auto kP256 = "\x2a\x86\x48\xce\x3d\x03\x01\x07"sv;
inline constexpr auto kP384 = "\x2b\x81\x04\x00\x22"sv;
inline constexpr auto kP521 = "\x2b\x81\x04\x00\x23"sv;

// Signatures.
inline constexpr auto kRsaSha256 = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"sv;
inline constexpr auto kEcdsaSha256 = "\x2a\x86\x48\xce\x3d\x04\x03\x02"sv;
inline constexpr auto kEcdsaSha384 = "\x2a\x86\x48\xce\x3d\x04\x03\x03"sv;
inline constexpr auto kEcdsaSha512 = "\x2a\x86\x48\xce\x3d\x04\x03\x04"sv;

// Attributes and extensions (RFC 2985, RFC 5280).
inline constexpr auto kExtensionRequest = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"sv;
inline constexpr auto kSubjectKeyId = "\x55\x1d\x0e"sv;
inline constexpr auto kKeyUsage = "\x55\x1d\x0f"sv;
inline constexpr auto kSubjectAltName = "\x55\x1d\x11"sv;
inline constexpr auto kBasicConstraints = "\x55\x1d\x13"sv;
inline constexpr auto kAuthorityKeyId = "\x55\x1d\x23"sv;
inline constexpr auto kExtendedKeyUsage = "\x55\x1d\x25"sv;
inline constexpr auto kServerAuth = "\x2b\x06\x01\x05\x05\x07\x03\x01"sv;
inline constexpr auto kCommonName = "\x55\x04\x03"sv;

}  // namespace certwright::crypto::oid
