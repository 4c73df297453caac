#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "audit/fix/edits.hpp"
#include "audit/fix/rewrites.hpp"
#include "audit/mask.hpp"
#include "audit/rules/checks.hpp"

// Rules that check single events, or the events of one function: G15, G16, G21, G22, G25, G26, G28, G29, G31, G32.

namespace weir::audit {
namespace {

using Kind = Event::Kind;

Finding deprecated_call_finding(const Module& module, const Event& event) {
  const std::string_view code = module.source.text(event.range);
  const std::string old_name = event.name.substr(event.name.rfind('.') + 1);
  const std::string new_name = event.value.as_text().value_or("");
  auto found = make_finding("G22", module, event.range, fmt::format("{}() is deprecated", event.name),
                            fmt::format("{}()", new_name));
  // A name without its module comes from a `from ... import` statement, which would also have to change.
  if (code.ends_with("." + old_name) && !module.parse_error) {
    found.edits = {{{event.range.end - static_cast<std::uint32_t>(old_name.size()), event.range.end}, new_name}};
    found.fixability = Fixability::safe;
  }
  return found;
}

Finding future_import_finding(const Module& module, const Event& event) {
  auto found = make_finding("G32", module, event.range,
                            "this file does not compile: an import from __future__ is below other code",
                            "move it up, below the docstring");
  const auto lines = statement_lines(module.source, event.statement);
  if (lines && event.is_top_level && !module.parse_error) {
    std::string moved{module.source.text(*lines)};
    if (!moved.ends_with('\n') && !moved.ends_with('\r')) moved += module.source.line_break();
    found.edits = {{{module.header_offset, module.header_offset}, std::move(moved)}, {*lines, {}}};
    found.fixability = Fixability::safe;
  }
  return found;
}

/// Returns whether the mask hides all devices or is unknown.
bool hides_all_or_unknown(const Value& value) {
  const auto mask = parse_mask(value);
  return !mask || mask->hides_all();
}

/// Returns the finding with these edits. Its fixability becomes unsafe, or manual if `edits` is empty.
Finding with_edits(Finding found, std::vector<Edit> edits) {
  found.edits = std::move(edits);
  found.fixability = found.edits.empty() ? Fixability::manual : Fixability::unsafe;
  return found;
}

/// Checks G22: gc.collect() is called after empty_cache(), and empty_cache() is not called again. The memory that
/// gc.collect() frees then stays in PyTorch's cache.
void check_cleanup(const Module& module, const Function& function, const RuleContext& context) {
  const Event* empty_cache_call = nullptr;
  for (const Event& event : function.events) {
    if (event.kind != Kind::memory_cleanup) continue;
    const bool collects = event.name == "gc.collect";
    if (!collects) empty_cache_call = &event;
    // empty_cache() inside an `if` counts, too, if it is only a few lines above.
    constexpr std::uint32_t kMaxLinesAbove = 6;
    const auto line = [&](const Event& one) { return module.source.position(one.range.begin).line; };
    const bool is_nearby = empty_cache_call != nullptr && line(event) - line(*empty_cache_call) <= kMaxLinesAbove &&
                           event.arms.size() < empty_cache_call->arms.size() &&
                           std::equal(event.arms.begin(), event.arms.end(), empty_cache_call->arms.begin());
    if (!collects || empty_cache_call == nullptr || (event.arms != empty_cache_call->arms && !is_nearby)) continue;
    const bool emptied_again = std::any_of(
        &event, function.events.data() + function.events.size(),
        [](const Event& later) { return later.kind == Kind::memory_cleanup && later.name != "gc.collect"; });
    if (emptied_again) continue;
    auto found = make_finding("G22", module, event.range,
                              fmt::format("what gc.collect() frees stays in the cache, which was emptied before ({})",
                                          location_text(module, module, empty_cache_call->range)),
                              "gc.collect() first, then empty_cache()");
    found.edits = swap_statements(module, *empty_cache_call, event);
    found.fixability = found.edits.empty() ? Fixability::manual : Fixability::safe;
    context.findings.add(std::move(found));
    empty_cache_call = nullptr;
  }
}

/// Makes the finding for a mask inside a container or job that already receives selected cards. The event's name is the
/// option that selects the cards, or "the #SBATCH lines" for a job of a scheduler.
Finding container_mask_finding(const Module& module, const Event& event) {
  auto found =
      make_finding("G28", module, event.range,
                   fmt::format("{} already selects cards ({}); inside, these are numbered from 0, and {} selects "
                               "another card or none",
                               event.name.starts_with("the ") ? "the scheduler" : "the container", event.name,
                               event.value.as_text().value_or("the mask")),
                   "remove the inner mask");
  // In a shell command the mask is an argument of the command (`-e NAME=VALUE`), so only this argument is deleted.
  if (!event.target.empty() && !module.parse_error) {
    std::uint32_t begin = event.target.begin;
    while (begin > 0 && module.source.text()[begin - 1] == ' ') --begin;
    found.edits = {{{begin, event.target.end}, {}}};
  } else if (event.is_editable && !module.parse_error) {
    found.edits = remove_statement(module.source, event.statement);
  }
  found.fixability = found.edits.empty() ? Fixability::manual : Fixability::unsafe;
  return found;
}

/// Returns the function that a call, process or thread executes, and its module; the function is null if it is not in
/// this project.
Project::ResolvedFunction called_function(const Project& project, const Module& module, const Event& event) {
  if (!event.name.starts_with(':')) return project.find_function(module, event.name);
  return {&module, module.find_function(std::string_view{event.name}.substr(1))};
}

/// Checks G26: a loop starts processes, and all get the same mask of several cards.
void check_processes(const Module& module, const Event& event, const RuleContext& context) {
  const auto [owner, target] = called_function(context.project, module, event);
  if (target == nullptr || !event.in_loop) return;
  for (const Event& inner : target->events) {
    const auto mask = inner.name == "ZE_AFFINITY_MASK" ? parse_mask(inner.value) : std::nullopt;
    if (inner.kind == Kind::set_variable && mask && is_constant(inner.value) && mask->entries.size() > 1)
      context.findings.add(make_finding("G26", *owner, inner.range, all_cards_text(*inner.value.as_text()),
                                        "give each worker a mask with one card"));
  }
}

/// Checks G25: a function that runs in a thread sets a mask.
void check_threads(const Module& module, const Event& event, const RuleContext& context) {
  const auto [owner, target] = called_function(context.project, module, event);
  if (target == nullptr) return;
  for (const Event& inner : target->events) {
    if (inner.kind == Kind::set_variable && inner.mode != Event::Mode::child_environment &&
        is_mask_variable(inner.name))
      context.findings.add(make_finding(
          "G25", *owner, inner.range,
          fmt::format("{} is set in a function that runs in a thread ({}): the environment belongs to the process",
                      inner.name, location_text(*owner, module, event.range)),
          "start a process for each card, with env="));
  }
}

/// Returns whether the event assigns or removes the variable in the process of the program, or changes the environment
/// with code that contains the variable's name.
bool changes_variable(const Module& module, const Event& event, std::string_view variable) {
  if (event.kind == Kind::set_variable || event.kind == Kind::remove_variable)
    return event.name == variable && event.mode == Event::Mode::assign;
  return event.kind == Kind::change_environment &&
         module.source.text(event.range).find(variable) != std::string_view::npos;
}

bool any_changes(const Module& module, const Function& function, std::string_view variable) {
  return std::any_of(function.events.begin(), function.events.end(),
                     [&](const Event& event) { return changes_variable(module, event, variable); });
}

/// Returns whether the program itself set the compared mask: earlier in this function, in a function called earlier,
/// or, in a test, anywhere in its file (a decorator, setUp()). Such a comparison checks the program's own work.
bool is_set_by_program(const RuleContext& context, const Module& module, const Function& function,
                       const Event& compared) {
  const auto sets_before = [&](const Event& event) {
    if (event.range.begin >= compared.range.begin) return false;
    if (event.kind != Kind::call) return changes_variable(module, event, compared.name);
    const auto [owner, callee] = called_function(context.project, module, event);
    return callee != nullptr && any_changes(*owner, *callee, compared.name);
  };
  if (std::any_of(function.events.begin(), function.events.end(), sets_before)) return true;
  const std::string_view key = function.key;
  const bool is_test = key.substr(key.rfind('.') + 1).starts_with("test");
  return is_test && std::any_of(module.functions.begin(), module.functions.end(),
                                [&](const Function& other) { return any_changes(module, other, compared.name); });
}

/// Makes the finding for a mask that is compared with a literal. If the literal selects the policy's card, the test is
/// correct on this machine, and the finding is only about style.
Finding mask_comparison_finding(const Module& module, const Event& event, const Policy& policy) {
  auto found = make_finding(
      "G15", module, event.range,
      fmt::format(
          "{} is compared with the text {}: another mask may select the right card, too (UUID, a scheduler's index)",
          event.name, event.value.as_text().value_or("?")),
      "compare the UUID of the device in use");
  if (const auto mask = parse_mask(event.value); mask && selects_policy_card(*mask, policy))
    found.severity = Severity::style;
  return found;
}

/// Checks all rules that look at one event alone.
void check_event(const Module& module, const Function& function, const Event& event, const RuleContext& context) {
  const auto add = [&](Finding found) { context.findings.add(std::move(found)); };
  switch (event.kind) {
    case Kind::mask_as_number:
      add(with_edits(make_finding("G29", module, event.range,
                                  fmt::format("{} is read as a number: it may hold UUIDs, several entries, none or -1",
                                              event.name),
                                  "use the mask's entries as texts; under a mask the devices are numbered from 0"),
                     replace_with_first_visible(module, event)));
      break;
    case Kind::compare_mask:
      if (!hides_all_or_unknown(event.value) && !is_set_by_program(context, module, function, event))
        add(mask_comparison_finding(module, event, context.policy));
      break;
    case Kind::compare_device_name:
      add(make_finding("G16", module, event.range,
                       fmt::format("the product name {} is part of the program", event.value.as_text().value_or("?")),
                       "name the card in the policy (weir.toml), and call weir.verify()"));
      break;
    case Kind::cpu_fallback:
      add(with_edits(
          make_finding("G21", module, event.range, "the program uses the CPU without a message when no GPU is visible",
                       "stop, or print a message"),
          remove_fallback(module, event)));
      break;
    case Kind::deprecated_call:
      if (!event.is_fallback) add(deprecated_call_finding(module, event));
      break;
    case Kind::estimate_free_memory:
      add(with_edits(make_finding("G31", module, event.range,
                                  "this difference is not the free memory of the card: it ignores other processes",
                                  "use torch.cuda.mem_get_info(), or NVML"),
                     replace_free_memory_estimate(module, event)));
      break;
    case Kind::late_future_import:
      add(future_import_finding(module, event));
      break;
    case Kind::container_mask:
      add(container_mask_finding(module, event));
      break;
    case Kind::process_target:
      check_processes(module, event, context);
      break;
    case Kind::thread_target:
      check_threads(module, event, context);
      break;
    default:
      break;
  }
}

}  // namespace

void check_single_events(const RuleContext& context) {
  for (const Module& module : context.project.modules()) {
    for (const Function& function : module.functions) {
      for (const Event& event : function.events) check_event(module, function, event, context);
      check_cleanup(module, function, context);
    }
  }
}

}  // namespace weir::audit
