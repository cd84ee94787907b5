// Where the files of an export are: in a folder that is a link, or one file.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "certwright/base/clock.h"
#include "certwright/export/keeper.h"

namespace certwright::exports {

// Files on the disk that nobody sees yet. Gone at the end of its life unless it was committed.
class Staged {
 public:
  virtual ~Staged() = default;
  // Into their place, all at one instant.
  virtual void Commit() = 0;
};

class Place {
 public:
  virtual ~Place() = default;
  // What is there under a name of the layout; nullopt: nothing, or no plain file. Throws
  // Error(kPermission | kDisk).
  virtual std::optional<Secret> Read(const Path& name) const = 0;
  // What is otherwise there than `files` (their paths are names of the layout), in words.
  virtual std::vector<std::string> Differences(const std::vector<OutputFile>& files) const = 0;
  virtual std::unique_ptr<Staged> Stage(const std::vector<OutputFile>& files) const = 0;
  // Removes what earlier changes left behind: what nobody can be reading any more at `now`.
  virtual void Tidy(UnixSeconds now) const = 0;
};

// Throws Error(kConfig) where there is no such user or group.
std::unique_ptr<Place> PlaceOf(const Target& target);

// Owner and group of files; -1: ours.
struct Ids {
  uid_t owner = static_cast<uid_t>(-1);
  gid_t group = static_cast<gid_t>(-1);
};
Ids IdsOf(const Target& target);

// What is wrong with the file at `path`, which should be `file`, in words that end "NAME ...";
// "" where nothing is.
std::string WhatDiffers(const Path& path, const OutputFile& file, const Ids& ids);
// A plain file's content; nullopt where there is none.
std::optional<Secret> ReadPlain(const Path& path);

std::unique_ptr<Place> MakeFolder(const Path& dir, const Ids& ids);

}  // namespace certwright::exports
