// Between our byte strings and Botan's vectors, and the edge where Botan's exceptions end.
#pragma once

#include <botan/exceptn.h>
#include <botan/mem_ops.h>
#include <botan/secmem.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::crypto {

inline const std::uint8_t* Data(std::string_view bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

inline std::vector<std::uint8_t> ToVector(std::string_view bytes) {
  return {Data(bytes), Data(bytes) + bytes.size()};
}

template <typename Vector>
std::string ToString(const Vector& bytes) {
  return std::string(bytes.begin(), bytes.end());
}

// Calls `action`; what Botan throws becomes Error(code, what + Botan's words).
template <typename Action>
auto AtEdge(FailureCode code, std::string_view what, Action&& action) {
  try {
    return std::forward<Action>(action)();
  } catch (const Botan::Exception& error) {
    throw Error(code, Cat(what, ": ", Printable(error.what())));
  }
}

}  // namespace certwright::crypto
