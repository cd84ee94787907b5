// Opening the file: nothing is written to it before it has proved to be sound and ours.
#pragma once

#include <memory>
#include <span>

#include "certwright/base/embedded.h"
#include "sqlite.h"

namespace certwright::store {

// `dir` is canonical and the caller holds its lock file. Errors as Database::Open.
std::unique_ptr<Connection> OpenConnection(const Path& dir,
                                           std::span<const EmbeddedFile> migrations);

}  // namespace certwright::store
