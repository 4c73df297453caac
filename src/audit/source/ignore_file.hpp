#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace weir::audit {

/// The patterns of one .gitignore, as gitignore(5) describes them. Thread-safe once made.
class IgnoreFile {
 public:
  IgnoreFile() = default;
  explicit IgnoreFile(std::string_view text);
  /// None if it cannot be read.
  static IgnoreFile read(const std::filesystem::path& path);

  enum class Answer { silent, ignored, kept };
  /// `path` is relative to the folder of the file, with '/' between its parts.
  Answer ask(std::string_view path, bool is_folder) const;

 private:
  struct Pattern {
    std::string text;
    bool negated = false, folders_only = false, anchored = false;
  };
  std::vector<Pattern> patterns_;
};

/// A shell pattern where '*' and '?' stop at '/' and "**" does not. The work is bounded by the product of the lengths.
bool glob_matches(std::string_view pattern, std::string_view path);

}  // namespace weir::audit
