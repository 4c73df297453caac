#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "audit/fix/file_edits.hpp"
#include "audit/mask.hpp"
#include "audit/python/gpu_names.hpp"
#include "audit/rules/checks.hpp"
#include "audit/rules/rule.hpp"
#include "base/text.hpp"

// Runs all rules and collects their findings. Also defines what the rules share (checks.hpp).

namespace weir::audit {

void FindingCollector::add(Finding finding) {
  // The message may quote values of the audited code: it must be one line, with '?' for unknown parts (kHole).
  std::replace(finding.message.begin(), finding.message.end(), kHole, '?');
  finding.message = one_line(finding.message);
  const Module& target = project_.reported_module(*finding.module);
  const bool is_link = &target != finding.module;
  const Place place{finding.rule, &target, finding.range.begin};
  if (is_link) {
    finding.module = &target;
    finding.edits.clear();
    finding.fixability = Fixability::manual;
  }
  if (reported_.insert(place).second) {
    if (is_link) reported_links_.insert(place);
    return findings_.push_back(std::move(finding));
  }
  if (is_link || reported_links_.erase(place) == 0) return;
  *std::find_if(findings_.begin(), findings_.end(), [&](const Finding& one) {
    return Place{one.rule, one.module, one.range.begin} == place;
  }) = std::move(finding);
}

bool FindingCollector::has_reported(std::string_view rule, const Module& module, Range where) const {
  return reported_.contains({find_rule(rule)->id, &project_.reported_module(module), where.begin});
}

void FindingCollector::note_sole_mask(const Step& step, const Module& program) {
  sole_masks_.emplace(std::pair{&project_.reported_module(*step.module), step.event->range.begin}, &program);
}

void FindingCollector::drop_edits_of_needed_mask(Finding& finding) const {
  if (finding.rule != "G07" && finding.rule != "G02") return;
  const auto found = sole_masks_.find({finding.module, finding.range.begin});
  if (found == sole_masks_.end()) return;
  finding.edits.clear();
  finding.fixability = Fixability::manual;
  finding.advice =
      found->second == finding.module
          ? "keep it as long as this file is also run by itself, or set the mask in one module that all programs "
            "import first"
          : fmt::format("keep it, because {} needs it, or set the mask in one module that all programs import first",
                        printable(found->second->source.name()));
}

void FindingCollector::drop_edits_of_possible_order(Finding& finding) const {
  if (finding.rule != "G04" || finding.edits.empty()) return;
  auto found = possible_orders_.find({finding.module, finding.range.begin});
  const auto shared = shared_orders_.find({finding.module, finding.range.begin});
  if (found == possible_orders_.end() && shared != shared_orders_.end())
    found = possible_orders_.find({finding.module, shared->second});
  if (found == possible_orders_.end()) return;
  finding.edits.clear();
  finding.fixability = Fixability::manual;
  finding.advice += fmt::format(
      "; no automatic fix: {} may set a device order itself",
      found->second == finding.module ? std::string{"this program"} : printable(found->second->source.name()));
}

std::vector<Finding> FindingCollector::take(const Policy& policy) {
  const auto is_reported = [&](std::string_view rule, const Finding& finding) {
    return reported_.contains({find_rule(rule)->id, finding.module, finding.range.begin});
  };
  // If a mask write has no effect in one execution (G03), it is not reported as fragile (G01) for another execution. If
  // the program uses no GPU (G11, G12), its mask needs neither a device order (G04) nor setdefault() (G10).
  std::erase_if(findings_, [&](const Finding& finding) {
    const bool improves_mask = finding.rule == "G04" || finding.rule == "G10";
    return (finding.rule == "G01" && ineffective_.contains({finding.module, finding.range.begin})) ||
           (finding.rule == "G02" && is_reported("G07", finding)) ||
           (improves_mask && finding.module->is_entry_point &&
            ((policy.is_defined && is_reported("G11", finding)) || is_reported("G12", finding)));
  });
  for (Finding& finding : findings_) {
    drop_edits_of_needed_mask(finding);
    drop_edits_of_possible_order(finding);
    // G27 reports two masks and does not decide which one is kept.
    if ((finding.rule == "G10" || finding.rule == "G04") && is_reported("G27", finding)) {
      finding.edits.clear();
      finding.fixability = Fixability::manual;
    }
    // G06 reports two values and does not decide which one is meant; an edit that inserts the policy's value would
    // decide.
    if (finding.rule == "G33" && is_reported("G06", finding)) {
      finding.edits.clear();
      finding.fixability = Fixability::manual;
    }
    if (finding.edits.empty() || can_apply(finding.module->source, finding.edits)) continue;
    finding.edits.clear();
    finding.fixability = Fixability::manual;
  }
  std::sort(findings_.begin(), findings_.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.module->source.name(), a.range.begin, a.rule) <
           std::tie(b.module->source.name(), b.range.begin, b.rule);
  });
  return std::move(findings_);
}

Finding make_finding(std::string_view rule, const Module& module, Range where, std::string message,
                     std::string advice) {
  const Rule* description = find_rule(rule);
  return {.rule = description->id,
          .severity = description->severity,
          .module = &module,
          .range = where,
          .message = std::move(message),
          .advice = std::move(advice)};
}

std::string location_text(const Module& from, const Module& module, Range where) {
  const std::uint32_t line = module.source.position(where.begin).line;
  if (&from == &module) return fmt::format("line {}", line);
  return fmt::format("{}:{}", printable(module.source.name()), line);
}

std::string mask_text(const Value& mask) {
  std::string all;
  for (const PossibleValue& alternative : mask.alternatives()) {
    std::string one = Value{alternative}.as_text().value_or("?");
    std::replace(one.begin(), one.end(), kHole, '?');
    all += fmt::format("{}{}", all.empty() ? "" : " or ", one.empty() ? "\"\"" : one);
  }
  return all;
}

std::string code_text(const Module& module, Range where) {
  constexpr std::size_t kMaxBytes = 90;
  std::string text = one_line(module.source.text(where).substr(0, 4 * kMaxBytes));
  // In the extracted code '#' replaces the first character of an IPython command, such as '%'; restore it.
  if (const NotebookSource* notebook = module.source.notebook(); notebook != nullptr && text.starts_with('#'))
    text.front() = notebook->text[notebook->file_offsets[where.begin]];
  std::string single_spaced;
  for (const char c : text) {
    if (c != ' ' || (!single_spaced.empty() && single_spaced.back() != ' ')) single_spaced += c;
  }
  if (single_spaced.size() > kMaxBytes) single_spaced = single_spaced.substr(0, kMaxBytes - 3) + "...";
  return printable(single_spaced);
}

bool is_constant(const Value& value) {
  return value.single_alternative(PossibleValue::Kind::text) != nullptr ||
         value.single_alternative(PossibleValue::Kind::number) != nullptr;
}

bool sets_own_mask(const Step& step) {
  return step.event->kind == Event::Kind::set_variable && step.event->mode != Event::Mode::child_environment &&
         is_mask_variable(step.event->name);
}

bool is_removable(const Step& step) {
  return step.event->is_editable && step.event->is_top_level && step.function->key.empty() && !step.module->parse_error;
}

bool loads_gpu_library(const Step& step) {
  return step.event->kind == Event::Kind::import_module && python::find_library(step.event->name) != nullptr;
}

// PyTorch 1.13 and later count devices with NVML, and use NVML for is_available() if PYTORCH_NVML_BASED_CUDA_CHECK is
// set (torch/cuda/__init__.py).
bool may_avoid_driver(const Step& driver_start) {
  if (driver_start.event->name == "torch.cuda.device_count") return true;
  return driver_start.event->name == "torch.cuda.is_available" &&
         driver_start.module->source.text().find("PYTORCH_NVML_BASED_CUDA_CHECK") != std::string_view::npos;
}

namespace {

/// Returns whether the step is x.to(device) with a known GPU. This starts the driver.
bool moves_to_gpu(const Step& step) {
  if (step.event->kind != Event::Kind::use_device || step.event->name != ".to") return false;
  const auto given = step.value.as_text();
  return given && python::vendor_of(*given).has_value();
}

/// Returns the first step that satisfies `matches`, has certainly happened before the step `index`, and starts the
/// vendor's driver or the driver of an unknown vendor; null if there is none.
template <class Matches>
const Step* first_driver_start(const Execution& execution, std::size_t index, Vendor vendor, Matches matches) {
  for (std::size_t i = 0; i < index; ++i) {
    const Step& step = execution.steps[i];
    if (step.event->kind != Event::Kind::start_driver && !moves_to_gpu(step)) continue;
    if (!matches(step) || !is_always_before(step, execution.steps[index])) continue;
    std::optional<Vendor> start_vendor = python::vendor_of(step.event->name);
    if (const auto text = step.value.as_text(); !start_vendor && text) start_vendor = python::vendor_of(*text);
    // PyTorch for AMD cards uses the name "cuda", too.
    const bool is_same_driver = start_vendor == vendor || (start_vendor == Vendor::nvidia && vendor == Vendor::amd);
    if (!start_vendor || is_same_driver) return &step;
  }
  return nullptr;
}

}  // namespace

const Step* driver_start_before(const Execution& execution, std::size_t index, Vendor vendor) {
  return first_driver_start(execution, index, vendor, [](const Step&) { return true; });
}

const Step* certain_driver_start_before(const Execution& execution, std::size_t index, Vendor vendor) {
  return first_driver_start(execution, index, vendor, [](const Step& step) { return !may_avoid_driver(step); });
}

const Step* previous_write(const Execution& execution, std::size_t index) {
  const Step& step = execution.steps[index];
  // The latest write decides: if it is uncertain, or removes the variable, no earlier write is in force for certain.
  for (std::size_t i = index; i-- > 0;) {
    const Step& other = execution.steps[i];
    const bool sets =
        other.event->kind == Event::Kind::set_variable && other.event->mode != Event::Mode::child_environment;
    if (other.event->kind == Event::Kind::change_environment && !are_exclusive(other, step)) return nullptr;
    const bool removes = other.event->kind == Event::Kind::remove_variable;
    if ((!sets && !removes) || other.event->name != step.event->name || are_exclusive(other, step)) continue;
    return sets && other.event != step.event && is_always_before(other, step) && !other.in_loop ? &other : nullptr;
  }
  return nullptr;
}

namespace {

/// Returns whether an entry of a mask means the policy's card. Returns nothing if this is not known: the entry is
/// unknown, or the entry is a UUID and the policy contains only an index, or the other way round.
std::optional<bool> is_policy_card(const std::string& entry, const Policy& policy) {
  const bool entry_is_uuid = entry.starts_with("GPU-") || entry.starts_with("MIG-");
  const std::string card = policy.mask(!entry_is_uuid);
  const bool card_is_uuid = card.starts_with("GPU-") || card.starts_with("MIG-");
  if (entry == "?" || card.empty() || card_is_uuid != entry_is_uuid) return std::nullopt;
  // CUDA accepts the first characters of a UUID; "1.0" is a tile of card 1.
  return entry_is_uuid ? card.starts_with(entry) : card == entry || entry.starts_with(card + '.');
}

}  // namespace

bool selects_policy_card(const Mask& mask, const Policy& policy) {
  return policy.is_defined && mask.entries.size() == 1 && is_policy_card(mask.entries.front(), policy).value_or(false);
}

bool selects_other_card(const Mask& mask, std::string_view variable, const Policy& policy) {
  const DeviceVariable* known = find_device_variable(variable);
  const Vendor vendor = policy.vendor();
  const bool is_same_driver = known->vendor == vendor || (vendor == Vendor::amd && known->vendor == Vendor::nvidia);
  return policy.is_defined && is_same_driver && variable != "ONEAPI_DEVICE_SELECTOR" &&
         std::any_of(mask.entries.begin(), mask.entries.end(),
                     [&](const std::string& entry) { return !is_policy_card(entry, policy).value_or(true); });
}

std::string all_cards_text(std::string_view mask) {
  return fmt::format("every worker gets {}: all of them work on the first card", mask);
}

bool is_settings_file(const Module& module) {
  return module.kind == FileKind::yaml || module.kind == FileKind::json || module.kind == FileKind::toml;
}

std::vector<Finding> apply_rules(const Project& project, const Policy& policy) {
  FindingCollector findings{project};
  PlainStatements statements{project};
  NamedFiles files{project};
  const RuleContext context{project, policy, findings, statements, files};
  check_single_events(context);
  for_each_execution(project, [&](const Execution& execution) {
    check_write_timing(execution, context);
    check_masks(execution, context);
    check_indices(execution, context);
    check_programs(execution, context);
    check_workers(execution, context);
  });
  check_fixed_indices(context);
  check_settings_files(context);
  check_comments(context);
  check_copied_and_unused_code(context);
  return findings.take(policy);
}

}  // namespace weir::audit
