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

namespace weir::audit {

void Findings::add(Finding finding) {
  // Values of the judged code stand in it: holes as people write them, and one line.
  std::replace(finding.what.begin(), finding.what.end(), kHole, '?');
  finding.what = one_line(finding.what);
  const Module& home = project_.home(*finding.module);
  const bool link = &home != finding.module;
  const Place place{finding.rule, &home, finding.where.begin};
  if (link) {
    finding.module = &home;
    finding.edits.clear();
    finding.fixing = Fixing::manual;
  }
  if (told_.insert(place).second) {
    if (link) told_of_links_.insert(place);
    return all_.push_back(std::move(finding));
  }
  if (link || told_of_links_.erase(place) == 0) return;
  *std::find_if(all_.begin(), all_.end(), [&](const Finding& one) {
    return Place{one.rule, one.module, one.where.begin} == place;
  }) = std::move(finding);
}

bool Findings::has(std::string_view rule, const Module& module, Range where) const {
  return told_.contains({find_rule(rule)->id, &project_.home(module), where.begin});
}

void Findings::note_only(const Step& step, const Module& program) {
  only_.emplace(std::pair{&project_.home(*step.module), step.event->where.begin}, &program);
}

void Findings::keep_what_others_need(Finding& finding) const {
  if (finding.rule != "G07" && finding.rule != "G02") return;
  const auto found = only_.find({finding.module, finding.where.begin});
  if (found == only_.end()) return;
  finding.edits.clear();
  finding.fixing = Fixing::manual;
  finding.advice =
      found->second == finding.module
          ? "leave it while this file is run by itself, or set the mask in one module that all import first"
          : fmt::format("leave it for {}, or set the mask in one module that all import first",
                        printable(found->second->source.name()));
}

void Findings::keep_the_order(Finding& finding) const {
  if (finding.rule != "G04" || finding.edits.empty()) return;
  auto found = ordered_.find({finding.module, finding.where.begin});
  const auto served = served_.find({finding.module, finding.where.begin});
  if (found == ordered_.end() && served != served_.end()) found = ordered_.find({finding.module, served->second});
  if (found == ordered_.end()) return;
  finding.edits.clear();
  finding.fixing = Fixing::manual;
  finding.advice += fmt::format(
      "; not by itself: {} may have an order of its own",
      found->second == finding.module ? std::string{"this program"} : printable(found->second->source.name()));
}

std::vector<Finding> Findings::take(const Policy& policy) {
  const auto told = [&](std::string_view rule, const Finding& finding) {
    return told_.contains({find_rule(rule)->id, finding.module, finding.where.begin});
  };
  // What is dead in one run of the code need not be called fragile for another; a mask that reaches no GPU need not be in order.
  std::erase_if(all_, [&](const Finding& finding) {
    const bool idle = finding.rule == "G04" || finding.rule == "G10";
    return (finding.rule == "G01" && dead_.contains({finding.module, finding.where.begin})) ||
           (finding.rule == "G02" && told("G07", finding)) ||
           (idle && finding.module->entry_point && ((policy.given && told("G11", finding)) || told("G12", finding)));
  });
  for (Finding& finding : all_) {
    keep_what_others_need(finding);
    keep_the_order(finding);
    // Which of the two masks stays is asked there.
    if ((finding.rule == "G10" || finding.rule == "G04") && told("G27", finding)) {
      finding.edits.clear();
      finding.fixing = Fixing::manual;
    }
    // Which of two values is meant is asked there: to write the policy's over one of them would answer it in silence.
    if (finding.rule == "G33" && told("G06", finding)) {
      finding.edits.clear();
      finding.fixing = Fixing::manual;
    }
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

std::string mask_text(const Value& mask) {
  std::string all;
  for (const Atom& atom : mask.atoms()) {
    std::string one = Value{atom}.as_text().value_or("?");
    std::replace(one.begin(), one.end(), kHole, '?');
    all += fmt::format("{}{}", all.empty() ? "" : " or ", one.empty() ? "\"\"" : one);
  }
  return all;
}

std::string code_text(const Module& module, Range where) {
  constexpr std::size_t kMost = 90;
  std::string text = one_line(module.source.text(where).substr(0, 4 * kMost));
  // A line of IPython's own is a comment in the code alone.
  if (const Origin* origin = module.source.origin(); origin != nullptr && text.starts_with('#'))
    text.front() = origin->text[origin->places[where.begin]];
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

bool is_removable(const Step& step) {
  return step.event->editable && step.event->outermost && step.function->key.empty() && !step.module->error;
}

bool loads_gpu_library(const Step& step) {
  return step.event->kind == Event::Kind::import_module && python::find_library(step.event->name) != nullptr;
}

/// PyTorch counts by NVML, from 1.13 on; and asks it for is_available() where this variable says so (torch/cuda/__init__.py).
bool may_leave_driver_alone(const Step& touch) {
  if (touch.event->name == "torch.cuda.device_count") return true;
  return touch.event->name == "torch.cuda.is_available" &&
         touch.module->source.text().find("PYTORCH_NVML_BASED_CUDA_CHECK") != std::string_view::npos;
}

namespace {

/// x.to(device) with what the caller gave.
bool moves_to_gpu(const Step& step) {
  if (step.event->kind != Event::Kind::use_device || step.event->name != ".to") return false;
  const auto given = step.value.as_text();
  return given && python::vendor_of(*given).has_value();
}

template <class Is>
const Step* first_touch(const Execution& execution, std::size_t index, Vendor vendor, Is is) {
  for (std::size_t i = 0; i < index; ++i) {
    const Step& step = execution.steps[i];
    if (step.event->kind != Event::Kind::touch && !moves_to_gpu(step)) continue;
    if (!is(step) || !always_before(step, execution.steps[index])) continue;
    std::optional<Vendor> whose = python::vendor_of(step.event->name);
    if (const auto text = step.value.as_text(); !whose && text) whose = python::vendor_of(*text);
    // PyTorch for AMD's cards says "cuda", too.
    const bool alike = whose == vendor || (whose == Vendor::nvidia && vendor == Vendor::amd);
    if (!whose || alike) return &step;
  }
  return nullptr;
}

}  // namespace

const Step* touch_before(const Execution& execution, std::size_t index, Vendor vendor) {
  return first_touch(execution, index, vendor, [](const Step&) { return true; });
}

const Step* sure_touch_before(const Execution& execution, std::size_t index, Vendor vendor) {
  return first_touch(execution, index, vendor, [](const Step& step) { return !may_leave_driver_alone(step); });
}

const Step* same_variable_before(const Execution& execution, std::size_t index) {
  const Step& step = execution.steps[index];
  for (std::size_t i = index; i-- > 0;) {
    const Step& other = execution.steps[i];
    const bool sets = other.event->kind == Event::Kind::set_variable && other.event->mode != Event::Mode::child;
    if (other.event->kind == Event::Kind::change_environment && !exclusive(other, step)) return nullptr;
    const bool removes = other.event->kind == Event::Kind::remove_variable;
    if ((!sets && !removes) || other.event->name != step.event->name || exclusive(other, step)) continue;
    return sets && other.event != step.event && always_before(other, step) && !other.in_loop ? &other : nullptr;
  }
  return nullptr;
}

namespace {

/// An entry of a mask means the card that the policy means; none if the policy does not say enough to tell.
std::optional<bool> is_policy_card(const std::string& entry, const Policy& policy) {
  const bool by_uuid = entry.starts_with("GPU-") || entry.starts_with("MIG-");
  const std::string wanted = policy.mask(!by_uuid);
  const bool wanted_uuid = wanted.starts_with("GPU-") || wanted.starts_with("MIG-");
  if (entry == "?" || wanted.empty() || wanted_uuid != by_uuid) return std::nullopt;
  return by_uuid ? wanted.starts_with(entry) : wanted == entry || entry.starts_with(wanted + '.');
}

}  // namespace

bool names_policy_card(const Mask& mask, const Policy& policy) {
  return policy.given && mask.entries.size() == 1 && is_policy_card(mask.entries.front(), policy).value_or(false);
}

bool names_other_card(const Mask& mask, std::string_view variable, const Policy& policy) {
  const Variable* known = find_variable(variable);
  const Vendor vendor = policy.vendor();
  const bool alike = known->vendor == vendor || (vendor == Vendor::amd && known->vendor == Vendor::nvidia);
  return policy.given && alike && variable != "ONEAPI_DEVICE_SELECTOR" &&
         std::any_of(mask.entries.begin(), mask.entries.end(),
                     [&](const std::string& entry) { return !is_policy_card(entry, policy).value_or(true); });
}

std::string all_cards_text(std::string_view mask) {
  return fmt::format("every worker gets {}: all of them work on the first card", mask);
}

bool is_settings(const Module& module) {
  return module.kind == FileKind::yaml || module.kind == FileKind::json || module.kind == FileKind::toml;
}

std::vector<Finding> judge(const Project& project, const Policy& policy) {
  Findings findings{project};
  PlainStatements statements{project};
  NamedFiles files{project};
  const Judging judging{project, policy, findings, statements, files};
  check_single_events(judging);
  for_each_execution(project, [&](const Execution& execution) {
    check_order(execution, judging);
    check_masks(execution, judging);
    check_indices(execution, judging);
    check_programs(execution, judging);
    check_workers(execution, judging);
  });
  check_fixed_indices(judging);
  check_settings_files(judging);
  check_comments(judging);
  check_copies(judging);
  return findings.take(policy);
}

}  // namespace weir::audit
