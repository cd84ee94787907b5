// The syntax of single values. Each function throws Problem with words that end the sentence
// "acme.directory: ..."; the caller adds file, line and key.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace certwright::config {

// What is wrong with one value; never leaves this module.
struct Problem {
  std::string text;
};

// "168h", "7d", "1h30m"; units s m h d w.
std::int64_t ParseDuration(std::string_view text);
// "168h" for whole hours, else "90m" or "45s".
std::string DurationText(std::int64_t seconds);

// "0660": read and write bits only, the owner has both.
mode_t ParseSocketMode(std::string_view text);
// "0640": read and write bits only, the owner reads, nobody else writes.
mode_t ParseFileMode(std::string_view text);

// IP:PORT, [IP]:PORT or :PORT, port 1..65535.
void CheckListen(std::string_view text);
// The same on loopback.
void CheckLocalListen(std::string_view text);
// IP:PORT or [IP]:PORT.
void CheckServer(std::string_view text);
// HOST:PORT.
void CheckAddress(std::string_view text);

// A short name or an absolute https or http URL, as a URL.
std::string ResolveDirectory(std::string_view text);
// Scheme http or https, a host, no user info, no fragment.
void CheckUrl(std::string_view url);
bool IsHttp(std::string_view url);
// 127.0.0.0/8, ::1 or localhost.
bool IsLoopbackUrl(std::string_view url);

void CheckEmail(std::string_view text);
// A kind of event: model::kEventKinds.
void CheckKind(std::string_view text);
// Letters, digits and "_.-", not empty.
void CheckWord(std::string_view text);

}  // namespace certwright::config
