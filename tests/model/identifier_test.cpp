#include "certwright/model/identifier.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "certwright/base/error.h"

namespace certwright::model {
namespace {

using std::string_literals::operator""s;

const std::string kLabel63(63, 'a');
// Four labels and their dots: 63 + 1 + 63 + 1 + 63 + 1 + 61 = 253.
const std::string kName253 =
    kLabel63 + "." + kLabel63 + "." + kLabel63 + "." + std::string(61, 'b');

TEST(ParseIdentifier, TakesNamesAndAddresses) {
  struct Row {
    std::string name, text;
    IdentifierType type;
    std::string want;
  };
  constexpr auto kDns = IdentifierType::kDns;
  constexpr auto kIp = IdentifierType::kIp;
  const std::vector<Row> rows = {
      {"host name", "www.example.org", kDns, "www.example.org"},
      {"upper case", "WWW.Example.ORG", kDns, "www.example.org"},
      {"digits and hyphens", "a-1.2b.example", kDns, "a-1.2b.example"},
      {"digits in front", "1.2.3.example", kDns, "1.2.3.example"},
      {"two hyphens that are no prefix", "ab--cd.org", kDns, "ab--cd.org"},
      {"wildcard", "*.Example.org", kDns, "*.example.org"},
      {"63-byte label", kLabel63 + ".org", kDns, kLabel63 + ".org"},
      {"253 bytes", kName253, kDns, kName253},
      {"umlaut",
       "b\xc3\xbc"
       "cher.example",
       kDns, "xn--bcher-kva.example"},
      {"upper-case umlaut",
       "B\xc3\x9c"
       "CHER.example",
       kDns, "xn--bcher-kva.example"},
      {"decomposed umlaut",
       "bu\xcc\x88"
       "cher.example",
       kDns, "xn--bcher-kva.example"},
      {"sharp s stays (IDNA 2008)",
       "stra\xc3\x9f"
       "e.de",
       kDns, "xn--strae-oqa.de"},
      {"A-label", "XN--bcher-kva.example", kDns, "xn--bcher-kva.example"},
      {"wildcard and A-label",
       "*.b\xc3\xbc"
       "cher.de",
       kDns, "*.xn--bcher-kva.de"},
      {"Cyrillic label, Latin TLD", "\xd0\xbf\xd0\xb8\xd0\xb2\xd0\xbe.com", kDns, "xn--b1altb.com"},
      {"Japanese scripts with Latin",
       "\xe6\x97\xa5\xe3\x81\xb2\xe3\x82\xab"
       "abc.jp",
       kDns, "xn--abc-0c4b9k623z.jp"},
      {"Japanese dot and TLD",
       "\xe4\xbe\x8b\xe3\x81\x88\xe3\x80\x82\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88", kDns,
       "xn--r8jz45g.xn--zckzah"},
      {"IPv4", "192.0.2.1", kIp, "192.0.2.1"},
      {"IPv6", "2001:DB8:0:0:0:0:0:1", kIp, "2001:db8::1"},
      {"IPv6 in brackets", "[::1]", kIp, "::1"},
  };
  for (const Row& row : rows) {
    try {
      const Identifier found = ParseIdentifier(row.text);
      EXPECT_EQ(found.type, row.type) << row.name;
      EXPECT_EQ(found.value, row.want) << row.name;
      EXPECT_EQ(ParseIdentifier(found.value), found) << row.name << ": its own form is stable";
    } catch (const Error& error) {
      ADD_FAILURE() << row.name << ": " << error.what();
    }
  }
}

TEST(ParseIdentifier, RefusesEverythingElseInWords) {
  struct Row {
    std::string name, text, words;
  };
  const std::vector<Row> rows = {
      {"nothing", "", "empty"},
      {"a dot", ".", "ends with a dot"},
      {"dot in front", ".example.org", "nothing between two dots"},
      {"empty label", "a..example.org", "nothing between two dots"},
      {"empty label, international", "a..\xc3\xbc.org", "nothing between two dots"},
      {"trailing dot", "example.org.", "ends with a dot"},
      {"trailing dot, international", "\xc3\xbc.org.", "ends with a dot"},
      {"64-byte label", kLabel63 + "a.org", "longer than 63"},
      {"64-byte label as punycode", "\xc3\xbc" + std::string(58, 'a') + ".org", "longer than 63"},
      {"254 bytes", kName253 + "b", "longer than 253"},
      {"255 bytes with wildcard", "*." + kName253, "longer than 253"},
      {"huge", std::string(100'000, 'a'), "far too long"},
      {"underscore", "_dmarc.example.org", "underscore"},
      {"TLD alone", "localhost", "no dot"},
      {"international TLD alone", "\xc3\xbc", "no dot"},
      {"wildcard alone", "*", "whole first part"},
      {"wildcard with nothing", "*.", "nothing between two dots"},
      {"wildcard under a TLD", "*.org", "at least two parts"},
      {"wildcard in the middle", "a.*.example.org", "whole first part"},
      {"wildcard in a label", "w*.example.org", "whole first part"},
      {"two wildcards", "*.*.example.org", "whole first part"},
      {"full-width wildcard", "\xef\xbc\x8a.example.org", "may not stand"},
      {"wildcard of an address", "*.192.0.2.1", "IP address"},
      {"IPv4-like", "1.2.3.999", "IP address"},
      {"short IPv4", "1.2.3", "IP address"},
      {"IPv4 with leading zeros", "192.000.002.001", "IP address"},
      {"full-width IPv4", "\xef\xbc\x91.\xef\xbc\x92.\xef\xbc\x93.\xef\xbc\x94", "IP address"},
      {"numeric last label", "example.123", "IP address"},
      {"IPv4 of no machine", "0.0.0.0", "no machine"},
      {"IPv6 of no machine", "[::]", "no machine"},
      {"IPv6 with zone", "fe80::1%eth0", "zone"},
      {"IPv6 with zone in brackets", "[fe80::1%25eth0]", "zone"},
      {"damaged IPv6", "2001:db8:::1", "no IPv6"},
      {"IPv6 too long", "1:2:3:4:5:6:7:8:9", "no IPv6"},
      {"IPv4 in brackets", "[192.0.2.1]", "no IPv6"},
      {"network", "192.0.2.0/24", "character /"},
      {"URL", "https://example.org", "character :"},
      {"port", "example.org:443", "character :"},
      {"new line", "a.org\nb.org", "control character"},
      {"escape", "\x1b[31m.org", "control character"},
      {"NUL", "a.org\0.b"s, "control character"},
      {"DEL", "a\x7f.org", "control character"},
      {"backtick", "a`.example.org", "character `"},
      {"template", "{{.env}}.example.org", "character {"},
      {"rule syntax", "a`)||Host(`b.org", "character `"},
      {"blank in front", " a.org", "blank"},
      {"blank inside", "a b.org", "blank"},
      {"comma", "a.org,b.org", "character ,"},
      {"path", "../a.org", "character /"},
      {"slash", "a/b.org", "character /"},
      {"full-width slash",
       "a\xef\xbc\x8f"
       "b.org",
       "may not stand"},
      {"hyphen in front", "-a.org", "hyphen"},
      {"hyphen at the end", "a-.org", "hyphen"},
      {"no UTF-8", "a\xff.org", "UTF-8"},
      {"right-to-left override",
       "a\xe2\x80\xae"
       "b.org",
       "no valid international name"},
      {"Latin and Cyrillic", "p\xd0\xb0ypal.com", "mixes Latin and Cyrillic"},
      {"Latin and Greek",
       "\xce\xb1"
       "b.gr",
       "mixes Latin and Greek"},
      {"Greek and Cyrillic", "\xce\xb1\xd0\xb0.gr", "mixes Greek and Cyrillic"},
      {"mixed as punycode", "xn--pypal-4ve.com", "mixes Latin and Cyrillic"},
      {"Hangul and Katakana", "\xed\x95\x9c\xe3\x82\xab.kr", "mixes Katakana and Hangul"},
      {"an emoji", "i\xe2\x9d\xa4.ws", "no valid international name"},
      {"an emoji as punycode", "xn--i-7iq.ws", "no valid international name"},
      {"punycode of nothing", "xn--.org", "international"},
      {"punycode of ASCII", "xn--abc-.org", "international"},
      {"damaged punycode", "xn--zzzzz-9.example", "international"},
  };
  for (const Row& row : rows) {
    try {
      const Identifier found = ParseIdentifier(row.text);
      ADD_FAILURE() << row.name << " was taken as " << found.value;
    } catch (const Error& error) {
      const Failure& failure = error.failure();
      EXPECT_EQ(failure.code, FailureCode::kInput) << row.name;
      EXPECT_NE(failure.detail.find(row.words), std::string::npos)
          << row.name << ": " << failure.detail;
      EXPECT_LT(failure.detail.size(), 400U) << row.name;
      EXPECT_EQ(failure.detail.find_first_of("\n\x1b\x7f\0"s), std::string::npos) << row.name;
      EXPECT_FALSE(failure.advice.empty()) << row.name;
    }
  }
}

// Whatever bytes come in, what is taken is made of LDH labels, or is an address.
TEST(ParseIdentifier, LetsNothingButHostCharactersOut) {
  for (int first = 0; first < 256; ++first) {
    for (const std::string& tail : {"a.example.org"s, ".example.org"s, "\x80.example.org"s}) {
      const std::string text = std::string(1, static_cast<char>(first)) + tail;
      try {
        const std::string value = ParseIdentifier(text).value;
        EXPECT_EQ(value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.*"),
                  std::string::npos)
            << value;
      } catch (const Error&) {
      }
    }
  }
}

TEST(ParseIdentifiers, SortsAndTakesDoublesOut) {
  const std::vector<Identifier> found =
      ParseIdentifiers({"b.org", "192.0.2.1", "A.org", "a.ORG", "*.b.org"});
  EXPECT_EQ(Names(found), (std::vector<std::string>{"*.b.org", "a.org", "b.org", "192.0.2.1"}));
  EXPECT_EQ(NameSetKey(found), "*.b.org,a.org,b.org,192.0.2.1");
  EXPECT_EQ(NameSetKey(ParseIdentifiers({"b.org", "a.org"})),
            NameSetKey(ParseIdentifiers({"a.org", "b.org", "a.org"})));
}

TEST(ParseIdentifiers, WantsOneToAHundred) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("n" + std::to_string(i) + ".example.org");
  EXPECT_EQ(ParseIdentifiers(names).size(), 100U);
  names.push_back("N0.example.org");
  EXPECT_EQ(ParseIdentifiers(names).size(), 100U) << "a double counts once";
  names.push_back("one-more.example.org");
  EXPECT_THROW(ParseIdentifiers(names), Error);
  EXPECT_THROW(ParseIdentifiers({}), Error);
}

TEST(NameSetKey, DoesNotDependOnTheOrder) {
  const Identifier a{IdentifierType::kDns, "a.org"}, b{IdentifierType::kDns, "b.org"};
  EXPECT_EQ(NameSetKey({b, a, b}), NameSetKey({a, b}));
  EXPECT_NE(NameSetKey({a}), NameSetKey({a, b}));
}

TEST(Covers, StandsForExactlyOneLabel) {
  struct Row {
    const char* pattern;
    const char* name;
    bool want;
  };
  const std::vector<Row> rows = {
      {"a.example.org", "a.example.org", true},
      {"a.example.org", "b.example.org", false},
      {"*.example.org", "a.example.org", true},
      {"*.example.org", "example.org", false},
      {"*.example.org", "a.b.example.org", false},
      {"*.example.org", ".example.org", false},
      {"*.example.org", "aexample.org", false},
      {"*.example.org", "*.example.org", true},
      {"*.b.example.org", "*.example.org", false},
      {"a.example.org", "*.example.org", false},
      {"192.0.2.1", "192.0.2.1", true},
      {"*.0.2.1", "192.0.2.1", false},
      {"*.example.org", "", false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Covers(row.pattern, row.name), row.want) << row.pattern << " " << row.name;
  }
}

TEST(WildcardFor, IsOneLabelUp) {
  EXPECT_EQ(WildcardFor("www.example.org"), "*.example.org");
  EXPECT_EQ(WildcardFor("a.b.example.org"), "*.b.example.org");
  for (const char* name :
       {"example.org", "org", "", ".example.org", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"}) {
    EXPECT_EQ(WildcardFor(name), "") << name;
  }
}

TEST(TypeName, IsTheRfcs) {
  EXPECT_EQ(TypeName(IdentifierType::kDns), "dns");
  EXPECT_EQ(TypeName(IdentifierType::kIp), "ip");
}

}  // namespace
}  // namespace certwright::model
