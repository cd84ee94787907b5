// Files of another client as they were at one moment: path below its directory ('/' between the
// parts) -> content. Readers see nothing else of the machine.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "certwright/base/file.h"
#include "certwright/base/secret.h"

namespace certwright::migrate {

using Tree = std::map<std::string, Secret>;

// The regular files of these folders of `dir` ("" : those of `dir` itself, without its folders),
// links followed, whose names end in one of `endings`. A link that leads nowhere is passed over,
// and so is a file of more than 1 MiB: who needs it will miss it. Throws Error(kNotFound) where
// `dir` is no directory, kPermission, kDisk, and kInput where there are more than 100,000 files.
Tree ReadTree(const Path& dir, const std::vector<std::string>& folders,
              const std::vector<std::string>& endings);

// The names of the folders directly below `folder` ("accounts"), sorted.
std::vector<std::string> FoldersOf(const Tree& tree, std::string_view folder);
// null where there is no such file.
const Secret* FindFile(const Tree& tree, const std::string& path);

}  // namespace certwright::migrate
