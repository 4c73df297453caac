#include "audit/fix/apply.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "audit/fix/file_edits.hpp"
#include "audit/other/readers.hpp"

namespace weir::audit {
namespace {

bool is_same_edit(const Edit& a, const Edit& b) { return a.range == b.range && a.text == b.text; }

/// Returns whether the two edits conflict: both replace the same bytes, or one inserts within the range that the other
/// replaces.
bool conflicts(const Edit& a, const Edit& b) {
  if (a.range.empty() && b.range.empty()) return false;
  if (a.range.empty()) return b.range.begin < a.range.begin && a.range.begin < b.range.end;
  if (b.range.empty()) return a.range.begin < b.range.begin && b.range.begin < a.range.end;
  return a.range.begin < b.range.end && b.range.begin < a.range.end;
}

/// A leaf of the syntax tree, or one line of a leaf. Tokens are compared by text and depth, not by line number.
struct Token {
  std::string_view text;
  int depth;
  std::uint32_t line;
  bool operator==(const Token& other) const { return text == other.text && depth == other.depth; }
};

/// Returns the number of the line, from 1, that contains a byte; `starts` is the result of line_offsets().
std::uint32_t line_of(const std::vector<std::uint32_t>& starts, std::uint32_t byte) {
  return static_cast<std::uint32_t>(std::upper_bound(starts.begin(), starts.end(), byte) - starts.begin());
}

/// Returns the offset of each line.
std::vector<std::uint32_t> line_offsets(std::string_view text) {
  std::vector<std::uint32_t> starts{0};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') starts.push_back(static_cast<std::uint32_t>(i + 1));
  }
  return starts;
}

/// Returns the tokens of a text that are not on lines with edits (`touched`). `by_lines`: multi-line strings and
/// here-documents become one token per line, because they may be scripts with edits inside.
std::vector<Token> tokens(const Tree& tree, std::string_view text, const std::set<std::uint32_t>& touched,
                          bool by_lines) {
  const auto starts = line_offsets(text);
  std::vector<Token> all;
  for (const auto& [leaf, depth] : tree.leaves(by_lines ? "heredoc_body" : "")) {
    // The depth of a comment is not compared, because a comment belongs to no block.
    const bool comment = leaf.kind().find("comment") != std::string_view::npos;
    std::uint32_t line = line_of(starts, leaf.range().begin);
    for (std::string_view rest = leaf.text(text); !rest.empty(); ++line) {
      const std::size_t end = by_lines ? std::min(rest.find('\n'), rest.size() - 1) + 1 : rest.size();
      if (!touched.contains(line)) all.push_back({rest.substr(0, end), comment ? 0 : depth, line});
      rest.remove_prefix(end);
    }
  }
  return all;
}

/// Adds the numbers of the lines that contain a part of the range to `touched`.
void mark_touched_lines(std::set<std::uint32_t>& touched, const std::vector<std::uint32_t>& starts, Range where) {
  // A range that ends at the start of a line does not touch that line.
  const std::uint32_t last = where.end > where.begin ? where.end - 1 : where.end;
  for (std::uint32_t line = line_of(starts, where.begin); line <= line_of(starts, last); ++line) touched.insert(line);
}

/// Returns the JSON of a notebook without the text of its code cells; a discarded value if the text is no JSON.
nlohmann::json without_code(std::string_view notebook) {
  auto json = nlohmann::json::parse(notebook, nullptr, false);
  if (!json.is_object() || !json.contains("cells") || !json["cells"].is_array()) return json;
  for (auto& cell : json["cells"]) {
    if (cell.is_object() && cell.value("cell_type", nlohmann::json{}) == "code") cell.erase("source");
  }
  return json;
}

/// Returns the text with the edits, which are ordered by position.
std::string apply_edits(const std::vector<Edit>& edits, std::string_view text) {
  std::string out;
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    out += text.substr(at, edit.range.begin - at);
    out += edit.text;
    at = edit.range.end;
  }
  return out += text.substr(at);
}

/// Returns the notebook's file with the edits. `code` is the code after the edits, which the new file must contain.
Result<std::string> apply_to_notebook(const SourceFile& source, const EditSet& edits, std::string_view code) {
  const Error refused{Errc::invalid_argument, "the edits do not fit the notebook's cells"};
  const auto in_file = to_file_edits(source, edits.edits());
  if (in_file.empty()) return refused;
  std::string after = apply_edits(in_file, source.file_text());
  const auto again = extract_notebook_code(SourceFile{source.path(), source.name(), after});
  if (!again || again->text() != code) return refused;
  const auto rest = without_code(source.file_text());
  if (rest.is_discarded() || rest != without_code(after)) return refused;
  return after;
}

}  // namespace

bool EditSet::add(const std::vector<Edit>& edits) {
  if (edits.empty()) return false;
  for (const Edit& edit : edits) {
    for (const Edit& added : edits_) {
      if (!is_same_edit(edit, added) && conflicts(edit, added)) return false;
      if (is_same_edit(edit, added) && !edit.range.empty()) return false;  // an edit of an earlier finding is equal
    }
  }
  for (const Edit& edit : edits) {
    if (std::any_of(edits_.begin(), edits_.end(), [&](const Edit& added) { return is_same_edit(edit, added); }))
      continue;
    const auto at = std::upper_bound(edits_.begin(), edits_.end(), edit, [](const Edit& a, const Edit& b) {
      return a.range.begin != b.range.begin ? a.range.begin < b.range.begin : a.range.empty() && !b.range.empty();
    });
    edits_.insert(at, edit);
  }
  return true;
}

std::string EditSet::apply_to(std::string_view text) const { return audit::apply_edits(edits_, text); }

bool is_editable_kind(FileKind kind) { return code_language(kind).has_value(); }

Result<std::string> apply_to_file(const Module& module, const EditSet& edits) {
  const std::string_view before = module.source.text();
  std::string after = edits.apply_to(before);
  if (auto same = check_unchanged_outside(*code_language(module.kind), before, edits, after); !same)
    return same.error();
  if (module.source.notebook() == nullptr) return after;
  return apply_to_notebook(module.source, edits, after);
}

Status check_unchanged_outside(Language language, std::string_view before, const EditSet& edits,
                               std::string_view after) {
  const auto old_tree = parse(language, before);
  const auto new_tree = parse(language, after);
  if (!old_tree) return old_tree.error();
  if (!new_tree) return new_tree.error();
  if (!old_tree->first_error() && new_tree->first_error())
    return Error{Errc::invalid_argument, "does not parse after the edit"};
  std::set<std::uint32_t> old_lines;
  std::set<std::uint32_t> new_lines;
  const auto old_starts = line_offsets(before);
  const auto new_starts = line_offsets(after);
  std::int64_t shift = 0;  // distance, in bytes, from a position in the old text to the same position in the new text
  for (const Edit& edit : edits.edits()) {
    // An insertion of whole lines touches no old line, and a deletion of whole lines touches no new line.
    const bool inserts_lines = edit.range.empty() && edit.text.ends_with('\n');
    if (!inserts_lines) mark_touched_lines(old_lines, old_starts, edit.range);
    const auto begin = static_cast<std::uint32_t>(edit.range.begin + shift);
    const auto end = begin + static_cast<std::uint32_t>(edit.text.size());
    const bool deletes_lines =
        edit.text.empty() && before.substr(edit.range.begin, edit.range.end - edit.range.begin).ends_with('\n');
    if (!deletes_lines) mark_touched_lines(new_lines, new_starts, {begin, end});
    shift += static_cast<std::int64_t>(edit.text.size()) - (edit.range.end - edit.range.begin);
  }
  const auto old_tokens = tokens(*old_tree, before, old_lines, language == Language::shell);
  const auto new_tokens = tokens(*new_tree, after, new_lines, language == Language::shell);
  const auto [old_token, new_token] =
      std::mismatch(old_tokens.begin(), old_tokens.end(), new_tokens.begin(), new_tokens.end());
  if (old_token == old_tokens.end() && new_token == new_tokens.end()) return ok();
  return Error{Errc::invalid_argument, fmt::format("would change line {}, which has no edit",
                                                   old_token == old_tokens.end() ? new_token->line : old_token->line)};
}

}  // namespace weir::audit
