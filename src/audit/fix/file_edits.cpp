#include "audit/fix/file_edits.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace weir::audit {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Returns the text as the content of a JSON string.
std::string escaped(std::string_view text) {
  const std::string json =
      // With this error handler the conversion cannot fail.
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return json.substr(1, json.size() - 2);
}

/// Converts edits of a notebook's code to edits of its JSON file. In the file the code of a cell is one string, or a
/// list with one string per line; offsets in the file are called `at`, `from` and `to`.
class NotebookEditor {
 public:
  explicit NotebookEditor(const SourceFile& source)
      : code_{source.text()}, file_{source.file_text()}, file_offsets_{source.notebook()->file_offsets} {}

  /// Returns the edit of the file; nothing if it is impossible.
  std::optional<Edit> convert(const Edit& edit) const {
    const auto [begin, end] = edit.range;
    if (begin >= code_.size()) return std::nullopt;
    const bool at_line_start = begin == 0 || code_[begin - 1] == '\n';
    if (edit.range.empty()) {
      if (at_line_start && edit.text.ends_with('\n')) return insert_lines(begin, edit.text);
      // Inside a line the text follows the previous byte, which is certainly in the same list element.
      const std::uint32_t at = at_line_start ? file_offsets_[begin] : end_of(begin - 1);
      return Edit{{at, at}, escaped(edit.text)};
    }
    if (at_line_start && edit.text.empty() && code_[end - 1] == '\n') return delete_lines(begin, end);
    if (code_.substr(begin, end - begin).find('\n') != std::string_view::npos) return std::nullopt;
    return Edit{{file_offsets_[begin], end_of(end - 1)}, escaped(edit.text)};
  }

 private:
  /// Returns the offset in the file after the bytes that represent one byte of the code: one byte, or an escape such as
  /// "\n" or "\u00e9".
  std::uint32_t end_of(std::uint32_t byte) const {
    const std::uint32_t at = file_offsets_[byte];
    if (file_[at] != '\\') return at + 1;
    return at + (file_[at + 1] == 'u' ? 6 : 2);
  }

  /// Returns the offset of the first byte from `at` on that is no space.
  std::uint32_t skip_space(std::uint32_t at) const {
    while (at < file_.size() && is_space(file_[at])) ++at;
    return at;
  }

  /// Returns the offset of the last byte before `at` that is no space.
  std::uint32_t skip_space_back(std::uint32_t at) const {
    while (at > 1 && is_space(file_[at - 1])) --at;
    return at - 1;
  }

  /// Returns whether this offset is the first byte of the text of a list element.
  bool is_element_start(std::uint32_t at) const {
    if (at < 2 || file_[at - 1] != '"') return false;
    const char before = file_[skip_space_back(at - 1)];
    return before == '[' || before == ',';
  }

  /// Returns the edit that inserts whole lines; in a list each line becomes an element. The elements are inserted
  /// before the element at `begin`, not after the previous one, because another edit may delete that one together with
  /// its comma.
  Edit insert_lines(std::uint32_t begin, std::string_view lines) const {
    const std::uint32_t at = file_offsets_[begin];
    if (!is_element_start(at)) return {{at, at}, escaped(lines)};
    const std::uint32_t gap_begin = skip_space_back(at - 1) + 1;
    std::string text;
    while (!lines.empty()) {
      const std::size_t end = lines.find('\n') + 1;
      text += '"' + escaped(lines.substr(0, end)) + "\"," + std::string{file_.substr(gap_begin, at - 1 - gap_begin)};
      lines.remove_prefix(end);
    }
    return {{at - 1, at - 1}, std::move(text)};
  }

  /// Returns the edit that deletes whole lines, with their elements and commas if the cell is a list; nothing if it
  /// would delete only the line break that extract_notebook_code() adds after a cell.
  std::optional<Edit> delete_lines(std::uint32_t begin, std::uint32_t end) const {
    // In the file a line break is the escape "\n"; only the one that the extraction adds after a cell is missing there.
    const bool ends_with_added_break = file_[file_offsets_[end - 1]] != '\\';
    if (ends_with_added_break && end - 1 == begin) return std::nullopt;
    const std::uint32_t from = file_offsets_[begin];
    const std::uint32_t to = end_of(ends_with_added_break ? end - 2 : end - 1);
    if (!is_element_start(from) || file_[to] != '"') return Edit{{from, to}, {}};
    const std::uint32_t comma_after = skip_space(to + 1);
    if (comma_after < file_.size() && file_[comma_after] == ',')
      return Edit{{from - 1, skip_space(comma_after + 1)}, {}};
    // The last element of the list has no comma behind it, so the comma before it is deleted.
    const std::uint32_t comma_before = skip_space_back(from - 1);
    return Edit{{file_[comma_before] == ',' ? comma_before : from - 1, to + 1}, {}};
  }

  std::string_view code_;
  std::string_view file_;
  const std::vector<std::uint32_t>& file_offsets_;
};

/// Returns the number, counted from 1, of the cell that contains a byte of the code.
std::ptrdiff_t cell_of(const NotebookSource& notebook, std::uint32_t byte) {
  return std::upper_bound(notebook.cell_starts.begin(), notebook.cell_starts.end(), byte) -
         notebook.cell_starts.begin();
}

}  // namespace

std::vector<Edit> to_file_edits(const SourceFile& source, std::vector<Edit> edits) {
  if (source.notebook() == nullptr) return edits;
  std::stable_sort(edits.begin(), edits.end(),
                   [](const Edit& a, const Edit& b) { return a.range.begin < b.range.begin; });
  std::vector<Edit> all;
  for (const Edit& edit : edits) {
    const std::uint32_t last = edit.range.empty() ? edit.range.end : edit.range.end - 1;
    const bool is_in_one_cell = cell_of(*source.notebook(), edit.range.begin) == cell_of(*source.notebook(), last);
    auto made = is_in_one_cell ? NotebookEditor{source}.convert(edit) : std::nullopt;
    if (!made || (!all.empty() && made->range.begin < all.back().range.end)) return {};
    all.push_back(*std::move(made));
  }
  return all;
}

bool can_apply(const SourceFile& source, const std::vector<Edit>& edits) {
  if (source.notebook() == nullptr) return true;
  const auto cell = [&](const Edit& edit) { return cell_of(*source.notebook(), edit.range.begin); };
  return std::all_of(edits.begin(), edits.end(), [&](const Edit& edit) { return cell(edit) == cell(edits.front()); }) &&
         !to_file_edits(source, edits).empty();
}

}  // namespace weir::audit
