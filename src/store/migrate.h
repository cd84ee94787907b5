// Schema versions: the n-th migration leads from schema n-1 to schema n.
#pragma once

#include <span>

#include "certwright/base/embedded.h"
#include "sqlite.h"

namespace certwright::store {

// "CrtW": tells our files from other programs'.
inline constexpr std::int32_t kApplicationId = 0x43727457;

// Those of schema/sql.
std::span<const EmbeddedFile> EmbeddedMigrations();

// Brings the file to the newest schema in one transaction; where it holds an older schema, a copy
// "certwright-schema<N>.db" is made beside it first, unless it is one itself. Throws Error(kConfig)
// where it is newer.
void Migrate(Connection& connection, std::span<const EmbeddedFile> migrations,
             bool copy_before = true);

}  // namespace certwright::store
