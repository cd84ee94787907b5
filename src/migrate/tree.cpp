#include "certwright/migrate/tree.h"

#include <algorithm>

#include "certwright/base/error.h"
#include "certwright/base/text.h"

namespace certwright::migrate {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMaxFiles = 100'000;
constexpr int kMaxDepth = 8;  // a link may lead back up

bool HasEnding(const std::string& name, const std::vector<std::string>& endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](const std::string& ending) { return name.ends_with(ending); });
}

class Walk {
 public:
  Walk(const std::vector<std::string>& endings, Tree& tree) : endings_(endings), tree_(tree) {}

  // `below`: the path of `dir` in the tree, "" or with a '/' at its end.
  void Folder(const Path& dir, const std::string& below, int depth) {
    std::error_code error;
    fs::directory_iterator entries(dir, error);
    if (error == std::errc::no_such_file_or_directory) return;
    if (error) ThrowErrno(error.value(), "cannot read", dir);
    for (const fs::directory_entry& entry : entries) {
      const std::string name = entry.path().filename().string();
      std::error_code dangling;
      const fs::file_status status = entry.status(dangling);  // of what a link leads to
      if (fs::is_directory(status)) {
        if (depth > 0) Folder(entry.path(), below + name + "/", depth - 1);
      } else if (fs::is_regular_file(status) && HasEnding(name, endings_)) {
        File(entry.path(), below + name);
      }
    }
  }

 private:
  void File(const Path& path, const std::string& name) {
    if (tree_.size() == kMaxFiles) {
      throw Error(FailureCode::kInput, Cat("there are more than ", kMaxFiles, " files"));
    }
    try {
      tree_.insert_or_assign(name, Secret(ReadFile(path, kMaxFileBytes)));
    } catch (const Error& error) {
      if (error.failure().code != FailureCode::kInput) throw;
    }
  }

  const std::vector<std::string>& endings_;
  Tree& tree_;
};

}  // namespace

Tree ReadTree(const Path& dir, const std::vector<std::string>& folders,
              const std::vector<std::string>& endings) {
  if (std::error_code error; !fs::is_directory(dir, error)) {
    throw Error(FailureCode::kNotFound,
                Cat("'", Printable(dir.string()), "' is no directory that can be read"));
  }
  Tree tree;
  Walk walk(endings, tree);
  for (const std::string& folder : folders) {
    if (folder.empty()) walk.Folder(dir, "", 0);
    else walk.Folder(dir / folder, folder + "/", kMaxDepth);
  }
  return tree;
}

std::vector<std::string> FoldersOf(const Tree& tree, std::string_view folder) {
  const std::string prefix = Cat(folder, "/");
  std::vector<std::string> names;
  for (auto at = tree.lower_bound(prefix);
       at != tree.end() && at->first.starts_with(prefix); ++at) {
    const std::size_t end = at->first.find('/', prefix.size());
    if (end == std::string::npos) continue;
    std::string name = at->first.substr(prefix.size(), end - prefix.size());
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  // "a-b/" comes before "a/" in the order of paths.
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

const Secret* FindFile(const Tree& tree, const std::string& path) {
  const auto found = tree.find(path);
  return found == tree.end() ? nullptr : &found->second;
}

}  // namespace certwright::migrate
