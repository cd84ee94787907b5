#include "certwright/config/ca_limits.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "certwright/base/embedded.h"
#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "findings.h"
#include "value.h"

namespace certwright::config {

namespace embedded {
extern const EmbeddedFile kFiles[];
}  // namespace embedded

namespace {

using model::CaLimits;
using model::Limit;
using model::LimitName;

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::int64_t kMaxBurst = 1'000'000;
constexpr std::int64_t kMaxWindow = 10LL * 366 * 86400;
constexpr std::int64_t kReservedShare = 10;  // one of so many
constexpr char kReplaces[] = "replaces";
constexpr char kSameSet[] = "same-set";
constexpr char kAdvice[] =
    "correct the file of ledger.limits; schema/ca-limits.toml shows how it is written";

std::uint32_t Line(const toml::node& node) { return node.source().begin.line; }

// What one [[ca.limit]] says, and what it does not.
struct Reading {
  Limit limit;
  bool reserve_said = false;
};

class LimitsReader {
 public:
  explicit LimitsReader(std::string file) : findings_(std::move(file)) {}

  std::vector<CaLimits> Read(const toml::table& root) {
    std::vector<CaLimits> cas;
    for (auto&& [key, node] : root) {
      if (key.str() != "ca") {
        Unknown(node, key.str(), "", {"ca"});
      } else {
        ForEachTable(node, "ca", [&](const toml::table& table) { cas.push_back(ReadCa(table)); });
      }
    }
    findings_.ThrowProblems(kAdvice);
    return cas;
  }

 private:
  CaLimits ReadCa(const toml::table& table) {
    CaLimits ca;
    for (auto&& [raw, node] : table) {
      const std::string key(raw.str());
      if (key == "name") {
        Checked(node, "ca.name", [&](const Value& value) { ca.name = NotEmpty(value.Text()); });
      } else if (key == "directories") {
        Checked(node, "ca.directories", [&](const Value&) { ReadDirectories(node, ca); });
      } else if (key == "limit") {
        ForEachTable(node, "ca.limit", [&](const toml::table& limit) { ReadLimit(limit, ca); });
      } else {
        Unknown(node, key, "ca.", {"name", "directories", "limit"});
      }
    }
    Demand(table, "ca.", {"name", "directories"});
    return ca;
  }

  void ReadDirectories(const toml::node& node, CaLimits& ca) {
    for (const std::string& text : Texts(node)) {
      std::string url = ResolveDirectory(text);
      if (!seen_.insert(url).second) throw Problem{Cat(Printable(url, 200), " is here twice")};
      ca.directories.push_back(std::move(url));
    }
    if (ca.directories.empty()) throw Problem{"is empty, wanted is at least one directory URL"};
  }

  void ReadLimit(const toml::table& table, CaLimits& ca) {
    Reading reading;
    for (auto&& [raw, node] : table) {
      const std::string key(raw.str());
      const auto reader =
          std::find_if(kKeys.begin(), kKeys.end(), [&](const auto& k) { return k.first == key; });
      if (reader == kKeys.end()) {
        Unknown(node, key, "ca.limit.",
                {"name", "burst", "window", "exempt", "renewal_reserve"});
        continue;
      }
      Checked(node, Cat("ca.limit.", key),
              [&](const Value& value) { reader->second(value, reading); });
    }
    Demand(table, "ca.limit.", {"name", "burst", "window"});
    Limit& limit = reading.limit;
    if (!reading.reserve_said) limit.renewal_reserve = UsualReserve(limit);
    if (limit.renewal_reserve >= limit.burst) {
      findings_.Add(Line(table), "ca.limit.renewal_reserve: leaves nothing of burst");
    }
    const bool twice = std::any_of(ca.limits.begin(), ca.limits.end(),
                                   [&](const Limit& other) { return other.name == limit.name; });
    if (twice) {
      findings_.Add(Line(table), Cat("ca.limit.name: ", model::LimitText(limit.name),
                                     " is there twice for one CA"));
    }
    ca.limits.push_back(limit);
  }

  static std::int64_t UsualReserve(const Limit& limit) {
    const bool kept = limit.name == LimitName::kOrders ||
                      limit.name == LimitName::kCertificatesPerDomain;
    return kept ? limit.burst / kReservedShare : 0;
  }

  static void ReadName(const Value& value, Reading& reading) {
    const std::string text = value.Text();
    const auto name = model::LimitFromText(text);
    if (name) {
      reading.limit.name = *name;
      return;
    }
    std::vector<std::string> known;
    for (const LimitName each : model::kLimitNames) known.emplace_back(model::LimitText(each));
    throw Problem{Cat("\"", Printable(text, 60), "\" is none of ", Join(known, ", "))};
  }

  static void ReadExempt(const Value& value, Reading& reading) {
    for (const std::string& text : Texts(value.node())) {
      if (text == kReplaces) {
        reading.limit.exempts_replaces = true;
      } else if (text == kSameSet) {
        reading.limit.exempts_same_set = true;
      } else {
        throw Problem{
            Cat("\"", Printable(text, 60), "\" is neither ", kReplaces, " nor ", kSameSet)};
      }
    }
  }

  using Read1 = void (*)(const Value&, Reading&);
  static constexpr std::array<std::pair<std::string_view, Read1>, 5> kKeys = {{
      {"name", ReadName},
      {"burst",
       [](const Value& value, Reading& reading) {
         reading.limit.burst = value.Integer(1, kMaxBurst);
       }},
      {"window",
       [](const Value& value, Reading& reading) {
         reading.limit.window = value.Seconds(1, kMaxWindow);
       }},
      {"exempt", ReadExempt},
      {"renewal_reserve",
       [](const Value& value, Reading& reading) {
         reading.limit.renewal_reserve = value.Integer(0, kMaxBurst);
         reading.reserve_said = true;
       }},
  }};

  static std::string NotEmpty(std::string text) {
    if (text.empty()) throw Problem{"is empty"};
    return text;
  }

  static std::vector<std::string> Texts(const toml::node& node) {
    const auto* array = node.as_array();
    if (array == nullptr) throw Problem{Cat("is ", Describe(node), ", wanted is a list of texts")};
    std::vector<std::string> texts;
    for (const toml::node& entry : *array) texts.push_back(Value(entry, "").Text());
    return texts;
  }

  template <typename Read>
  void Checked(const toml::node& node, const std::string& name, Read&& read) {
    try {
      read(Value(node, ""));
    } catch (const Problem& problem) {
      findings_.Add(Line(node), Cat(name, ": ", problem.text));
    }
  }

  template <typename Read>
  void ForEachTable(const toml::node& node, const std::string& name, Read&& read) {
    const auto* array = node.as_array();
    if (array == nullptr || (!array->empty() && !array->is_array_of_tables())) {
      findings_.Add(Line(node), Cat(name, ": is ", Describe(node), ", wanted are sections: [[",
                                    name, "]]"));
      return;
    }
    for (const toml::node& entry : *array) read(*entry.as_table());
  }

  void Unknown(const toml::node& node, std::string_view key, const std::string& prefix,
               const std::vector<std::string>& known) {
    const std::string nearest = Nearest(key, known);
    findings_.Add(Line(node), Cat(prefix, Printable(key, 80), ": unknown key",
                                  nearest.empty() ? "" : Cat("; did you mean ", prefix, nearest,
                                                             "?")));
  }

  void Demand(const toml::table& table, const std::string& prefix,
              const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      if (!table.contains(key)) findings_.Add(Line(table), Cat(prefix, key, ": is missing"));
    }
  }

  Findings findings_;
  std::set<std::string> seen_;  // directories
};

std::vector<CaLimits> Parse(std::string_view text, const std::string& file) {
  try {
    return LimitsReader(file).Read(toml::parse(text, file));
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    throw Error(FailureCode::kConfig, Cat(file, ":", at.line, ":", at.column, ": is not TOML: ",
                                          Printable(error.description())),
                kAdvice);
  }
}

std::string ReadLimitsFile(const Path& file) {
  try {
    return ReadFile(file, kMaxBytes);
  } catch (const Error& error) {
    throw Error(FailureCode::kConfig,
                Cat("ledger.limits: ", Printable(file.string()), ": ", error.failure().detail),
                "let this user read it, or leave ledger.limits out");
  }
}

}  // namespace

std::vector<CaLimits> LoadCaLimits(const Path& file) {
  std::vector<CaLimits> cas =
      Parse(embedded::kFiles[0].text, std::string(embedded::kFiles[0].name));
  if (file.empty()) return cas;
  for (CaLimits& said : Parse(ReadLimitsFile(file), Printable(file.string()))) {
    for (CaLimits& ca : cas) {
      std::erase_if(ca.directories, [&](const std::string& directory) {
        return std::find(said.directories.begin(), said.directories.end(), directory) !=
               said.directories.end();
      });
    }
    cas.push_back(std::move(said));
  }
  std::erase_if(cas, [](const CaLimits& ca) { return ca.directories.empty(); });
  return cas;
}

}  // namespace certwright::config
