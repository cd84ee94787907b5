#include "x509_time.h"

#include <chrono>
#include <cstdio>
#include <string_view>

#include "certwright/base/error.h"

namespace certwright::crypto {
namespace {

[[noreturn]] void BadTime() {
  throw Error(FailureCode::kInput, "a time in the certificate cannot be read");
}

int Number(std::string_view& digits, std::size_t width) {
  int number = 0;
  for (const char c : digits.substr(0, width)) {
    if (c < '0' || c > '9') BadTime();
    number = number * 10 + (c - '0');
  }
  digits.remove_prefix(width);
  return number;
}

}  // namespace

UnixSeconds ParseX509Time(const der::Value& value) {
  const bool is_utc_time = value.tag == der::kUtcTime;
  if (!is_utc_time && value.tag != der::kGeneralizedTime) BadTime();
  std::string_view text = value.content;
  if (text.size() != (is_utc_time ? 13U : 15U) || text.back() != 'Z') BadTime();
  int year = Number(text, is_utc_time ? 2 : 4);
  if (is_utc_time) year += year < 50 ? 2000 : 1900;
  const auto month = static_cast<unsigned>(Number(text, 2));
  const auto day = static_cast<unsigned>(Number(text, 2));
  const int hour = Number(text, 2);
  const int minute = Number(text, 2);
  const int second = Number(text, 2);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) BadTime();
  const UnixSeconds days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

std::string EncodeX509Time(UnixSeconds time) {
  const std::chrono::sys_seconds point{std::chrono::seconds(time)};
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(point - day);
  char text[32];
  std::snprintf(text, sizeof text, "%04d%02u%02u%02d%02d%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  if (date.year() < std::chrono::year(1950) || date.year() > std::chrono::year(2049)) {
    return der::Encode(der::kGeneralizedTime, text);
  }
  return der::Encode(der::kUtcTime, text + 2);
}

}  // namespace certwright::crypto
