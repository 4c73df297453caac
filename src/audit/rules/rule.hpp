#pragma once

#include <span>
#include <string>
#include <string_view>

#include "audit/finding.hpp"

namespace weir::audit {

/// The description of one rule. `weir audit --explain`, docs/rules/ and the rule metadata of SARIF reports are
/// generated from it.
struct Rule {
  std::string_view id;
  std::string_view title;          ///< the defect in a few words
  Severity severity;               ///< the usual severity; a single finding may have another
  Fixability fixability;           ///< the usual fixability of findings that have edits; without edits they are manual
  bool needs_policy;               ///< the rule is applied only if weir.toml has [audit] or --select contains its id
  std::string_view why;            ///< the consequences of the defect, and cases that are no defect
  std::string_view bad_example;    ///< code with the defect
  std::string_view good_example;   ///< the same code without the defect
  std::string_view language;       ///< language of the examples: "python" or "shell"
  std::string_view issue_threads;  ///< GitHub issues about the defect; may be empty
};

/// Returns all rules, ordered by id.
std::span<const Rule> all_rules();
const Rule* find_rule(std::string_view id);  ///< null if there is no such rule
/// Returns the message for an id that no rule has, on one line. For "G3": "there is no rule 'G3' (did you mean 'G03'?);
/// rules are G01 to G33".
std::string unknown_rule_text(std::string_view id);

/// Returns the text of `weir audit --explain G08`.
std::string explain_rule(const Rule& rule);
/// Returns the page docs/rules/G08.md.
std::string rule_page(const Rule& rule);

}  // namespace weir::audit
