#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace weir::audit {

/// The files below a folder that git tracks although a .gitignore names them: git ignores only what it does not track.
/// Empty where there is no repository or no git, or where git refuses (a folder of another user). Not thread-safe.
class TrackedFiles {
 public:
  TrackedFiles() = default;
  /// Asks git, once; `folder` is an absolute path. Bounded by a minute.
  static TrackedFiles list_below(const std::filesystem::path& folder);

  bool contains(const std::filesystem::path& file) const { return paths_.contains(file.native()); }
  bool contains_below(const std::filesystem::path& folder) const;

 private:
  std::set<std::string> paths_;
};

}  // namespace weir::audit
