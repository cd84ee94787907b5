// Certificates as other programs want them: one text, or a pair of files that is kept up to date.
// (`export` is a word of the language, hence the name of the namespace.)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "certwright/base/file.h"
#include "certwright/base/secret.h"
#include "certwright/model/certificate.h"

namespace certwright::exports {

// Every PEM text ends with a newline; the chain is leaf first, each followed by its issuer.
enum class Format {
  kPem,        // leaf, issuers, key: all in one file
  kFullchain,  // leaf and issuers (certbot's fullchain.pem)
  kCert,       // the leaf alone (certbot's cert.pem)
  kChain,      // the issuers only (certbot's chain.pem); empty where the leaf came alone
  kKey,        // the key, PKCS#8 (certbot's privkey.pem)
  kCombined,   // key, then leaf and issuers (as lighttpd, Courier and others read it)
  kHaproxy,    // leaf, issuers, key: the order of HAProxy's crt file
  kPkcs12,     // leaf, issuers and key under a password (may be empty); DER
  kDer,        // the leaf; DER
  kJson,       // names, serial, not_before, not_after, cert, chain, fullchain, key
};

std::string_view FormatName(Format format);
// Throws Error(kUsage) that lists the names.
Format FormatFromName(std::string_view name);
std::vector<std::string> FormatNames();

// Whether the bundle holds the private key (invariant I1: then its file is 0600).
bool HasKey(Format format);

// The bytes of the bundle. `password` counts for kPkcs12 only. Secret where HasKey says so; always
// as Secret, so that nobody has to think of it. Throws Error(kDamaged) where the stored texts are
// no PEM.
Secret MakeBundle(const model::CertificateVersion& version, Format format, const Secret& password);

struct OutputFile {
  Path path;
  Secret content;
  mode_t mode = 0600;
};

// Replaces files that belong together: all new ones are written and synced first, then renamed in
// the given order, so that a killed process leaves each file whole, and old ones beside new ones
// only where it ended between two renames. What such a process left beside them is removed. On any
// failure before the first rename all files stay. Throws Error(kDisk | kPermission).
void WriteTogether(const std::vector<OutputFile>& files);

// Keeps the two files of `get-certificate --cert-file F --key-file K`: fullchain (0644) and key
// (0600). False where both hold this version already (the certificate compared as certificates, not
// as text; the modes are put right silently). Else what differs is written as WriteTogether does,
// the key before the certificate: no reader sees a new certificate with the old key, and the other
// way round only between two renames. Throws Error(kDisk | kPermission).
bool WritePair(const Path& cert_file, const Path& key_file,
               const model::CertificateVersion& version);

}  // namespace certwright::exports
