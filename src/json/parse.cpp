#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <limits>
#include <unordered_set>
#include <utility>

#include "certwright/base/error.h"
#include "certwright/base/text.h"
#include "certwright/json/value.h"

namespace certwright::json {
namespace {

// Builds the value from the parser's events; an event that breaks a limit stops the parser at once.
class Builder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Builder> {
 public:
  explicit Builder(std::size_t max_depth) : max_depth_(max_depth) {}

  bool Null() { return Add(Value()); }
  bool Bool(bool flag) { return Add(Value(flag)); }
  bool Int(int number) { return Add(Value(number)); }
  bool Uint(unsigned number) { return Add(Value(static_cast<std::int64_t>(number))); }
  bool Int64(std::int64_t number) { return Add(Value(number)); }
  bool Uint64(std::uint64_t number) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    if (number > kMax) return Add(Value(static_cast<double>(number)));
    return Add(Value(static_cast<std::int64_t>(number)));
  }
  bool Double(double number) { return Add(Value(number)); }

  bool String(const char* text, rapidjson::SizeType length, bool) {
    const std::string_view view(text, length);
    return IsUnicode(view) && Add(Value(view));
  }

  bool Key(const char* text, rapidjson::SizeType length, bool) {
    const std::string_view view(text, length);
    if (!IsUnicode(view)) return false;
    Open& open = open_.back();
    open.key = view;
    if (open.keys.insert(open.key).second) return true;
    return Refuse(Cat("the key \"", Printable(view, 60), "\" stands there twice"));
  }

  bool StartObject() { return Start(Value::Object()); }
  bool EndObject(rapidjson::SizeType) { return End(); }
  bool StartArray() { return Start(Value(Array())); }
  bool EndArray(rapidjson::SizeType) { return End(); }

  const std::string& why() const { return why_; }
  Value Take() { return std::move(root_); }

 private:
  // An object or array whose end is still to come.
  struct Open {
    Value value;
    std::string key;                       // of the member that is being read
    std::unordered_set<std::string> keys;  // of an object, those seen
    Members members;                       // gathered here: Value::Set would search each time
  };

  bool Refuse(std::string why) {
    why_ = std::move(why);
    return false;
  }

  // The parser checks the bytes, but takes an escaped lone low surrogate ("\udc00") for a
  // character.
  bool IsUnicode(std::string_view text) { return IsUtf8(text) || Refuse("a text is not UTF-8"); }

  bool Start(Value empty) {
    if (open_.size() == max_depth_) return Refuse(Cat("it is nested deeper than ", max_depth_));
    open_.push_back({std::move(empty), "", {}, {}});
    return true;
  }

  bool End() {
    Open done = std::move(open_.back());
    open_.pop_back();
    return Add(done.value.IsObject() ? Value::FromMembers(std::move(done.members))
                                     : std::move(done.value));
  }

  bool Add(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().value.IsObject()) {
      open_.back().members.emplace_back(std::move(open_.back().key), std::move(value));
    } else {
      open_.back().value.Append(std::move(value));
    }
    return true;
  }

  const std::size_t max_depth_;
  std::vector<Open> open_;
  Value root_;
  std::string why_;
};

[[noreturn]] void Refuse(std::string_view why) {
  throw Error(FailureCode::kInput, Cat("this cannot be read as JSON: ", why));
}

}  // namespace

Value Parse(std::string_view text, const ParseLimits& limits) {
  if (text.size() > limits.max_bytes) Refuse(Cat("it is larger than ", limits.max_bytes, " bytes"));
  // A NUL is the parser's end mark: what follows it would not be looked at.
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) Refuse(Cat("a NUL at byte ", nul + 1));

  // Iterative: the parser's own recursion is not bounded by the handler's depth alone.
  constexpr unsigned kFlags = rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag;
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  Builder builder(limits.max_depth);
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  if (result.IsError()) {
    std::string why =
        builder.why().empty() ? rapidjson::GetParseError_En(result.Code()) : builder.why();
    if (why.ends_with('.')) why.pop_back();
    Refuse(Cat(why, " (at byte ", result.Offset() + 1, ")"));
  }
  return builder.Take();
}

}  // namespace certwright::json
