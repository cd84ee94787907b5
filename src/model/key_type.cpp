#include "certwright/model/key_type.h"

#include <array>
#include <string>
#include <vector>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::model {
namespace {

struct Entry {
  KeyType type;
  std::string_view name;
};

constexpr std::array kTypes = {
    Entry{KeyType::kEc256, "ec256"},     Entry{KeyType::kEc384, "ec384"},
    Entry{KeyType::kRsa2048, "rsa2048"}, Entry{KeyType::kRsa3072, "rsa3072"},
    Entry{KeyType::kRsa4096, "rsa4096"},
};

}  // namespace

std::string_view KeyTypeName(KeyType type) {
  for (const Entry& entry : kTypes) {
    if (entry.type == type) return entry.name;
  }
  throw Error(FailureCode::kInternal, "a key type without a name");
}

KeyType KeyTypeFromName(std::string_view name) {
  std::vector<std::string> names;
  for (const Entry& entry : kTypes) {
    if (entry.name == name) return entry.type;
    names.emplace_back(entry.name);
  }
  throw Error(FailureCode::kInput, Cat("\"", Printable(name, 40), "\" is no key type"),
              Cat("Use one of ", Join(names, ", "), "."));
}

}  // namespace certwright::model
