// The inside of an open transaction.
#pragma once

#include "certwright/store/database.h"
#include "sqlite.h"

namespace certwright::store {

struct Session::Impl {
  Connection& connection;
  bool saved_step = false;    // for the test hook in database.cpp
  bool deleted_keys = false;  // the write-ahead log must not keep them
};

// What every repository starts with.
inline Connection& Of(Session& session) { return session.impl().connection; }

}  // namespace certwright::store
