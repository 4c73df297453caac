#include <fmt/format.h>

#include "audit/rules/rule.hpp"
#include "base/text.hpp"

// The text about one rule, and the answer to an unknown rule id.

namespace weir::audit {
namespace {

/// Returns the rule that a wrongly written id such as "G3", "g03" or "G003" probably means; null if there is none.
const Rule* guess_rule(std::string_view id) {
  if (!id.empty() && (id.front() == 'G' || id.front() == 'g')) id.remove_prefix(1);
  constexpr int kMaxNumber = 999;
  const auto number = parse_integer(id, 1, kMaxNumber);
  return number ? find_rule(fmt::format("G{:02}", *number)) : nullptr;
}

std::string_view fixability_text(Fixability fixability) {
  switch (fixability) {
    case Fixability::safe:
      return "`--fix` fixes it where that changes nothing else";
    case Fixability::unsafe:
      return "`--fix --unsafe` fixes it; this may change what the program does";
    case Fixability::manual:
      break;
  }
  return "by hand";
}

std::string code_block(std::string_view language, std::string_view code) {
  return fmt::format("```{}\n{}```\n", language, code);
}

}  // namespace

std::string unknown_rule_text(std::string_view id) {
  const Rule* meant = guess_rule(id);
  return fmt::format("there is no rule '{}'{}; rules are {} to {}", printable(id),
                     meant == nullptr ? "" : fmt::format(" (did you mean '{}'?)", meant->id), all_rules().front().id,
                     all_rules().back().id);
}

std::string rule_page(const Rule& rule) {
  std::string page = fmt::format("# {}: {}\n\n", rule.id, rule.title);
  page += fmt::format("Severity: {}. Fix: {}.{}\n\n{}\n\n", name_of(rule.severity), fixability_text(rule.fixability),
                      rule.needs_policy ? " Reported only with a policy (`[audit]` in weir.toml) or `--select`." : "",
                      rule.why);
  page += "Bad:\n" + code_block(rule.language, rule.bad_example) + "\nGood:\n" +
          code_block(rule.language, rule.good_example);
  if (!rule.issue_threads.empty()) page += fmt::format("\nIssue threads: {}.\n", rule.issue_threads);
  page += fmt::format("\nTo keep a line as it is: `# weir: ignore[{}] the reason` on it or above it.\n", rule.id);
  return page;
}

std::string explain_rule(const Rule& rule) {
  const auto indented = [](std::string_view code) {
    std::string text;
    while (!code.empty()) {
      const std::size_t end = code.find('\n');
      text += fmt::format("    {}\n", code.substr(0, end));
      code.remove_prefix(end == std::string_view::npos ? code.size() : end + 1);
    }
    return text;
  };
  std::string text = fmt::format("{} {} ({})\n\n{}\n\nBad:\n{}\nGood:\n{}", rule.id, rule.title, name_of(rule.severity),
                                 rule.why, indented(rule.bad_example), indented(rule.good_example));
  text += fmt::format("\nFix: {}.\n", fixability_text(rule.fixability));
  if (rule.needs_policy) text += "Reported only with a policy ([audit] in weir.toml) or --select.\n";
  if (!rule.issue_threads.empty()) text += fmt::format("Issue threads: {}.\n", rule.issue_threads);
  return text;
}

}  // namespace weir::audit
