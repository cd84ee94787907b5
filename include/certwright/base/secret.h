// A text that must not be seen: wiped when it dies, no operator that prints it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace certwright {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(other.text_) { other.Wipe(); }
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { Wipe(); }

  bool empty() const { return text_.empty(); }
  // The one way to the content; every call is a place to look at in a review.
  const std::string& Reveal() const { return text_; }

  bool operator==(const Secret&) const = default;

 private:
  void Wipe() noexcept;
  std::string text_;
};

}  // namespace certwright
