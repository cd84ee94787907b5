// Opening the file: nothing is written to it before it has proved to be sound and ours.
#pragma once

#include <memory>
#include <span>

#include "certwright/base/embedded.h"
#include "certwright/base/file.h"
#include "sqlite.h"

namespace certwright::store {

// The lock file of the store in `dir`. Throws Error(kBusy) that names its holder.
LockFile LockStore(const Path& dir);

// `dir` is canonical and the caller holds its lock file. Errors as Database::Open.
std::unique_ptr<Connection> OpenConnection(const Path& dir,
                                           std::span<const EmbeddedFile> migrations);

// Opens a copy of a store that is to become the store: checks all of it, brings it to the newest
// schema, and leaves no log beside it when it is closed. `schema` becomes what it was found with.
// Errors as Database::Open.
std::unique_ptr<Connection> OpenDraft(const Path& file, std::span<const EmbeddedFile> migrations,
                                      int& schema);

}  // namespace certwright::store
