// The limits of CAs: schema/ca-limits.toml, which is in the binary, and an administrator's file of
// the same form over it.
#pragma once

#include <vector>

#include "certwright/base/file.h"
#include "certwright/model/ca_limits.h"

namespace certwright::config {

// `file` ("" : none) says what it says for the directories that it names; the others stay as they
// are. Throws Error(kConfig): file, line, key, what is wrong and what would be right, one line a
// problem.
std::vector<model::CaLimits> LoadCaLimits(const Path& file);

}  // namespace certwright::config
