#include "audit/suppression.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "audit/rules/rule.hpp"
#include "audit/source/words.hpp"
#include "audit/syntax/tree.hpp"
#include "base/text.hpp"

namespace weir::audit {
namespace {

constexpr std::string_view kMarker = "weir: ignore";

struct SuppressionComment {
  std::string_view rules;  ///< list of rule ids, "G10,G04"; empty: all rules
  std::string_view reason;
};

/// Returns the suppression comment of a line; nothing if there is none.
std::optional<SuppressionComment> parse_suppression(std::string_view line) {
  const std::size_t at = find_word(line, kMarker);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = line.substr(at + kMarker.size());
  SuppressionComment comment;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    comment.rules = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  }
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == ':')) rest.remove_prefix(1);
  comment.reason = rest;
  return comment;
}

/// Splits "G10, G04" into ids.
std::vector<std::string_view> split_ids(std::string_view list) {
  std::vector<std::string_view> ids;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(", "), list.size());
    if (end > 0) ids.push_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return ids;
}

bool allows(const SuppressionComment& comment, std::string_view rule) {
  const auto ids = split_ids(comment.rules);
  return ids.empty() || std::find(ids.begin(), ids.end(), rule) != ids.end();
}

std::vector<Range> comments_of(Language language, std::string_view text) {
  const auto tree = parse(language, text);
  return tree ? tree->comments() : std::vector<Range>{};
}

bool is_comment_line(std::string_view line) {
  if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  const std::size_t first = line.find_first_not_of(" \t");
  return first != std::string_view::npos && (line[first] == '#' || line.substr(first).starts_with("//"));
}

}  // namespace

void apply_suppression_comments(std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    const SourceFile& source = finding.module->source;
    const std::uint32_t begin_line = source.position(finding.range.begin).line;
    const std::uint32_t end_line = source.position(finding.range.end).line;
    // A comment on the line above counts if it has this line for itself.
    for (std::uint32_t line = begin_line > 1 ? begin_line - 1 : begin_line; line <= end_line; ++line) {
      if (line < begin_line && !is_comment_line(source.line(line))) continue;
      const auto comment = parse_suppression(source.line(line));
      if (!comment || !allows(*comment, finding.rule)) continue;
      finding.suppressed = true;
      finding.suppression_reason = comment->reason;
    }
  }
}

std::vector<std::string> unknown_rule_warnings(const Module& module) {
  constexpr std::size_t kMaxShown = 40;  // maximum length of a quoted id
  std::vector<std::string> lines;
  const SourceFile& source = module.source;
  const std::string_view text = source.text();
  const auto language = code_language(module.kind);
  std::optional<std::vector<Range>> comments;  // computed only when the first unknown id occurs
  for (std::size_t at = find_word(text, kMarker); at != std::string_view::npos; at = find_word(text, kMarker, at + 1)) {
    const auto byte = static_cast<std::uint32_t>(at);
    const auto comment = parse_suppression(text.substr(at, source.line_end(byte) - at));
    auto unknown = comment ? split_ids(comment->rules) : std::vector<std::string_view>{};
    std::erase_if(unknown, [](std::string_view id) { return find_rule(id) != nullptr; });
    if (unknown.empty()) continue;
    if (language && !comments) comments = comments_of(*language, text);
    const std::uint32_t begin = source.line_start(byte);
    if (language ? !contains_byte(*comments, byte) : !is_comment_line(text.substr(begin, at - begin))) continue;
    for (const std::string_view id : unknown)
      lines.push_back(fmt::format("{}:{}: this comment allows nothing: {}", printable(source.name()),
                                  source.position(byte).line, unknown_rule_text(id.substr(0, kMaxShown))));
  }
  return lines;
}

}  // namespace weir::audit
