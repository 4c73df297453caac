#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace weir::audit {

/// The patterns of one .gitignore, as gitignore(5) describes them. Thread-safe after construction.
class IgnoreFile {
 public:
  IgnoreFile() = default;
  explicit IgnoreFile(std::string_view text);
  /// Reads a file. Returns an object without patterns if the file cannot be read or is larger than 1 MiB.
  static IgnoreFile read(const std::filesystem::path& path);

  enum class Match {
    none,     ///< no pattern matches
    ignored,  ///< the last matching pattern ignores the path
    kept      ///< the last matching pattern begins with '!', so the path is not ignored
  };
  /// Returns the result for one path, which is relative to the folder of the .gitignore, with '/' between its parts.
  Match match(std::string_view path, bool is_folder) const;

 private:
  struct Pattern {
    std::string text;
    bool negated = false;       ///< the line begins with '!'
    bool folders_only = false;  ///< the line ends with '/'
    bool anchored = false;      ///< the pattern is matched with the whole path instead of the last part
  };
  std::vector<Pattern> patterns_;
};

/// Returns whether a pattern of gitignore(5) matches a whole path: '*', '?' and "[a-z]" do not match '/', "**" does,
/// and a backslash makes the next character literal. The time is at most proportional to the length of the pattern
/// times the square of the length of the path.
bool glob_matches(std::string_view pattern, std::string_view path);

}  // namespace weir::audit
