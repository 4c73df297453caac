#include "audit/fix/module_imports.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "audit/fix/edits.hpp"

namespace weir::audit {
namespace {

constexpr std::string_view kBlanks = " \t";

/// Returns the range of the name in a statement such as "import a, os, b"; empty if the statement does not import it
/// under this name.
Range import_part(const SourceFile& source, Range statement, std::string_view name) {
  constexpr std::string_view kImport = "import";
  for (std::uint32_t at = statement.begin + kImport.size(); at < statement.end;) {
    const std::string_view rest = source.text({at, statement.end});
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view part = rest.substr(0, comma);
    const std::size_t first = std::min(part.find_first_not_of(kBlanks), part.size());
    const std::size_t last = part.find_last_not_of(kBlanks);
    if (first < part.size() && part.substr(first, last + 1 - first) == name)
      return {at + static_cast<std::uint32_t>(first), at + static_cast<std::uint32_t>(last) + 1};
    at += static_cast<std::uint32_t>(comma) + 1;
  }
  return {};
}

/// Returns whether the statement always binds the name in the outermost block: "import os", "import sys, os", "import
/// os.path".
bool binds_name(const Module& module, const Event& event, std::string_view name) {
  if (event.kind != Event::Kind::import_module || !event.is_top_level || !event.arms.empty() || event.in_main_part)
    return false;
  const std::string_view code = module.source.text(event.statement);
  if (!code.starts_with("import ") || code.find('\\') != std::string_view::npos) return false;
  if (event.name == name) return !import_part(module.source, event.statement, name).empty();
  return event.name.starts_with(fmt::format("{}.", name)) && code.find(" as ") == std::string_view::npos;
}

/// Returns an edit that deletes a statement and the semicolon after it, if another statement follows on the line;
/// otherwise empty.
std::vector<Edit> remove_part_of_line(const SourceFile& source, Range statement) {
  const std::string_view tail = source.text({statement.end, source.line_end(statement.end)});
  const std::size_t semicolon = tail.find_first_not_of(kBlanks);
  if (semicolon == std::string_view::npos || tail[semicolon] != ';') return {};
  const std::size_t next = tail.find_first_not_of(kBlanks, semicolon + 1);
  if (next == std::string_view::npos || std::string_view{"#;\r\n"}.find(tail[next]) != std::string_view::npos)
    return {};
  return {{{statement.begin, statement.end + static_cast<std::uint32_t>(next)}, {}}};
}

/// Returns an edit that removes the name from its import, or the whole import if it imports nothing else and another
/// statement follows on the line; otherwise empty.
std::vector<Edit> remove_import(const SourceFile& source, Range statement, std::string_view name) {
  const Range part = import_part(source, statement, name);
  if (part.empty()) return {};
  const bool is_first_name = source.text({statement.begin, part.begin}).find(',') == std::string_view::npos;
  const std::string_view tail = source.text({part.end, statement.end});
  if (!is_first_name) {
    const auto comma = static_cast<std::uint32_t>(source.text({statement.begin, part.begin}).rfind(','));
    return {{{statement.begin + comma, part.end}, {}}};
  }
  if (const std::size_t comma = tail.find(','); comma != std::string_view::npos) {
    const std::size_t next = tail.find_first_not_of(kBlanks, comma + 1);
    return {{{part.begin, part.end + static_cast<std::uint32_t>(next)}, {}}};
  }
  return remove_part_of_line(source, statement);
}

}  // namespace

std::vector<Edit> import_above(const Module& module, std::string_view name, std::uint32_t byte) {
  // Statements on the same line come after the inserted line.
  const std::uint32_t line = module.source.line_start(byte);
  const Event* later = nullptr;
  for (const Event& event : module.body().events) {
    if (!binds_name(module, event, name)) continue;
    if (event.statement.begin < line) return {};
    if (later == nullptr) later = &event;
  }
  std::vector<Edit> edits{insert_line_before(module.source, byte, fmt::format("import {}", name))};
  if (later == nullptr) return edits;
  const bool alone = module.source.text(later->statement) == fmt::format("import {}", name);
  if (auto moved = alone ? move_statement(module.source, later->statement, byte) : std::vector<Edit>{}; !moved.empty())
    return moved;
  const auto old = remove_import(module.source, later->statement, name);
  edits.insert(edits.end(), old.begin(), old.end());
  return edits;
}

}  // namespace weir::audit
