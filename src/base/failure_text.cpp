// Failure <-> text: a version, then pairs of netstrings (key, value). A key that this version does
// not know is skipped, so that an older program can read what a newer one stored.
#include <charconv>
#include <optional>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright {
namespace {

constexpr std::string_view kVersion = "failure/1;";

// https://cr.yp.to/proto/netstrings.txt: [length]:[bytes],
void Put(std::string& out, std::string_view text) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
  out += ',';
}

void PutPair(std::string& out, std::string_view key, std::string_view value) {
  Put(out, key);
  Put(out, value);
}

[[noreturn]] void Damaged() {
  throw Error(FailureCode::kDamaged, "a stored failure cannot be read",
              "The store was changed from outside or is damaged: restore a backup.");
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }

  std::string_view Next() {
    std::size_t length = 0;
    const char* const end = rest_.data() + rest_.size();
    const auto [stop, error] = std::from_chars(rest_.data(), end, length);
    if (error != std::errc{} || stop == end || *stop != ':') Damaged();
    rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()) + 1);
    if (rest_.size() <= length || rest_[length] != ',') Damaged();
    const std::string_view text = rest_.substr(0, length);
    rest_.remove_prefix(length + 1);
    return text;
  }

  std::string NextText() { return std::string(Next()); }

 private:
  std::string_view rest_;
};

std::int64_t ToInt(std::string_view text) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size()) Damaged();
  return value;
}

}  // namespace

std::string SerializeFailure(const Failure& failure) {
  std::string identifiers;
  for (const std::string& name : failure.identifiers) Put(identifiers, name);
  std::string subproblems;
  for (const Subproblem& problem : failure.subproblems) {
    Put(subproblems, problem.type);
    Put(subproblems, problem.detail);
    Put(subproblems, problem.identifier);
  }
  std::string out(kVersion);
  PutPair(out, "code", FailureCodeName(failure.code));
  PutPair(out, "detail", failure.detail);
  PutPair(out, "advice", failure.advice);
  PutPair(out, "acme_type", failure.acme_type);
  PutPair(out, "identifiers", identifiers);
  PutPair(out, "subproblems", subproblems);
  PutPair(out, "transient", failure.transient ? "1" : "0");
  PutPair(out, "retry_at", std::to_string(failure.retry_at));
  return out;
}

Failure ParseFailure(std::string_view text) {
  if (!text.starts_with(kVersion)) Damaged();
  Reader in(text.substr(kVersion.size()));
  Failure failure;
  while (!in.AtEnd()) {
    const std::string_view key = in.Next();
    const std::string_view value = in.Next();
    if (key == "code") failure.code = FailureCodeFromName(value);
    if (key == "detail") failure.detail = value;
    if (key == "advice") failure.advice = value;
    if (key == "acme_type") failure.acme_type = value;
    if (key == "transient") failure.transient = value == "1";
    if (key == "retry_at") failure.retry_at = ToInt(value);
    Reader items(value);
    if (key == "identifiers") {
      while (!items.AtEnd()) failure.identifiers.push_back(items.NextText());
    } else if (key == "subproblems") {
      while (!items.AtEnd()) {
        Subproblem problem;
        problem.type = items.NextText();
        problem.detail = items.NextText();
        problem.identifier = items.NextText();
        failure.subproblems.push_back(std::move(problem));
      }
    }
  }
  return failure;
}

}  // namespace certwright
