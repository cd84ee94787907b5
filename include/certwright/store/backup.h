// The store as one file: taken while it is in use, and put back into its place.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/base/file.h"
#include "certwright/store/database.h"

namespace certwright::store {

struct BackupReport {
  std::uintmax_t bytes = 0;
  int schema = 0;
};

// Writes a copy of the store, consistent as of one instant, to `file` (0600, it holds private keys;
// whole or not there). Transactions wait meanwhile. Throws Error: kInput where the file is there
// and `overwrite` is not given, kNotFound where its folder is missing, kDisk, kPermission.
BackupReport Backup(Database& database, const Path& file, bool overwrite);

struct RestoreReport {
  Path former;                         // the store that was there before; "" : there was none
  int schema = 0;                      // of the backup, as it was found
  std::vector<std::string> differing;  // name sets whose current version is another one, or gone
  std::string unreadable;              // why the former store could not be read; "" : it was
};

// Puts a backup into the place of `dir`/certwright.db, which stays beside it as
// certwright.db.before-restore-<time>. Until all is ready nothing is changed, and then at once.
//
// What happened at the CA and what was told to others is not undone by a restore, so of a former
// store that can be read this is carried over: the orders that the fuse counts, what is used of the
// CAs' limits, what was revoked (such a version is not current any more), the keys of accounts that
// both have, the feed with its subscribers' positions, and all ids that were given away. Each
// difference is an event "certificate-changed" with the reason "restored"; without a former store,
// everything is.
//
// Throws Error: kBusy (a process holds the store), kConfig (of a newer Certwright, or of another
// program), kDamaged (the backup), kNotFound, kDisk, kPermission. Then nothing was changed.
RestoreReport Restore(const Path& dir, const Path& backup, UnixSeconds now);

}  // namespace certwright::store
