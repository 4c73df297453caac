#include "audit/source/ignore_file.hpp"
#include "base/read_stream.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace weir::audit {
namespace {

/// Returns whether the character class at the start of `pattern` ("[a-z]", "[!x]") matches `c`. Sets `length` to the
/// length of the class in the pattern, or to 0 if the pattern does not start with a complete class.
bool matches_class(std::string_view pattern, char c, std::size_t& length) {
  length = 0;
  if (pattern.size() < 3) return false;
  const bool negated = pattern[1] == '!' || pattern[1] == '^';
  bool found = false;
  std::size_t i = negated ? 2 : 1;
  // A ']' at the start of a class is an ordinary character.
  for (const std::size_t first = i; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
    const bool is_span = i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']';
    found = found || (is_span ? c >= pattern[i] && c <= pattern[i + 2] : c == pattern[i]);
    i += is_span ? 2 : 0;
  }
  if (i >= pattern.size()) return false;
  length = i + 1;
  return found != negated;
}

/// Returns whether the element of the pattern at index `p` (a character, '?', a class, an escape) matches `c`. Sets
/// `used` to the length of the element.
bool matches_one(std::string_view pattern, std::size_t p, char c, std::size_t& used) {
  used = 1;
  if (pattern[p] == '?') return c != '/';
  if (pattern[p] == '[') {
    std::size_t length = 0;
    const bool is_in_class = matches_class(pattern.substr(p), c, length);
    if (length > 0) {
      used = length;
      return is_in_class && c != '/';
    }
  }
  if (pattern[p] == '\\' && p + 1 < pattern.size()) {
    used = 2;
    return pattern[p + 1] == c;
  }
  return pattern[p] == c;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view path) {
  // Dynamic programming: after each element of the pattern, matched[i] is 1 if the elements so far match the first i
  // characters of the path. "**/" also matches an empty text.
  std::vector<char> matched(path.size() + 1, 0);
  matched[0] = 1;
  for (std::size_t p = 0; p < pattern.size();) {
    std::vector<char> next(path.size() + 1, 0);
    if (pattern[p] == '*') {
      std::size_t stars = 1;
      while (p + stars < pattern.size() && pattern[p + stars] == '*') ++stars;
      const bool matches_slash = stars >= 2;
      const bool is_folder_prefix = matches_slash && p + stars < pattern.size() && pattern[p + stars] == '/';
      if (is_folder_prefix) {  // matches any number of whole folders
        for (std::size_t i = 0; i <= path.size(); ++i) {
          if (matched[i] == 0) continue;
          next[i] = 1;
          for (std::size_t j = i; j < path.size(); ++j) next[j + 1] = path[j] == '/' ? 1 : next[j + 1];
        }
      } else {
        bool reached = false;
        for (std::size_t i = 0; i <= path.size(); ++i) {
          if (i > 0 && path[i - 1] == '/' && !matches_slash) reached = false;
          reached = reached || matched[i] != 0;
          next[i] = reached ? 1 : 0;
        }
      }
      p += stars + (is_folder_prefix ? 1 : 0);
    } else {
      std::size_t used = 1;
      for (std::size_t i = 0; i < path.size(); ++i) {
        std::size_t length = 1;
        if (matched[i] != 0 && matches_one(pattern, p, path[i], length)) next[i + 1] = 1;
        used = matched[i] != 0 ? length : used;
      }
      if (pattern[p] == '[') (void)matches_class(pattern.substr(p), '\0', used);  // only for the length
      if (pattern[p] == '\\' && p + 1 < pattern.size()) used = 2;
      p += used == 0 ? 1 : used;
    }
    matched = std::move(next);
  }
  return matched[path.size()] != 0;
}

IgnoreFile::IgnoreFile(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty() || line[0] == '#') continue;
    Pattern pattern;
    pattern.negated = line[0] == '!';
    if (pattern.negated) line.remove_prefix(1);
    pattern.folders_only = line.ends_with('/');
    if (pattern.folders_only) line.remove_suffix(1);
    pattern.anchored = line.find('/') != std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    if (line.empty()) continue;
    pattern.text = line;
    patterns_.push_back(std::move(pattern));
  }
}

IgnoreFile IgnoreFile::read(const std::filesystem::path& path) {
  std::error_code problem;
  const auto size = std::filesystem::file_size(path, problem);
  if (problem || size > (1U << 20U)) return {};
  std::ifstream file{path, std::ios::binary};
  return IgnoreFile{read_stream(file).value_or(std::string{})};
}

IgnoreFile::Match IgnoreFile::match(std::string_view path, bool is_folder) const {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  // The last matching pattern decides.
  const auto found = std::find_if(patterns_.rbegin(), patterns_.rend(), [&](const Pattern& pattern) {
    if (pattern.folders_only && !is_folder) return false;
    return glob_matches(pattern.text, pattern.anchored ? path : name);
  });
  if (found == patterns_.rend()) return Match::none;
  return found->negated ? Match::kept : Match::ignored;
}

}  // namespace weir::audit
