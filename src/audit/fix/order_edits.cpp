#include "audit/fix/order_edits.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace weir::audit {
namespace {

/// Returns the value with which the variable `order` numbers the cards by PCI address.
std::string_view pci_order_value(std::string_view order) { return order == "CUDA_DEVICE_ORDER" ? "PCI_BUS_ID" : "1"; }

/// Returns whether the previous line, comments excluded, continues on this line: "a && \", "a |".
bool is_continued(const SourceFile& source, std::uint32_t byte) {
  std::uint32_t start = source.line_start(byte);
  while (start > 0) {
    const std::uint32_t above = source.line_start(start - 1);
    std::string_view line = source.text({above, start});
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) line.remove_suffix(1);
    const std::size_t first = line.find_first_not_of(" \t");
    if (first != std::string_view::npos && line[first] != '#')
      return line.ends_with('\\') || line.ends_with("&&") || line.ends_with('|');
    start = above;
  }
  return false;
}

/// Returns the offset of the variable's name in a shell declaration that exports it, such as `export` or `declare -x`;
/// nothing for declarations in other forms.
std::optional<std::uint32_t> declaration_offset(const SourceFile& source, Range declaration, std::string_view name) {
  constexpr std::array<std::string_view, 7> kStarts{"export ",   "declare -x ", "declare -gx ", "declare -xg ",
                                                    "local -x ", "typeset -x ", "typeset -gx "};
  const std::string_view code = source.text(declaration);
  const bool exports = !code.starts_with("export -") &&
                       std::any_of(kStarts.begin(), kStarts.end(), [&](auto start) { return code.starts_with(start); });
  for (std::size_t at = code.find(name); exports && at != std::string_view::npos; at = code.find(name, at + 1)) {
    const bool quoted = at > 0 && (code[at - 1] == '"' || code[at - 1] == '\'');
    const std::size_t begin = quoted ? at - 1 : at;
    const char before = begin > 0 ? code[begin - 1] : '=';
    const std::size_t end = at + name.size();
    const bool whole =
        end == code.size() || code[end] == '=' || code[end] == ' ' || code[end] == '\n' || code[end] == '\r';
    if (whole && (before == ' ' || before == '\t')) return static_cast<std::uint32_t>(declaration.begin + begin);
  }
  return std::nullopt;
}

/// Returns the edits for a shell script.
std::vector<Edit> shell_order_edits(const SourceFile& source, const Event& mask, std::string_view order) {
  const Range exporter = mask.target;  // the `export`, or the prefix of a command, that exports the mask
  // A shell reads a byte-order mark as part of the first word, so no line is inserted above it.
  if (exporter.empty() || (source.has_bom() && source.line_start(exporter.begin) == 0)) return {};
  const std::string expansion = fmt::format("${{{}:-{}}}", order, pci_order_value(order));
  if (mask.mode == Event::Mode::child_environment)
    return {{{exporter.begin, exporter.begin}, fmt::format("{}={} ", order, expansion)}};
  const bool is_local = source.text(exporter).starts_with("declare") || source.text(exporter).starts_with("local") ||
                        source.text(exporter).starts_with("typeset");
  if (!is_local && statement_lines(source, exporter) && !is_continued(source, exporter.begin))
    return {insert_line_before(source, exporter.begin, fmt::format("export {}=\"{}\"", order, expansion))};
  const auto name = declaration_offset(source, exporter, mask.name);
  if (!name) return {};
  return {{{*name, *name}, fmt::format("{}=\"{}\" ", order, expansion)}};
}

/// Returns the line of code that sets the order in PowerShell or Python; empty for other languages.
std::string order_code(const Module& module, const Event& mask, std::string_view order) {
  if (module.kind == FileKind::powershell)
    return fmt::format("if (-not $env:{0}) {{ $env:{0} = \"{1}\" }}", order, pci_order_value(order));
  const std::string_view target = module.source.text(mask.target);
  const bool python = module.kind == FileKind::python || module.kind == FileKind::notebook;
  if (!python || target.empty()) return {};
  return fmt::format("{}.setdefault(\"{}\", \"{}\")", target, order, pci_order_value(order));
}

}  // namespace

std::vector<Edit> order_edits(const Module& module, const Event& mask, std::string_view order) {
  if (module.parse_error) return {};
  if (module.kind == FileKind::shell) return shell_order_edits(module.source, mask, order);
  const std::string line = order_code(module, mask, order);
  const auto block = statement_with_comments(module.source, mask.statement);
  if (!mask.is_editable || line.empty() || !block) return {};
  Edit edit = insert_line_before(module.source, mask.statement.begin, line);
  edit.range = {block->begin, block->begin};  // above the comment of the write
  return {edit};
}

}  // namespace weir::audit
