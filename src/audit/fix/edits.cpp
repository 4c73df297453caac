#include "audit/fix/edits.hpp"

namespace weir::audit {
namespace {

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\f") == std::string_view::npos; }

/// A line of its own that allows findings on the next one. One that may be the end of a text is none.
bool is_allowance(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  return first != std::string_view::npos && line[first] == '#' && line.find("weir: ignore") != std::string_view::npos &&
         line.find("\"\"\"") == std::string_view::npos && line.find("'''") == std::string_view::npos;
}

/// The start of the statement's line, or of the comments above it that are for that line: what is put before stands above them.
std::uint32_t first_line_of(const SourceFile& source, std::uint32_t byte) {
  const auto first_byte = [&](std::uint32_t start) { return start == 0 && source.has_bom() ? 3U : start; };
  std::uint32_t start = first_byte(source.line_start(byte));
  while (start > 3) {
    const std::uint32_t above = first_byte(source.line_start(start - 1));
    const bool continued = is_blank(source.text({above, start})) || source.text({0, above}).ends_with("\\\n") ||
                           source.text({0, above}).ends_with("\\\r\n");
    if (continued || !is_allowance(source.text({above, start}))) break;
    start = above;
  }
  return start;
}

}  // namespace

std::optional<Range> own_lines(const SourceFile& source, Range statement) {
  std::uint32_t begin = source.line_start(statement.begin);
  if (begin == 0 && source.has_bom()) begin = 3;
  const std::uint32_t end = source.line_end(statement.end == statement.begin ? statement.end : statement.end - 1);
  std::string_view after = source.text({statement.end, end});
  if (const std::size_t comment = after.find('#'); comment != std::string_view::npos) after = after.substr(0, comment);
  if (!is_blank(source.text({begin, statement.begin})) || !is_blank(after)) return std::nullopt;
  return Range{begin, end};
}

std::optional<Range> lines_with_comments(const SourceFile& source, Range statement) {
  auto lines = own_lines(source, statement);
  if (lines) lines->begin = first_line_of(source, statement.begin);
  return lines;
}

std::vector<Edit> removal(const SourceFile& source, Range statement) {
  const auto lines = lines_with_comments(source, statement);
  return lines ? std::vector<Edit>{{*lines, {}}} : std::vector<Edit>{};
}

Edit line_before(const SourceFile& source, std::uint32_t byte, std::string_view line) {
  const std::uint32_t start = first_line_of(source, byte);
  std::string text;
  for (std::uint32_t i = source.line_start(byte); i < byte && (source.text()[i] == ' ' || source.text()[i] == '\t');
       ++i)
    text += source.text()[i];
  text += line;
  text += source.line_break();
  return {{start, start}, std::move(text)};
}

}  // namespace weir::audit
