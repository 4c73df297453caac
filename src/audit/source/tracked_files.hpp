#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace weir::audit {

/// The files below a folder that match a .gitignore, but that git tracks and therefore does not ignore. Empty if there
/// is no repository or no git, or if git fails (in a folder of another user, for example).
class TrackedFiles {
 public:
  TrackedFiles() = default;
  /// Runs git once and waits for at most a minute. `folder` is an absolute path.
  static TrackedFiles list_below(const std::filesystem::path& folder);

  /// Returns whether the set contains this file; `file` is an absolute path.
  bool contains(const std::filesystem::path& file) const { return paths_.contains(file.native()); }
  /// Returns whether the set contains a file below this folder.
  bool contains_below(const std::filesystem::path& folder) const;

 private:
  std::set<std::string> paths_;
};

}  // namespace weir::audit
