#include "audit/suppression.hpp"

#include <optional>
#include <string>

namespace weir::audit {
namespace {

struct Allowance {
  std::string_view rules;  ///< "G10,G04"; empty: all
  std::string_view reason;
};

std::optional<Allowance> allowance_in(std::string_view line) {
  constexpr std::string_view kMark = "weir: ignore";
  const std::size_t at = line.find(kMark);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = line.substr(at + kMark.size());
  Allowance allowance;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    allowance.rules = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  }
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == ':')) rest.remove_prefix(1);
  allowance.reason = rest;
  return allowance;
}

bool allows(const Allowance& allowance, std::string_view rule) {
  return allowance.rules.empty() || allowance.rules.find(rule) != std::string_view::npos;
}

bool is_comment_alone(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  return first != std::string_view::npos && (line[first] == '#' || line.substr(first).starts_with("//"));
}

}  // namespace

void apply_comments(std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    const SourceFile& source = finding.module->source;
    const std::uint32_t first = source.place(finding.where.begin).line;
    const std::uint32_t last = source.place(finding.where.end).line;
    for (std::uint32_t line = first > 1 ? first - 1 : first; line <= last; ++line) {
      if (line < first && !is_comment_alone(source.line(line))) continue;
      const auto allowance = allowance_in(source.line(line));
      if (!allowance || !allows(*allowance, finding.rule)) continue;
      finding.suppressed = true;
      finding.reason = allowance->reason;
    }
  }
}

}  // namespace weir::audit
