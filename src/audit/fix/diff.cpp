#include "audit/fix/diff.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

namespace weir::audit {
namespace {

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t length = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

/// The lines [old_begin, old_end) of the old text become the lines [new_begin, new_end) of the new text.
struct Change {
  std::size_t old_begin, old_end, new_begin, new_end;
};

/// Returns the indices (old, new) of the lines that both texts, `a` and `b`, share, found by Myers' greedy algorithm.
/// Names as in the paper: x and y are numbers of lines at the start of the old and of the new text, k = x - y is a
/// diagonal of the edit graph, and d is the number of lines that are deleted or inserted on the way to (x, y). n and m
/// are the numbers of all lines of `a` and `b`; `most` is the largest d that is tried. Empty if more than kMaxChanges
/// lines are deleted or inserted, or if the texts share no line.
std::vector<std::pair<std::size_t, std::size_t>> kept_pairs(const Lines& a, const Lines& b) {
  constexpr int kMaxChanges = 1000;
  const int n = static_cast<int>(a.size());
  const int m = static_cast<int>(b.size());
  const int most = std::min(n + m, kMaxChanges);
  // furthest[at(k)] is the largest x that is reached on the diagonal k with d changes; history[d] is its state before
  // the round d, with which the second loop finds the way back.
  std::vector<int> furthest(2 * static_cast<std::size_t>(most) + 2, 0);
  std::vector<std::vector<int>> history;
  const auto at = [&](int k) { return static_cast<std::size_t>(k + most); };
  bool found = false;
  for (int d = 0; d <= most && !found; ++d) {
    history.push_back(furthest);
    for (int k = -d; k <= d && !found; k += 2) {
      const bool inserts = k == -d || (k != d && furthest[at(k - 1)] < furthest[at(k + 1)]);
      int x = inserts ? furthest[at(k + 1)] : furthest[at(k - 1)] + 1;
      if (d == 0) x = 0;
      while (x < n && x - k < m && a[static_cast<std::size_t>(x)] == b[static_cast<std::size_t>(x - k)]) ++x;
      furthest[at(k)] = x;
      found = x >= n && x - k >= m;
    }
  }
  std::vector<std::pair<std::size_t, std::size_t>> kept;
  if (!found) return kept;
  int x = n;
  int y = m;
  for (int d = static_cast<int>(history.size()) - 1; d >= 0; --d) {
    const auto& before = history[static_cast<std::size_t>(d)];
    const int k = x - y;
    const bool inserts = k == -d || (k != d && before[at(k - 1)] < before[at(k + 1)]);
    const int from = inserts ? k + 1 : k - 1;
    const int stop_x = d == 0 ? 0 : before[at(from)];
    const int stop_y = stop_x - (d == 0 ? 0 : from);
    while (x > stop_x && y > stop_y) {
      --x, --y;
      kept.emplace_back(static_cast<std::size_t>(x), static_cast<std::size_t>(y));
    }
    x = stop_x;
    y = stop_y;
  }
  std::reverse(kept.begin(), kept.end());
  return kept;
}

/// Returns the changes between the lines that both texts share, in order.
std::vector<Change> changes_between(const Lines& old_lines, const Lines& new_lines) {
  std::vector<Change> changes;
  std::size_t old_begin = 0;  // the lines from here to the next kept line are changed
  std::size_t new_begin = 0;
  auto kept = kept_pairs(old_lines, new_lines);
  kept.emplace_back(old_lines.size(), new_lines.size());
  for (const auto& [old_kept, new_kept] : kept) {
    if (old_kept > old_begin || new_kept > new_begin) changes.push_back({old_begin, old_kept, new_begin, new_kept});
    old_begin = old_kept + 1;
    new_begin = new_kept + 1;
  }
  return changes;
}

/// Appends one line of a hunk; `mark` is ' ', '-' or '+'.
void add_line(std::string& out, char mark, std::string_view line) {
  out += mark;
  out += line;
  if (!line.ends_with('\n')) out += "\n\\ No newline at end of file\n";
}

constexpr std::size_t kContextLines = 3;

/// Appends one hunk with the changes in `group`, between which at most 2 * kContextLines lines are unchanged. The
/// hunk's first line counts lines from 1; for an empty range it contains the number of the line before the range.
void add_hunk(std::string& out, const Lines& old_lines, const Lines& new_lines, const std::vector<Change>& group) {
  const std::size_t old_begin = group.front().old_begin - std::min(group.front().old_begin, kContextLines);
  const std::size_t new_begin = group.front().new_begin - (group.front().old_begin - old_begin);
  const std::size_t old_end = std::min(old_lines.size(), group.back().old_end + kContextLines);
  const std::size_t new_end = group.back().new_end + (old_end - group.back().old_end);
  const auto start = [](std::size_t begin, std::size_t end) { return end > begin ? begin + 1 : begin; };
  out += fmt::format("@@ -{},{} +{},{} @@\n", start(old_begin, old_end), old_end - old_begin, start(new_begin, new_end),
                     new_end - new_begin);
  std::size_t i = old_begin;
  for (const Change& change : group) {
    for (; i < change.old_begin; ++i) add_line(out, ' ', old_lines[i]);
    for (; i < change.old_end; ++i) add_line(out, '-', old_lines[i]);
    for (std::size_t j = change.new_begin; j < change.new_end; ++j) add_line(out, '+', new_lines[j]);
  }
  for (; i < old_end; ++i) add_line(out, ' ', old_lines[i]);
}

/// Returns the path that `git apply` and `patch -p1` expect after "a/": relative to the current folder, or, for a file
/// that is not below it, to the root of the file system (for `patch -d /`).
std::string patch_path(std::string_view name) {
  namespace fs = std::filesystem;
  fs::path path = fs::path{name}.lexically_normal();
  if (!path.is_absolute() && *path.begin() != "..") return path.native();
  std::error_code problem;
  const fs::path here = fs::current_path(problem);
  if (!path.is_absolute()) path = (here / path).lexically_normal();
  const fs::path below = path.lexically_relative(here);
  if (!below.empty() && *below.begin() != "..") return below.native();
  return path.relative_path().native();
}

/// Returns the path as git writes it: in quotes, with escapes, if it contains control characters, quotes, backslashes
/// or non-ASCII bytes.
std::string quoted_path(const std::string& path) {
  std::string text;
  bool is_unquoted = true;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    is_unquoted = is_unquoted && byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\';
    if (c == '"' || c == '\\')
      text += std::string{'\\', c};
    else if (byte < 0x20 || byte >= 0x7F)
      text += fmt::format("\\{:03o}", byte);
    else
      text += c;
  }
  return is_unquoted ? path : '"' + text + '"';
}

/// Returns one of the two lines with the file name: `mark` is "---" or "+++", `side` is 'a' or 'b'. A tab follows a
/// name with blanks, as in GNU diff and git.
std::string name_line(std::string_view mark, char side, const std::string& path) {
  const std::string quoted = quoted_path(fmt::format("{}/{}", side, path));
  const bool blank = quoted.find(' ') != std::string::npos && !quoted.starts_with('"');
  return fmt::format("{} {}{}\n", mark, quoted, blank ? "\t" : "");
}

}  // namespace

std::string unified_diff(std::string_view name, std::string_view before, std::string_view after) {
  if (before == after) return {};
  const Lines old_lines = lines_of(before);
  const Lines new_lines = lines_of(after);
  const std::string path = patch_path(name);
  std::string out = name_line("---", 'a', path) + name_line("+++", 'b', path);
  std::vector<Change> group;
  for (const Change& change : changes_between(old_lines, new_lines)) {
    if (!group.empty() && change.old_begin > group.back().old_end + 2 * kContextLines) {
      add_hunk(out, old_lines, new_lines, group);
      group.clear();
    }
    group.push_back(change);
  }
  add_hunk(out, old_lines, new_lines, group);
  return out;
}

}  // namespace weir::audit
