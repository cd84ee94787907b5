// The file that a UNIX socket is.
#pragma once

#include <sys/types.h>

#include <string>

#include "certwright/base/file.h"

namespace certwright::http {

// A connected blocking socket, or the errno.
Fd ConnectUnix(const Path& path, int& error);

// Makes room for a socket: a stale one is removed. Throws Error(kBusy) where somebody answers,
// Error(kConfig) where the path is too long for a socket, or another kind of file.
void ClearSocketPath(const Path& path);

// Mode and group exactly. Throws Error(kPermission | kDisk), Error(kConfig) for an unknown group.
void SetSocketOwner(const Path& path, mode_t mode, const std::string& group);

}  // namespace certwright::http
