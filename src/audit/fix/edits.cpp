#include "audit/fix/edits.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.hpp"

namespace weir::audit {
namespace {

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\f") == std::string_view::npos; }

bool has_suppression(std::string_view line) { return line.find("weir: ignore") != std::string_view::npos; }

/// Returns whether the line is a comment line with `weir: ignore`, which applies to the next line. Returns false for a
/// line with triple quotes, because it may be part of a string.
bool is_suppression_line(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  return first != std::string_view::npos && line[first] == '#' && has_suppression(line) &&
         line.find("\"\"\"") == std::string_view::npos && line.find("'''") == std::string_view::npos;
}

/// Returns the offset where the line of a byte begins, or, if suppression comments (`# weir: ignore`) are directly
/// above this line, the offset where they begin: a line inserted there does not separate the comments from the line.
std::uint32_t insertion_offset(const SourceFile& source, std::uint32_t byte) {
  // A byte-order mark has 3 bytes and is no part of the first line.
  const auto without_bom = [&](std::uint32_t start) { return start == 0 && source.has_bom() ? 3U : start; };
  std::uint32_t start = without_bom(source.line_start(byte));
  // The first three bytes are a byte-order mark, or too short for a suppression comment.
  while (start > 3) {
    const std::uint32_t above = without_bom(source.line_start(start - 1));
    const bool ends_comments = is_blank(source.text({above, start})) || source.text({0, above}).ends_with("\\\n") ||
                               source.text({0, above}).ends_with("\\\r\n");
    if (ends_comments || !is_suppression_line(source.text({above, start}))) break;
    start = above;
  }
  return start;
}

template <std::size_t N>
bool has_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

/// Returns whether the text contains a word about devices, or about the variables that select or configure them.
bool mentions_devices(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords{"gpu",  "cuda",    "device", "card", "visible",
                                                   "mask", "environ", "nvidia", "alloc"};
  const std::string lower = lower_case(text);
  return has_one_of(lower, kWords);
}

/// Returns whether a comment line is not about the next statement: it is for another tool, about the whole file, a line
/// without letters, or a marker ("# >>> weir", "# <<< weir") around a generated header.
bool is_unrelated_comment(std::string_view comment) {
  constexpr std::array<std::string_view, 21> kMarks{
      "#!", "#SBATCH", "#PBS", "#BSUB", "#$",     "noqa", "type:",  "pylint", "fmt:",      "isort",    "pragma",
      "%%", "region",  "ruff", "mypy",  "flake8", "yapf", "coding", "SPDX",   "Copyright", "generated"};
  const bool has_letters =
      std::any_of(comment.begin(), comment.end(), [](unsigned char c) { return std::isalpha(c) || c > 127; });
  return !has_letters || has_one_of(comment, kMarks) || comment.find("<<<") != std::string_view::npos ||
         comment.find(">>>") != std::string_view::npos;
}

/// Returns the spaces and tabs at the start of a line.
std::string_view indentation(std::string_view line) { return line.substr(0, line.find_first_not_of(" \t")); }

/// Finds the comment lines directly above a statement that belong to this statement alone.
class StatementComment {
 public:
  StatementComment(const SourceFile& source, Range lines) : source_{source}, lines_{lines} {}

  /// Returns the offset where the comment of the statement begins, or where the lines of the statement begin if it has
  /// no comment of its own.
  std::uint32_t comment_begin() const {
    std::uint32_t begin = lines_.begin;
    bool is_unrelated = false;
    while (const auto above = comment_line_above(begin)) {
      begin = *above;
      const std::string_view line = source_.text({begin, source_.line_end(begin)});
      is_unrelated = is_unrelated || (is_unrelated_comment(line) && !has_suppression(line));
    }
    const std::string_view comment = source_.text({begin, lines_.begin});
    if (!is_unrelated && begin > text_begin() && belongs_to_statement(comment)) return begin;
    const auto nearest = comment_line_above(lines_.begin);
    return nearest && has_suppression(source_.text({*nearest, lines_.begin})) ? *nearest : lines_.begin;
  }

 private:
  /// Returns the offset of the first byte after a byte-order mark.
  std::uint32_t text_begin() const { return source_.has_bom() ? 3 : 0; }

  /// Returns the offset of the line above the line that starts at `begin`, if it is a comment line with the indentation
  /// of the statement, in the same cell of a notebook; otherwise nothing.
  std::optional<std::uint32_t> comment_line_above(std::uint32_t begin) const {
    if (begin <= text_begin() || (source_.notebook() != nullptr && !is_inside_cell(begin))) return std::nullopt;
    const std::uint32_t above = std::max(source_.line_start(begin - 1), text_begin());
    const std::string_view line = source_.text({above, begin});
    const std::string_view indent = indentation(line);
    const auto hash_offset = above + static_cast<std::uint32_t>(indent.size());
    const bool same_indentation = indent == indentation(source_.text(lines_));
    if (!same_indentation || !line.substr(indent.size()).starts_with('#') || is_magic(hash_offset)) return std::nullopt;
    return above;
  }

  /// Returns whether no cell of the notebook starts at this offset, so that the line above is in the same cell.
  bool is_inside_cell(std::uint32_t begin) const {
    const auto& cells = source_.notebook()->cell_starts;
    return std::find(cells.begin(), cells.end(), begin) == cells.end();
  }

  /// Returns whether the '#' at this offset replaces the first character of an IPython command ("%env", "!ls"), which
  /// is a comment only in the extracted code.
  bool is_magic(std::uint32_t hash_offset) const {
    const NotebookSource* notebook = source_.notebook();
    return notebook != nullptr && notebook->text[notebook->file_offsets[hash_offset]] != '#';
  }

  /// Returns whether the comment lines are about this statement alone: no statement with the same or a deeper
  /// indentation is on the next line, or the comment is about devices and the next line is not.
  bool belongs_to_statement(std::string_view comment) const {
    const std::string_view below = source_.text({lines_.end, source_.line_end(lines_.end)});
    const std::string_view indent = indentation(below);
    const bool is_last = lines_.end >= source_.text().size() || is_blank(below) ||
                         below.substr(indent.size()).starts_with('#') ||
                         indent.size() < indentation(source_.text(lines_)).size();
    return is_last || (mentions_devices(comment) && !mentions_devices(below));
  }

  const SourceFile& source_;
  Range lines_;
};

}  // namespace

std::optional<Range> statement_lines(const SourceFile& source, Range statement) {
  std::uint32_t begin = source.line_start(statement.begin);
  if (begin == 0 && source.has_bom()) begin = 3;
  const std::uint32_t end = source.line_end(statement.end == statement.begin ? statement.end : statement.end - 1);
  std::string_view after = source.text({statement.end, end});
  if (const std::size_t comment = after.find('#'); comment != std::string_view::npos) after = after.substr(0, comment);
  if (!is_blank(source.text({begin, statement.begin})) || !is_blank(after)) return std::nullopt;
  return Range{begin, end};
}

std::optional<Range> statement_with_comments(const SourceFile& source, Range statement) {
  auto lines = statement_lines(source, statement);
  if (lines) lines->begin = StatementComment{source, *lines}.comment_begin();
  return lines;
}

std::vector<Edit> remove_statement(const SourceFile& source, Range statement) {
  const auto lines = statement_with_comments(source, statement);
  return lines ? std::vector<Edit>{{*lines, {}}} : std::vector<Edit>{};
}

std::vector<Edit> move_statement(const SourceFile& source, Range statement, std::uint32_t byte) {
  const auto lines = statement_with_comments(source, statement);
  if (!lines) return {};
  std::string moved{source.text(*lines)};
  if (!moved.ends_with('\n') && !moved.ends_with('\r')) moved += source.line_break();
  return {{insert_line_before(source, byte, "").range, std::move(moved)}, {*lines, {}}};
}

Edit insert_line_before(const SourceFile& source, std::uint32_t byte, std::string_view line) {
  const std::uint32_t start = insertion_offset(source, byte);
  std::string text;
  for (std::uint32_t i = source.line_start(byte); i < byte && (source.text()[i] == ' ' || source.text()[i] == '\t');
       ++i)
    text += source.text()[i];
  text += line;
  text += source.line_break();
  return {{start, start}, std::move(text)};
}

}  // namespace weir::audit
