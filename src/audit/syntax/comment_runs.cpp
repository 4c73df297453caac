#include "audit/syntax/comment_runs.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace weir::audit {
namespace {

constexpr std::size_t kMaxShortRunLines = 64;  // runs of at most this length take negligible time
constexpr std::size_t kKeptLines = 8;          // lines kept at each end of a run

struct Line {
  std::size_t begin, end;  ///< byte offsets in the text, without the line break
};

enum class Kind { code, blank, comment };

/// Returns the kind of a line; a comment line that may be part of a string counts as code.
Kind kind_of(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\f\r");
  if (first == std::string_view::npos) return Kind::blank;
  const bool may_be_string = line.find("\"\"\"") != std::string_view::npos ||
                             line.find("'''") != std::string_view::npos || line.back() == '\\' ||
                             line.ends_with("\\\r");
  return line[first] == '#' && !may_be_string ? Kind::comment : Kind::code;
}

/// Replaces the comments inside a long run by blanks in `result`. An empty `result` first becomes a copy of `text`.
void blank_comments(const std::vector<Line>& comments, std::string_view text, std::optional<std::string>& result) {
  if (comments.size() <= kMaxShortRunLines) return;
  if (!result) result = std::string{text};
  for (std::size_t i = kKeptLines; i < comments.size() - kKeptLines; ++i) {
    const auto [begin, end] = comments[i];
    if (text.substr(begin, end - begin).find("weir:") != std::string_view::npos) continue;
    for (std::size_t at = begin; at < end; ++at)
      if (text[at] != '\r') (*result)[at] = ' ';
  }
}

}  // namespace

std::optional<std::string> blank_long_comment_runs(std::string_view text) {
  std::optional<std::string> result;
  std::vector<Line> run;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const Kind kind = kind_of(text.substr(begin, end - begin));
    if (kind == Kind::comment) run.push_back({begin, end});
    if (kind == Kind::code) {
      blank_comments(run, text, result);
      run.clear();
    }
    begin = end + 1;
  }
  blank_comments(run, text, result);
  return result;
}

}  // namespace weir::audit
