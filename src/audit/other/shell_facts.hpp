#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/other/shell_evaluator.hpp"
#include "audit/syntax/tree.hpp"

namespace weir::audit {

constexpr int kMaxShellDepth = 120;  ///< deeper nested nodes of the syntax tree are not read

/// Facts about a whole shell script that are collected before its statements are read in order.
struct ShellFacts {
  struct Export {
    std::string_view name;
    Range range;  ///< the whole `export NAME`
  };
  std::set<std::string, std::less<>> functions{};          ///< names of the functions that the script defines
  std::set<std::string, std::less<>> read_in_functions{};  ///< variables that functions read; empty if more than 64
  ShellVariables written_in_functions{};                   ///< variables that function bodies may change
  std::vector<Export> exports{};                           ///< exports without a value: `export NAME`
  std::uint32_t export_all_offset = UINT32_MAX;  ///< byte offset of the first `set -a`; UINT32_MAX if there is none
};

/// Collects the facts of a script from its syntax tree.
ShellFacts collect_shell_facts(Node root, std::string_view text);
/// Returns whether a declaration exports its variables: export, declare -x.
bool is_exporting(Node declaration, std::string_view text);
/// Returns whether a command or declaration may set variables with unknown names: ". ./vars.env", 'eval "$x"', 'export
/// "$name=$value"', "env $(cat vars) ...".
bool sets_unknown_names(Node statement, std::string_view text);
/// Returns the variables that a statement, everything inside it and the functions that it calls may change.
ShellVariables find_written_variables(Node statement, std::string_view text, const ShellFacts& facts);

}  // namespace weir::audit
