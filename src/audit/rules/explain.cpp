#include <fmt/format.h>

#include "audit/rules/rule.hpp"
#include "base/text.hpp"

namespace weir::audit {
namespace {

/// The rule whose number a mistyped id has, as in "G3", "g03" and "G003"; null if there is none.
const Rule* rule_meant(std::string_view id) {
  if (!id.empty() && (id.front() == 'G' || id.front() == 'g')) id.remove_prefix(1);
  constexpr int kMostRules = 999;
  const auto number = parse_whole(id, 1, kMostRules);
  return number ? find_rule(fmt::format("G{:02}", *number)) : nullptr;
}

std::string_view fixing_text(Fixing fixing) {
  switch (fixing) {
    case Fixing::safe:
      return "`--fix` mends it where that changes nothing else";
    case Fixing::unsafe:
      return "`--fix --unsafe` mends it; it may change what the program does";
    case Fixing::manual:
      break;
  }
  return "by hand";
}

std::string block(std::string_view language, std::string_view code) {
  return fmt::format("```{}\n{}```\n", language, code);
}

}  // namespace

std::string no_rule_text(std::string_view id) {
  const Rule* meant = rule_meant(id);
  return fmt::format("there is no rule '{}'{}; rules are {} to {}", printable(id),
                     meant == nullptr ? "" : fmt::format(" (did you mean '{}'?)", meant->id), all_rules().front().id,
                     all_rules().back().id);
}

std::string rule_page(const Rule& rule) {
  std::string page = fmt::format("# {}: {}\n\n", rule.id, rule.title);
  page += fmt::format("Severity: {}. Mended: {}.{}\n\n{}\n\n", name_of(rule.severity), fixing_text(rule.fixing),
                      rule.needs_policy ? " Told only with a policy (`[audit]` in weir.toml) or `--select`." : "",
                      rule.why);
  page += "Bad:\n" + block(rule.language, rule.bad) + "\nGood:\n" + block(rule.language, rule.good);
  if (!rule.threads.empty()) page += fmt::format("\nPeople who met it: {}.\n", rule.threads);
  page += fmt::format("\nTo keep a line as it is: `# weir: ignore[{}] the reason` on it or above it.\n", rule.id);
  return page;
}

std::string explain(const Rule& rule) {
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
                                 rule.why, indented(rule.bad), indented(rule.good));
  text += fmt::format("\nMended: {}.\n", fixing_text(rule.fixing));
  if (rule.needs_policy) text += "Told only with a policy ([audit] in weir.toml) or --select.\n";
  if (!rule.threads.empty()) text += fmt::format("People who met it: {}.\n", rule.threads);
  return text;
}

}  // namespace weir::audit
