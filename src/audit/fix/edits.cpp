#include "audit/fix/edits.hpp"

namespace weir::audit {
namespace {

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\f") == std::string_view::npos; }

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

std::vector<Edit> removal(const SourceFile& source, Range statement) {
  const auto lines = own_lines(source, statement);
  return lines ? std::vector<Edit>{{*lines, {}}} : std::vector<Edit>{};
}

Edit line_before(const SourceFile& source, std::uint32_t byte, std::string_view line) {
  std::uint32_t start = source.line_start(byte);
  if (start == 0 && source.has_bom()) start = 3;
  std::string text;
  for (std::uint32_t i = start; i < byte && (source.text()[i] == ' ' || source.text()[i] == '\t'); ++i)
    text += source.text()[i];
  text += line;
  text += source.line_break();
  return {{start, start}, std::move(text)};
}

}  // namespace weir::audit
