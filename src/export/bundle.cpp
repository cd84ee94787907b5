#include "certwright/export/bundle.h"

#include <array>
#include <cstdio>

#include "certwright/base/clock.h"
#include "certwright/base/encoding.h"
#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/crypto/certificate.h"

namespace certwright::exports {
namespace {

struct Row {
  Format format;
  std::string_view name;
  bool has_key;
};
constexpr std::array kFormats = {
    Row{Format::kPem, "pem", true},           Row{Format::kFullchain, "fullchain", false},
    Row{Format::kCert, "cert", false},        Row{Format::kChain, "chain", false},
    Row{Format::kKey, "key", true},           Row{Format::kCombined, "combined", true},
    Row{Format::kHaproxy, "haproxy", true},   Row{Format::kPkcs12, "pkcs12", true},
    Row{Format::kDer, "der", false},          Row{Format::kJson, "json", true},
};

const Row& RowOf(Format format) {
  for (const auto& row : kFormats) {
    if (row.format == format) return row;
  }
  throw Error(FailureCode::kInternal, "a format without a row");
}

std::vector<PemBlock> Blocks(const model::CertificateVersion& version) {
  try {
    auto blocks = SplitPem(version.chain_pem);
    if (!blocks.empty()) return blocks;
  } catch (const Error&) {
  }
  throw Error(FailureCode::kDamaged,
              Cat("the stored chain of certificate ", version.serial_hex, " is no PEM"));
}

// Written again from the DER: no text between the blocks, one form of line ends.
std::string Pem(const std::vector<PemBlock>& blocks, std::size_t first, std::size_t last) {
  std::string text;
  for (std::size_t i = first; i < last; ++i) text += ToPem(blocks[i].label, blocks[i].der);
  return text;
}

Secret Key(const model::CertificateVersion& version) {
  std::string text = version.key_pem.Reveal();
  if (!text.empty() && text.back() != '\n') text += '\n';
  return Secret(std::move(text));
}

std::string JsonText(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// Flat and of our own texts only, so written by hand.
Secret Json(const model::CertificateVersion& version, const std::vector<PemBlock>& blocks) {
  std::vector<std::string> names;
  for (const auto& name : model::Names(version.names)) names.push_back(JsonText(name));
  const auto member = [](std::string_view key, std::string_view text) {
    return Cat(JsonText(key), ":", JsonText(text));
  };
  const std::vector<std::string> members = {
      Cat("\"names\":[", Join(names, ","), "]"),
      member("serial", version.serial_hex),
      member("not_before", FormatUtc(version.not_before)),
      member("not_after", FormatUtc(version.not_after)),
      member("cert", Pem(blocks, 0, 1)),
      member("chain", Pem(blocks, 1, blocks.size())),
      member("fullchain", Pem(blocks, 0, blocks.size())),
      member("key", Key(version).Reveal()),
  };
  return Secret(Cat("{", Join(members, ","), "}\n"));
}

}  // namespace

std::string_view FormatName(Format format) { return RowOf(format).name; }

bool HasKey(Format format) { return RowOf(format).has_key; }

std::vector<std::string> FormatNames() {
  std::vector<std::string> names;
  for (const auto& row : kFormats) names.emplace_back(row.name);
  return names;
}

Format FormatFromName(std::string_view name) {
  for (const auto& row : kFormats) {
    if (row.name == name) return row.format;
  }
  throw Error(FailureCode::kUsage, Cat("\"", Printable(name, 40), "\" is no format"),
              Cat("formats are ", Join(FormatNames(), ", ")));
}

Secret MakeBundle(const model::CertificateVersion& version, Format format, const Secret& password) {
  const auto blocks = Blocks(version);
  const auto fullchain = [&] { return Pem(blocks, 0, blocks.size()); };
  switch (format) {
    case Format::kPem:
    case Format::kHaproxy:
      return Secret(fullchain() + Key(version).Reveal());
    case Format::kCombined:
      return Secret(Key(version).Reveal() + fullchain());
    case Format::kFullchain:
      return Secret(fullchain());
    case Format::kCert:
      return Secret(Pem(blocks, 0, 1));
    case Format::kChain:
      return Secret(Pem(blocks, 1, blocks.size()));
    case Format::kKey:
      return Key(version);
    case Format::kPkcs12: {
      const auto names = model::Names(version.names);
      return Secret(crypto::ToPkcs12(fullchain(), version.key_pem,
                                     names.empty() ? version.subject : names.front(), password));
    }
    case Format::kDer:
      return Secret(blocks.front().der);
    case Format::kJson:
      return Json(version, blocks);
  }
  throw Error(FailureCode::kInternal, "a format without a bundle");
}

}  // namespace certwright::exports
