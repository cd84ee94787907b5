#include "answer.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::http {
namespace {

constexpr int kMaxInterim = 8;  // 1xx answers before the real one

bool IsTokenCharacter(char c) {
  constexpr std::string_view kOther = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOther.find(c) != std::string_view::npos;
}

bool IsValueCharacter(char c) { return c == '\t' || static_cast<unsigned char>(c) >= ' '; }

std::optional<std::uint64_t> Number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The three digits after the version, or 0.
int StatusOf(std::string_view line) {
  if (line.size() < 12 || (line.size() > 12 && line[12] != ' ')) return 0;
  int status = 0;
  for (const char c : line.substr(9, 3)) {
    if (c < '0' || c > '9') return 0;
    status = status * 10 + (c - '0');
  }
  return status;
}

// Whether a list like "keep-alive, Close" has the word.
bool HasWord(const Response& response, std::string_view name, std::string_view word) {
  for (const std::string& value : response.All(name)) {
    for (const std::string& part : Split(value, ',')) {
      if (ToLower(Trim(part)) == word) return true;
    }
  }
  return false;
}

}  // namespace

void AnswerReader::Refuse(std::string_view what) const {
  throw Error(FailureCode::kProtocol,
              Cat(patience_.peer(), " does not answer in HTTP/1.1: ", what));
}

void AnswerReader::RefuseSize() const {
  throw Error(FailureCode::kProtocol,
              Cat(patience_.peer(), ": answer over ", limits_.body, " bytes"));
}

void AnswerReader::Fill() {
  bool clean = false;
  next_ = 0;
  end_ = 0;
  end_ = stream_.Read(buffer_, sizeof buffer_, patience_, clean);
  if (end_ == 0) {
    patience_.ThrowNetwork(any_ ? "the answer was cut" : "closed the connection without an answer");
  }
  any_ = true;
}

char AnswerReader::Next() {
  if (next_ == end_) Fill();
  return buffer_[next_++];
}

std::string AnswerReader::Line() {
  std::string line;
  for (;;) {
    const char c = Next();
    if (++header_bytes_ > limits_.header_bytes) {
      throw Error(FailureCode::kProtocol,
                  Cat(patience_.peer(), ": headers over ", limits_.header_bytes, " bytes"));
    }
    if (c == '\n') break;
    line.push_back(c);
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

void AnswerReader::ReadStatus(Response& response) {
  const std::string line = Line();
  const std::string_view version = std::string_view(line).substr(0, 9);
  response.status = StatusOf(line);
  if ((version != "HTTP/1.1 " && version != "HTTP/1.0 ") || response.status < 100) {
    Refuse("no status line");
  }
  if (version == "HTTP/1.0 ") reusable_ = false;
}

void AnswerReader::ReadHeaders(Response& response) {
  response.headers.clear();
  for (std::string line = Line(); !line.empty(); line = Line()) {
    if (response.headers.size() == limits_.headers) {
      throw Error(FailureCode::kProtocol,
                  Cat(patience_.peer(), ": more than ", limits_.headers, " headers"));
    }
    const std::size_t colon = line.find(':');
    const std::string name = line.substr(0, std::min(colon, line.size()));
    if (colon == std::string::npos || name.empty() ||
        !std::ranges::all_of(name, IsTokenCharacter)) {
      Refuse("a header line without a name");
    }
    const std::string value(Trim(std::string_view(line).substr(colon + 1)));
    if (!std::ranges::all_of(value, IsValueCharacter)) Refuse("a control character in a header");
    response.headers.emplace_back(ToLower(name), value);
  }
}

Response AnswerReader::Read(bool head_request, const Sink& sink) {
  Response response;
  int interim = 0;
  do {
    if (++interim > kMaxInterim) Refuse("no end of interim answers");
    ReadStatus(response);
    ReadHeaders(response);
    if (response.status == 101) Refuse("it switches protocols");
  } while (response.status < 200);
  if (HasWord(response, "connection", "close")) reusable_ = false;
  if (head_request || response.status == 204 || response.status == 304) return response;
  const std::string_view encoding = response.Header("content-encoding");
  if (!encoding.empty() && ToLower(encoding) != "identity") {
    throw Error(FailureCode::kProtocol,
                Cat(patience_.peer(), ": the answer is encoded as \"", Printable(encoding, 40),
                    "\", which was not asked for"));
  }
  ReadBody(
      response, sink ? sink : [&](std::string_view part) { response.body.append(part); });
  return response;
}

void AnswerReader::ReadBody(const Response& response, const Sink& sink) {
  const std::vector<std::string> codings = response.All("transfer-encoding");
  const std::vector<std::string> lengths = response.All("content-length");
  if (!codings.empty()) {
    // RFC 9112 section 6.3: both is how answers are smuggled.
    if (!lengths.empty()) Refuse("Transfer-Encoding and Content-Length at once");
    if (codings.size() != 1 || ToLower(codings[0]) != "chunked")
      Refuse("unknown Transfer-Encoding");
    return ReadChunks(sink);
  }
  if (lengths.empty()) return ReadToEnd(sink);
  if (std::ranges::any_of(lengths, [&](const auto& value) { return value != lengths[0]; })) {
    Refuse("two values of Content-Length");
  }
  const auto length = Number(lengths[0], 10);
  if (!length) Refuse("Content-Length is no number");
  Pass(*length, sink);
}

void AnswerReader::Pass(std::uint64_t count, const Sink& sink) {
  if (count > limits_.body - body_bytes_) RefuseSize();
  body_bytes_ += count;
  while (count > 0) {
    if (next_ == end_) Fill();
    const std::size_t part = std::min<std::uint64_t>(count, end_ - next_);
    sink({buffer_ + next_, part});
    next_ += part;
    count -= part;
  }
}

void AnswerReader::ReadChunks(const Sink& sink) {
  // Each chunk's lines have a budget as large as that of the headers; the number of chunks is
  // bounded by the limit of the body.
  for (;;) {
    header_bytes_ = 0;
    const std::string line = Line();
    const std::string_view digits = Trim(std::string_view(line).substr(0, line.find(';')));
    const auto size = Number(digits, 16);
    if (!size) Refuse("a chunk without a size");
    if (*size == 0) break;
    Pass(*size, sink);
    header_bytes_ = 0;
    if (!Line().empty()) Refuse("a chunk longer than its size");
  }
  while (!Line().empty()) {  // trailers: counted, not kept
  }
}

void AnswerReader::ReadToEnd(const Sink& sink) {
  reusable_ = false;
  for (;;) {
    if (next_ == end_) {
      bool clean = false;
      next_ = 0;
      end_ = 0;
      end_ = stream_.Read(buffer_, sizeof buffer_, patience_, clean);
      if (end_ == 0) {
        // Without a length only the announced end tells a whole answer from a cut one.
        if (!clean) patience_.ThrowNetwork("the answer was cut");
        return;
      }
    }
    Pass(end_ - next_, sink);
  }
}

}  // namespace certwright::http
