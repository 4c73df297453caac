#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "audit/fix/file_edits.hpp"
#include "audit/mask.hpp"
#include "audit/python/gpu_names.hpp"
#include "audit/rules/checks.hpp"
#include "audit/rules/rule.hpp"
#include "base/text.hpp"

namespace weir::audit {

void Findings::add(Finding finding) {
  // Values of the judged code stand in it: holes as people write them, and one line.
  std::replace(finding.what.begin(), finding.what.end(), kHole, '?');
  finding.what = one_line(finding.what);
  if (told_.emplace(finding.rule, finding.module, finding.where.begin).second) all_.push_back(std::move(finding));
}

std::vector<Finding> Findings::take() {
  // What is dead in one run of the code need not be called fragile for another.
  std::erase_if(all_, [&](const Finding& finding) {
    return finding.rule == "G01" && told_.contains({find_rule("G03")->id, finding.module, finding.where.begin});
  });
  for (Finding& finding : all_) {
    if (finding.edits.empty() || are_possible(finding.module->source, finding.edits)) continue;
    finding.edits.clear();
    finding.fixing = Fixing::manual;
  }
  std::sort(all_.begin(), all_.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.module->source.name(), a.where.begin, a.rule) <
           std::tie(b.module->source.name(), b.where.begin, b.rule);
  });
  return std::move(all_);
}

Finding finding_of(std::string_view rule, const Module& module, Range where, std::string what, std::string advice) {
  const Rule* row = find_rule(rule);
  return {.rule = row->id,
          .severity = row->severity,
          .module = &module,
          .where = where,
          .what = std::move(what),
          .advice = std::move(advice)};
}

std::string place_text(const Module& from, const Module& module, Range where) {
  const std::uint32_t line = module.source.place(where.begin).line;
  if (&from == &module) return fmt::format("line {}", line);
  return fmt::format("{}:{}", printable(module.source.name()), line);
}

std::string code_text(const Module& module, Range where) {
  constexpr std::size_t kMost = 90;
  std::string text = one_line(module.source.text(where).substr(0, 4 * kMost));
  std::string joined;
  for (const char c : text) {
    if (c != ' ' || (!joined.empty() && joined.back() != ' ')) joined += c;
  }
  if (joined.size() > kMost) joined = joined.substr(0, kMost - 3) + "...";
  return printable(joined);
}

bool is_constant(const Value& value) {
  return value.single(Atom::Kind::text) != nullptr || value.single(Atom::Kind::number) != nullptr;
}

bool sets_own_mask(const Step& step) {
  return step.event->kind == Event::Kind::set_variable && step.event->mode != Event::Mode::child &&
         is_mask(step.event->name);
}

bool loads_gpu_library(const Step& step) {
  return step.event->kind == Event::Kind::import_module && python::find_library(step.event->name) != nullptr;
}

std::string all_cards_text(std::string_view mask) {
  return fmt::format("every worker gets {}: all of them work on the first card", mask);
}

bool is_settings(const Module& module) {
  return module.kind == FileKind::yaml || module.kind == FileKind::json || module.kind == FileKind::toml;
}

std::vector<Finding> judge(const Project& project, const Policy& policy) {
  Findings findings;
  const Judging judging{project, policy, findings};
  for_each_execution(project, [&](const Execution& execution) {
    check_order(execution, judging);
    check_masks(execution, judging);
    check_indices(execution, judging);
    check_programs(execution, judging);
  });
  check_single_events(judging);
  check_fixed_indices(judging);
  check_settings_files(judging);
  check_comments(judging);
  check_copies(judging);
  return findings.take();
}

}  // namespace weir::audit
