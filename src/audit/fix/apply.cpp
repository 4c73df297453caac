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

bool equal(const Edit& a, const Edit& b) { return a.where == b.where && a.text == b.text; }

/// Two edits that cannot both be done: they share bytes, or one inserts within the other.
bool cut(const Edit& a, const Edit& b) {
  if (a.where.empty() && b.where.empty()) return false;
  if (a.where.empty()) return b.where.begin < a.where.begin && a.where.begin < b.where.end;
  if (b.where.empty()) return a.where.begin < b.where.begin && b.where.begin < a.where.end;
  return a.where.begin < b.where.end && b.where.begin < a.where.end;
}

/// A leaf of the tree as it is compared.
struct Token {
  std::string_view text;
  int depth;
  std::uint32_t line;
  bool operator==(const Token& other) const { return text == other.text && depth == other.depth; }
};

std::uint32_t line_of(const std::vector<std::uint32_t>& starts, std::uint32_t byte) {
  return static_cast<std::uint32_t>(std::upper_bound(starts.begin(), starts.end(), byte) - starts.begin());
}

std::vector<std::uint32_t> starts_of(std::string_view text) {
  std::vector<std::uint32_t> starts{0};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') starts.push_back(static_cast<std::uint32_t>(i + 1));
  }
  return starts;
}

/// `by_lines`: texts that go over several lines, and here-documents, are compared line by line: they may be scripts of their own.
std::vector<Token> tokens(const Tree& tree, std::string_view text, const std::set<std::uint32_t>& touched,
                          bool by_lines) {
  const auto starts = starts_of(text);
  std::vector<Token> all;
  for (const auto& [leaf, depth] : tree.leaves(by_lines ? "heredoc_body" : "")) {
    const bool comment = leaf.kind().find("comment") != std::string_view::npos;  // it belongs to no block
    std::uint32_t line = line_of(starts, leaf.range().begin);
    for (std::string_view rest = leaf.text(text); !rest.empty(); ++line) {
      const std::size_t end = by_lines ? std::min(rest.find('\n'), rest.size() - 1) + 1 : rest.size();
      if (!touched.contains(line)) all.push_back({rest.substr(0, end), comment ? 0 : depth, line});
      rest.remove_prefix(end);
    }
  }
  return all;
}

void touch(std::set<std::uint32_t>& touched, const std::vector<std::uint32_t>& starts, Range where) {
  // A range that ends at the start of a line leaves that line alone.
  const std::uint32_t last = where.end > where.begin ? where.end - 1 : where.end;
  for (std::uint32_t line = line_of(starts, where.begin); line <= line_of(starts, last); ++line) touched.insert(line);
}

/// A notebook without the text of its code cells; a text that is no JSON is discarded.
nlohmann::json without_code(std::string_view notebook) {
  auto json = nlohmann::json::parse(notebook, nullptr, false);
  if (!json.is_object() || !json.contains("cells") || !json["cells"].is_array()) return json;
  for (auto& cell : json["cells"]) {
    if (cell.is_object() && cell.value("cell_type", nlohmann::json{}) == "code") cell.erase("source");
  }
  return json;
}

std::string applied(const std::vector<Edit>& edits, std::string_view text) {
  std::string out;
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    out += text.substr(at, edit.where.begin - at);
    out += edit.text;
    at = edit.where.end;
  }
  return out += text.substr(at);
}

Result<std::string> mended_notebook(const SourceFile& source, const EditSet& edits, std::string_view code) {
  const Error refused{Errc::invalid_argument, "the cells cannot be edited so"};
  const auto in_file = file_edits(source, edits.edits());
  if (in_file.empty()) return refused;
  std::string after = applied(in_file, source.file_text());
  const auto again = notebook_code(SourceFile{source.path(), source.name(), after});
  if (!again || again->text() != code) return refused;
  const auto rest = without_code(source.file_text());
  if (rest.is_discarded() || rest != without_code(after)) return refused;
  return after;
}

}  // namespace

bool EditSet::add(const std::vector<Edit>& edits) {
  if (edits.empty()) return false;
  for (const Edit& edit : edits) {
    for (const Edit& taken : edits_) {
      if (!equal(edit, taken) && cut(edit, taken)) return false;
      if (equal(edit, taken) && !edit.where.empty()) return false;  // another finding has mended this already
    }
  }
  for (const Edit& edit : edits) {
    if (std::any_of(edits_.begin(), edits_.end(), [&](const Edit& taken) { return equal(edit, taken); })) continue;
    const auto at = std::upper_bound(edits_.begin(), edits_.end(), edit, [](const Edit& a, const Edit& b) {
      return a.where.begin != b.where.begin ? a.where.begin < b.where.begin : a.where.empty() && !b.where.empty();
    });
    edits_.insert(at, edit);
  }
  return true;
}

std::string EditSet::applied(std::string_view text) const { return audit::applied(edits_, text); }

bool is_edited(FileKind kind) { return code_language(kind).has_value(); }

Result<std::string> mended_file(const Module& module, const EditSet& edits) {
  const std::string_view before = module.source.text();
  std::string after = edits.applied(before);
  if (auto same = check_same_outside(*code_language(module.kind), before, edits, after); !same) return same.error();
  if (module.source.origin() == nullptr) return after;
  return mended_notebook(module.source, edits, after);
}

Status check_same_outside(Language language, std::string_view before, const EditSet& edits, std::string_view after) {
  const auto old_tree = parse(language, before);
  const auto new_tree = parse(language, after);
  if (!old_tree) return old_tree.error();
  if (!new_tree) return new_tree.error();
  if (!old_tree->first_error() && new_tree->first_error())
    return Error{Errc::invalid_argument, "does not parse after the edit"};
  std::set<std::uint32_t> old_lines;
  std::set<std::uint32_t> new_lines;
  const auto old_starts = starts_of(before);
  const auto new_starts = starts_of(after);
  std::int64_t moved = 0;
  for (const Edit& edit : edits.edits()) {
    // A pure insertion of whole lines touches none of the old ones.
    const bool whole = edit.where.empty() && edit.text.ends_with('\n');
    if (!whole) touch(old_lines, old_starts, edit.where);
    const auto begin = static_cast<std::uint32_t>(edit.where.begin + moved);
    const auto end = begin + static_cast<std::uint32_t>(edit.text.size());
    const bool gone =
        edit.text.empty() && before.substr(edit.where.begin, edit.where.end - edit.where.begin).ends_with('\n');
    if (!gone) touch(new_lines, new_starts, {begin, end});
    moved += static_cast<std::int64_t>(edit.text.size()) - (edit.where.end - edit.where.begin);
  }
  const auto old_tokens = tokens(*old_tree, before, old_lines, language == Language::shell);
  const auto new_tokens = tokens(*new_tree, after, new_lines, language == Language::shell);
  const auto [a, b] = std::mismatch(old_tokens.begin(), old_tokens.end(), new_tokens.begin(), new_tokens.end());
  if (a == old_tokens.end() && b == new_tokens.end()) return ok();
  return Error{Errc::invalid_argument,
               fmt::format("would change line {}, which it must not", a == old_tokens.end() ? b->line : a->line)};
}

}  // namespace weir::audit
