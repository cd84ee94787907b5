#include "certwright/base/clock.h"

#include <array>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <mutex>

namespace certwright {
namespace {

class RealClock final : public Clock {
 public:
  UnixSeconds Now() const override {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  Steady SteadyNow() const override { return std::chrono::steady_clock::now(); }

  bool Sleep(Millis duration, std::stop_token stop) override {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_until(lock, stop, std::chrono::steady_clock::now() + duration, [] { return false; });
    return !stop.stop_requested();
  }
};

// Reads fields of fixed width from the left; every method answers false once one did not fit.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool Digits(std::size_t count, int& value) {
    if (rest_.size() < count) return false;
    value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return false;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return true;
  }

  bool OneOf(std::string_view set, char* found = nullptr) {
    if (rest_.empty() || set.find(rest_.front()) == std::string_view::npos) return false;
    if (found != nullptr) *found = rest_.front();
    rest_.remove_prefix(1);
    return true;
  }

  bool Literal(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  void SkipDigits() {
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') rest_.remove_prefix(1);
  }

  // The index of the name that stands here, or -1.
  template <std::size_t kCount>
  int Name(const std::array<std::string_view, kCount>& names) {
    for (std::size_t i = 0; i < kCount; ++i) {
      if (Literal(names[i])) return static_cast<int>(i);
    }
    return -1;
  }

  bool AtEnd() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

struct Civil {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

// A leap second (":60") counts as the first second after it, as POSIX time does.
UnixSeconds ToUnix(const Civil& c, UnixSeconds offset = 0) {
  const std::chrono::year_month_day date{std::chrono::year(c.year),
                                         std::chrono::month(static_cast<unsigned>(c.month)),
                                         std::chrono::day(static_cast<unsigned>(c.day))};
  if (!date.ok() || c.hour > 23 || c.minute > 59 || c.second > 60) return -1;
  const UnixSeconds days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * 86400 + c.hour * 3600 + c.minute * 60 + c.second - offset;
}

}  // namespace

Clock& SystemClock() {
  static RealClock clock;
  return clock;
}

std::string FormatUtc(UnixSeconds time) {
  constexpr UnixSeconds kFirst = -62167219200;  // 0000-01-01, what four digits can hold
  constexpr UnixSeconds kLast = 253402300799;   // 9999-12-31T23:59:59Z
  time = time < kFirst ? kFirst : time > kLast ? kLast : time;
  const std::time_t value = time;
  std::tm tm{};
  gmtime_r(&value, &tm);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
  return text.data();
}

UnixSeconds ParseRfc3339(std::string_view text) {
  Scanner in(text);
  Civil c;
  const bool read = in.Digits(4, c.year) && in.Literal("-") && in.Digits(2, c.month) &&
                    in.Literal("-") && in.Digits(2, c.day) && in.OneOf("Tt ") &&
                    in.Digits(2, c.hour) && in.Literal(":") && in.Digits(2, c.minute) &&
                    in.Literal(":") && in.Digits(2, c.second);
  if (!read) return -1;
  if (in.Literal(".")) {
    int digit = 0;
    if (!in.Digits(1, digit)) return -1;
    in.SkipDigits();
  }
  UnixSeconds offset = 0;
  char sign = 0;
  if (in.OneOf("+-", &sign)) {
    int hours = 0, minutes = 0;
    if (!in.Digits(2, hours) || !in.Literal(":") || !in.Digits(2, minutes)) return -1;
    if (hours > 23 || minutes > 59) return -1;
    offset = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
  } else if (!in.OneOf("Zz")) {
    return -1;
  }
  return in.AtEnd() ? ToUnix(c, offset) : -1;
}

UnixSeconds ParseHttpDate(std::string_view text) {
  static constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu",
                                                            "Fri", "Sat", "Sun"};
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  Scanner in(text);
  Civil c;
  if (in.Name(kDays) < 0 || !in.Literal(", ") || !in.Digits(2, c.day) || !in.Literal(" ")) {
    return -1;
  }
  c.month = in.Name(kMonths) + 1;
  const bool read = in.Literal(" ") && in.Digits(4, c.year) && in.Literal(" ") &&
                    in.Digits(2, c.hour) && in.Literal(":") && in.Digits(2, c.minute) &&
                    in.Literal(":") && in.Digits(2, c.second) && in.Literal(" GMT");
  return read && in.AtEnd() ? ToUnix(c) : -1;
}

}  // namespace certwright
