#include "script.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>

#include "certwright/base/text.h"

namespace certwright::model {
namespace {

// Bits, so that a set of scripts is one number.
enum Script : std::uint32_t {
  kCommon = 0,  // digits, hyphen, marks: go with everything
  kLatin = 1U << 0,
  kGreek = 1U << 1,
  kCyrillic = 1U << 2,
  kHan = 1U << 3,
  kHiragana = 1U << 4,
  kKatakana = 1U << 5,
  kHangul = 1U << 6,
  kBopomofo = 1U << 7,
  kArmenian = 1U << 8,
  kHebrew = 1U << 9,
  kArabic = 1U << 10,
  kDevanagari = 1U << 11,
  kThai = 1U << 12,
  kGeorgian = 1U << 13,
  kCherokee = 1U << 14,
  kOther = 1U << 15,
};

constexpr std::array<std::string_view, 16> kScriptNames = {
    "Latin",    "Greek",  "Cyrillic", "Han",        "Hiragana", "Katakana", "Hangul",   "Bopomofo",
    "Armenian", "Hebrew", "Arabic",   "Devanagari", "Thai",     "Georgian", "Cherokee", "other",
};

struct Range {
  char32_t first, last;
  Script script;
};

// Ranges that hold letters a host name can hold after IDNA; sorted. From Unicode's Scripts.txt, by
// block: a block's unassigned places never pass IDNA.
constexpr std::array kRanges = {
    Range{0x0000, 0x0060, kCommon},     Range{0x0061, 0x007a, kLatin},
    Range{0x007b, 0x00a9, kCommon},     Range{0x00aa, 0x00aa, kLatin},
    Range{0x00ab, 0x00bf, kCommon},     Range{0x00c0, 0x02af, kLatin},
    Range{0x02b0, 0x036f, kCommon},     Range{0x0370, 0x03ff, kGreek},
    Range{0x0400, 0x052f, kCyrillic},   Range{0x0531, 0x058f, kArmenian},
    Range{0x0591, 0x05f4, kHebrew},     Range{0x0600, 0x065f, kArabic},
    Range{0x0660, 0x0669, kCommon},     Range{0x066a, 0x06ff, kArabic},
    Range{0x0750, 0x077f, kArabic},     Range{0x08a0, 0x08ff, kArabic},
    Range{0x0900, 0x097f, kDevanagari}, Range{0x0e01, 0x0e7f, kThai},
    Range{0x10a0, 0x10ff, kGeorgian},   Range{0x1100, 0x11ff, kHangul},
    Range{0x13a0, 0x13ff, kCherokee},   Range{0x1ab0, 0x1aff, kCommon},
    Range{0x1c80, 0x1c8f, kCyrillic},   Range{0x1d00, 0x1d25, kLatin},
    Range{0x1d26, 0x1d2a, kGreek},      Range{0x1d2b, 0x1d2b, kCyrillic},
    Range{0x1d2c, 0x1dbf, kLatin},      Range{0x1dc0, 0x1dff, kCommon},
    Range{0x1e00, 0x1eff, kLatin},      Range{0x1f00, 0x1fff, kGreek},
    Range{0x200c, 0x200d, kCommon},     Range{0x20d0, 0x20ff, kCommon},
    Range{0x2c60, 0x2c7f, kLatin},      Range{0x2d00, 0x2d2f, kGeorgian},
    Range{0x2de0, 0x2dff, kCyrillic},   Range{0x3005, 0x3007, kHan},
    Range{0x3041, 0x3096, kHiragana},   Range{0x3099, 0x309a, kCommon},
    Range{0x309d, 0x309f, kHiragana},   Range{0x30a1, 0x30fa, kKatakana},
    Range{0x30fb, 0x30fc, kCommon},     Range{0x30fd, 0x30ff, kKatakana},
    Range{0x3105, 0x312f, kBopomofo},   Range{0x3131, 0x318e, kHangul},
    Range{0x31a0, 0x31bf, kBopomofo},   Range{0x31f0, 0x31ff, kKatakana},
    Range{0x3400, 0x4dbf, kHan},        Range{0x4e00, 0x9fff, kHan},
    Range{0xa640, 0xa69f, kCyrillic},   Range{0xa720, 0xa7ff, kLatin},
    Range{0xa8e0, 0xa8ff, kDevanagari}, Range{0xa960, 0xa97f, kHangul},
    Range{0xab30, 0xab6f, kLatin},      Range{0xab70, 0xabbf, kCherokee},
    Range{0xac00, 0xd7ff, kHangul},     Range{0xf900, 0xfaff, kHan},
    Range{0xfe20, 0xfe2f, kCommon},     Range{0x20000, 0x323af, kHan},
};

Script ScriptOf(char32_t code) {
  const auto* const at =
      std::lower_bound(kRanges.begin(), kRanges.end(), code,
                       [](const Range& range, char32_t value) { return range.last < value; });
  return at != kRanges.end() && at->first <= code ? at->script : kOther;
}

bool GoTogether(std::uint32_t scripts) {
  constexpr std::array<std::uint32_t, 3> kFamilies = {
      kLatin | kHan | kHiragana | kKatakana,
      kLatin | kHan | kBopomofo,
      kLatin | kHan | kHangul,
  };
  return std::popcount(scripts) <= 1 ||
         std::any_of(kFamilies.begin(), kFamilies.end(),
                     [scripts](std::uint32_t family) { return (scripts & ~family) == 0; });
}

}  // namespace

std::string MixedScripts(std::string_view label) {
  std::uint32_t scripts = 0;
  while (!label.empty()) {
    const std::optional<char32_t> code = TakeCodePoint(label);
    scripts |= code ? ScriptOf(*code) : kOther;
  }
  if (GoTogether(scripts)) return "";
  std::string names;
  for (std::size_t i = 0; i < kScriptNames.size(); ++i) {
    if ((scripts & (1U << i)) == 0) continue;
    if (!names.empty()) names += " and ";
    names += kScriptNames[i];
  }
  return names;
}

}  // namespace certwright::model
