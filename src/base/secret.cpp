#include "certwright/base/secret.h"

#include <cstring>

namespace certwright {

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    Wipe();  // first: the assignment may give the old buffer away as it is
    text_ = other.text_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Wipe();
    text_.swap(other.text_);
    other.Wipe();
  }
  return *this;
}

void Secret::Wipe() noexcept {
  text_.resize(text_.capacity());  // never allocates; also reaches what a longer text left behind
  explicit_bzero(text_.data(), text_.size());
  text_.clear();
}

}  // namespace certwright
