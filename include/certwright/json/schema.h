// JSON Schema draft-04, the part that RapidJSON's validator knows (see the traps in tests/house).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "certwright/json/value.h"

namespace certwright::json {

// One broken rule, in the form that callers of the actions know.
struct SchemaViolation {
  std::string field;      // dotted path ("names.0"), "(root)" for the whole
  std::string parameter;  // its first part
  Value value;            // what was there
  std::string error;      // parameter + "_" + rule, e.g. "fqdn_pattern", "(root)_required"
};

// Safe from several threads.
class Schema {
 public:
  // Throws Error(kInternal) where the text is no schema: schemas are ours.
  explicit Schema(std::string_view text);
  Schema(Schema&&) noexcept;
  ~Schema();

  // Empty: valid. Not-required keywords that the validator does not know are refused by a test, not
  // here.
  std::vector<SchemaViolation> Check(const Value& value) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace certwright::json
