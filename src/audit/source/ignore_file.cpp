#include "audit/source/ignore_file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>

#include "base/read_stream.hpp"

namespace weir::audit {
namespace {

/// Returns whether a byte is in the set of characters with this name, as in "[[:digit:]]"; false for an unknown name.
bool is_in_named_set(std::string_view name, unsigned char c) {
  struct NamedSet {
    std::string_view name;
    int (*contains)(int);
  };
  static constexpr std::array<NamedSet, 12> kSets{{{"alnum", std::isalnum},
                                                   {"alpha", std::isalpha},
                                                   {"blank", std::isblank},
                                                   {"cntrl", std::iscntrl},
                                                   {"digit", std::isdigit},
                                                   {"graph", std::isgraph},
                                                   {"lower", std::islower},
                                                   {"print", std::isprint},
                                                   {"punct", std::ispunct},
                                                   {"space", std::isspace},
                                                   {"upper", std::isupper},
                                                   {"xdigit", std::isxdigit}}};
  const auto* found = std::find_if(kSets.begin(), kSets.end(), [&](const NamedSet& set) { return set.name == name; });
  return found != kSets.end() && found->contains(c) != 0;
}

/// Reads one character of a character class at the index `i`, where a backslash makes the next character literal, and
/// advances `i` behind it.
unsigned char next_in_class(std::string_view pattern, std::size_t& i) {
  if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
  return static_cast<unsigned char>(pattern[i++]);
}

/// Returns whether the character class at the start of `pattern` ("[a-z]", "[!x]", "[[:digit:]]") matches `c`. Sets
/// `length` to the length of the class in the pattern, or to 0 if the pattern does not start with a complete class.
bool matches_class(std::string_view pattern, char c, std::size_t& length) {
  length = 0;
  const auto byte = static_cast<unsigned char>(c);
  const bool negated = pattern.size() > 1 && (pattern[1] == '!' || pattern[1] == '^');
  bool is_in_class = false;
  std::size_t i = negated ? 2 : 1;
  // A ']' at the start of a class is an ordinary character.
  for (const std::size_t class_begin = i; i < pattern.size() && (pattern[i] != ']' || i == class_begin);) {
    const std::size_t name_end =
        pattern.substr(i).starts_with("[:") ? pattern.find(']', i + 2) : std::string_view::npos;
    if (name_end != std::string_view::npos && name_end > i + 2 && pattern[name_end - 1] == ':') {
      is_in_class = is_in_class || is_in_named_set(pattern.substr(i + 2, name_end - i - 3), byte);
      i = name_end + 1;
      continue;
    }
    const unsigned char low = next_in_class(pattern, i);
    unsigned char high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') high = next_in_class(pattern, ++i);
    is_in_class = is_in_class || (byte >= low && byte <= high);
  }
  if (i >= pattern.size()) return false;
  length = i + 1;
  return is_in_class != negated;
}

/// Returns the length of the element at the start of `pattern`: a character, '?', a class or an escape.
std::size_t element_length(std::string_view pattern) {
  std::size_t length = 1;
  if (pattern[0] == '[') (void)matches_class(pattern, '\0', length);  // only for the length
  if (pattern[0] == '\\') length = std::min<std::size_t>(2, pattern.size());
  return std::max<std::size_t>(length, 1);
}

/// Returns whether the element at the start of `pattern` matches `c`. As in git, a class without its ']' and a
/// backslash at the end match nothing.
bool matches_one(std::string_view pattern, char c) {
  if (pattern[0] == '?') return c != '/';
  if (pattern[0] == '[') {
    std::size_t length = 0;
    return matches_class(pattern, c, length) && c != '/';
  }
  if (pattern[0] == '\\') return pattern.size() > 1 && pattern[1] == c;
  return pattern[0] == c;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view path) {
  // Dynamic programming: after each element of the pattern, matched[i] is 1 if the elements so far match the first i
  // characters of the path; matched_after is the same after one more element. "**/" also matches an empty text.
  std::vector<char> matched(path.size() + 1, 0);
  matched[0] = 1;
  for (std::size_t position = 0; position < pattern.size();) {
    std::vector<char> matched_after(path.size() + 1, 0);
    if (pattern[position] == '*') {
      std::size_t stars = 1;
      while (position + stars < pattern.size() && pattern[position + stars] == '*') ++stars;
      // Two stars match '/' only as a whole part of the pattern: "a/**" and "**/a", but not "?a**". git first removes the
      // text before the first special character from the pattern and the path, so "**" begins a part in "a**", too.
      const bool begins_part = pattern.find_first_of("*?[\\") == position || pattern[position - 1] == '/';
      const bool ends_part = position + stars == pattern.size() || pattern[position + stars] == '/';
      const bool matches_slash = stars >= 2 && begins_part && ends_part;
      const bool is_folder_prefix = matches_slash && position + stars < pattern.size();
      if (is_folder_prefix) {  // matches any number of whole folders
        for (std::size_t i = 0; i <= path.size(); ++i) {
          if (matched[i] == 0) continue;
          matched_after[i] = 1;
          for (std::size_t j = i; j < path.size(); ++j)
            matched_after[j + 1] = path[j] == '/' ? 1 : matched_after[j + 1];
        }
      } else {
        bool reached = false;
        for (std::size_t i = 0; i <= path.size(); ++i) {
          if (i > 0 && path[i - 1] == '/' && !matches_slash) reached = false;
          reached = reached || matched[i] != 0;
          matched_after[i] = reached ? 1 : 0;
        }
      }
      position += stars + (is_folder_prefix ? 1 : 0);
    } else {
      const std::string_view rest_of_pattern = pattern.substr(position);
      for (std::size_t i = 0; i < path.size(); ++i) {
        if (matched[i] != 0 && matches_one(rest_of_pattern, path[i])) matched_after[i + 1] = 1;
      }
      position += element_length(rest_of_pattern);
    }
    matched = std::move(matched_after);
  }
  return matched[path.size()] != 0;
}

namespace {

/// Removes the blanks at the end of a line, except one that a backslash makes literal.
std::string_view without_blanks_at_end(std::string_view line) {
  std::size_t end = 0;  // behind the last character that stays
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool is_escape = line[i] == '\\' && i + 1 < line.size();
    if (is_escape) ++i;
    if (is_escape || line[i] != ' ') end = i + 1;
  }
  return line.substr(0, end);
}

}  // namespace

IgnoreFile::IgnoreFile(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = without_blanks_at_end(line);
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
  constexpr std::uintmax_t kMaxFileBytes = 1U << 20U;  // a larger file is no list of patterns
  std::error_code problem;
  const auto size = std::filesystem::file_size(path, problem);
  if (problem || size > kMaxFileBytes) return {};
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
