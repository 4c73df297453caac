#pragma once

#include <span>
#include <string>
#include <string_view>

#include "audit/finding.hpp"

namespace weir::audit {

/// One rule as people read it. `weir audit --explain`, docs/rules/ and the metadata of SARIF are made from these rows.
struct Rule {
  std::string_view id;
  std::string_view title;        ///< what is wrong, a few words
  Severity severity;             ///< usual; a finding may be milder or worse
  Fixability fixability;         ///< the most that is done by itself
  bool needs_policy;             ///< silent unless weir.toml has [audit], or the rule is selected by name
  std::string_view why;          ///< what happens because of it, and when it is no defect
  std::string_view bad_example;  ///< an example, in the language named by `language`
  std::string_view good_example;
  std::string_view language;       ///< "python", "yaml" ...
  std::string_view issue_threads;  ///< issue threads of people who suffered from it; may be empty
};

std::span<const Rule> all_rules();
const Rule* find_rule(std::string_view id);  ///< null if there is none
/// "there is no rule 'G3' (did you mean 'G03'?); rules are G01 to G33", on one line.
std::string unknown_rule_text(std::string_view id);

/// For people: `weir audit --explain G08`.
std::string explain_rule(const Rule& rule);
/// The page docs/rules/G08.md.
std::string rule_page(const Rule& rule);

}  // namespace weir::audit
