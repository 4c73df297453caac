#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/other/shell_evaluator.hpp"
#include "audit/syntax/tree.hpp"

namespace weir::audit {

constexpr int kMaxShellDepth = 120;

/// What a whole script shows before one reads it in order.
struct ShellFacts {
  struct Export {
    std::string_view name;
    Range range;  ///< the whole `export NAME`
  };
  std::set<std::string, std::less<>> functions{};
  std::set<std::string, std::less<>> read_in_functions{};  ///< variables that their bodies speak of
  ShellVariables written_in_functions{};
  std::vector<Export> exports{};
  std::uint32_t export_all_offset = UINT32_MAX;  ///< set -a
};

ShellFacts collect_shell_facts(Node root, std::string_view text);
/// A declaration whose variables programs see: export, declare -x.
bool is_exporting(Node declaration, std::string_view text);
/// The command or declaration may set variables whose names stand nowhere: ". ./vars.env", 'eval "$x"', 'export "$name=$value"',
/// "env $(cat vars) ...".
bool sets_unknown_names(Node statement, std::string_view text);
/// What a statement, with all in it, may leave changed.
ShellVariables find_written_variables(Node statement, std::string_view text, const ShellFacts& facts);

}  // namespace weir::audit
